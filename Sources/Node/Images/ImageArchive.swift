// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

/// The images of an archive: OCI's layout, or Docker's `docker save`, which has one beside its own
/// manifest since version 25.
package struct ImageArchive: Sendable {
    /// Something that an image is made of.
    package struct Blob: Sendable {
        package var digest: String
        package var mediaType: String
        package var bytes: ArraySlice<UInt8>
        /// Labels that tell containerd what it leads to.
        package var labels: [String: String]
    }

    /// A name and what it leads to.
    package struct Image: Sendable {
        package var name: String
        package var mediaType: String
        package var digest: String
        package var size: Int64
    }

    /// An archive that has no image, or not all of one.
    package struct Malformed: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The most levels of indexes.
    private static let depthLimit = 4

    package private(set) var images: [Image] = []
    /// Leaves first, so that nothing leads to what is not there yet.
    package private(set) var blobs: [Blob] = []
    private let content: [String: ArraySlice<UInt8>]

    /// Reads an archive.
    ///
    /// - Parameter name: the name of an image that does not say its own.
    package init(_ bytes: [UInt8], name: String? = nil) throws(Malformed) {
        let entries: [TarReader.Entry]
        do throws(TarReader.Malformed) {
            entries = try TarReader.entries(bytes)
        } catch {
            throw Malformed(description: error.description)
        }
        var content: [String: ArraySlice<UInt8>] = [:]
        var index: ArraySlice<UInt8>?
        for entry in entries {
            var path = entry.name[...]
            if path.hasPrefix("./") { path = path.dropFirst(2) }
            if path == "index.json" { index = bytes[entry.content] }
            if path.hasPrefix("blobs/sha256/") {
                content["sha256:" + path.dropFirst("blobs/sha256/".count)] = bytes[entry.content]
            }
        }
        self.content = content
        guard let index, let root = try? DynamicValue(json: Array(index)) else {
            throw Malformed(description: "the archive has no index.json")
        }
        for descriptor in root["manifests"]?.items.map({ $0 }) ?? [] {
            let annotations = descriptor["annotations"]
            let own =
                annotations?[ImageBuilder.nameAnnotation]?.string
                ?? annotations?["org.opencontainers.image.ref.name"]?.string
            let digest = descriptor["digest"]?.string ?? ""
            let type = descriptor["mediaType"]?.string ?? ImageBuilder.manifestType
            try self.add(digest, type, depth: 0)
            guard let chosen = name ?? own, !chosen.isEmpty else {
                throw Malformed(description: "the image has no name; give it one")
            }
            self.images.append(
                Image(
                    name: chosen,
                    mediaType: type,
                    digest: digest,
                    size: Int64(content[digest]?.count ?? 0)
                )
            )
        }
        if self.images.isEmpty { throw Malformed(description: "the archive has no image") }
    }

    private mutating func add(_ digest: String, _ type: String, depth: Int) throws(Malformed) {
        if self.blobs.contains(where: { $0.digest == digest }) { return }
        guard depth < Self.depthLimit, let bytes = self.content[digest] else {
            throw Malformed(description: "the archive lacks the blob \(digest)")
        }
        guard ImageBuilder.digest(Array(bytes)) == digest else {
            throw Malformed(description: "the blob \(digest) is damaged")
        }
        var labels: [String: String] = [:]
        let isIndex = type.contains("index") || type.contains("manifest.list")
        if isIndex || type.contains("manifest") {
            guard let value = try? DynamicValue(json: Array(bytes)) else {
                throw Malformed(description: "the manifest \(digest) is no JSON")
            }
            if let config = value["config"], let id = config["digest"]?.string {
                labels["containerd.io/gc.ref.content.config"] = id
                try self.add(
                    id,
                    config["mediaType"]?.string ?? ImageBuilder.configType,
                    depth: depth + 1
                )
            }
            for (index, layer) in (value["layers"]?.items.map { $0 } ?? []).enumerated() {
                let id = layer["digest"]?.string ?? ""
                labels["containerd.io/gc.ref.content.l.\(index)"] = id
                try self.add(id, layer["mediaType"]?.string ?? "", depth: depth + 1)
            }
            for (index, child) in (value["manifests"]?.items.map { $0 } ?? []).enumerated() {
                let id = child["digest"]?.string ?? ""
                labels["containerd.io/gc.ref.content.m.\(index)"] = id
                // Other platforms' parts may be left out of an archive.
                guard self.content[id] != nil else { continue }
                try self.add(id, child["mediaType"]?.string ?? "", depth: depth + 1)
            }
        }
        self.blobs.append(Blob(digest: digest, mediaType: type, bytes: bytes, labels: labels))
    }
}
