// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import NodeAPI
import Protobuf
package import RPCInterface
import WellKnownTypes

/// The images of a containerd, through its own API: CRI cannot import.
package struct ImageStore: Sendable {
    /// A name and what is known of it.
    package struct Listed: Sendable {
        package var name: String
        package var digest: String
        package var size: Int64
    }

    /// CRI's namespace in containerd.
    private static let namespace = "k8s.io"
    /// The most of a blob in one message.
    private static let chunkBytes = 1 << 20

    private let content: ContainerdContent.ContentClient
    private let images: ContainerdImages.ImagesClient
    private let leases: ContainerdLeases.LeasesClient

    package init(channel: any RPCChannel) {
        self.content = ContainerdContent.ContentClient(channel: channel)
        self.images = ContainerdImages.ImagesClient(channel: channel)
        self.leases = ContainerdLeases.LeasesClient(channel: channel)
    }

    private func options(lease: String? = nil) -> CallOptions {
        var metadata = Metadata()
        metadata.add("containerd-namespace", Self.namespace)
        if let lease { metadata.add("containerd-lease", lease) }
        return CallOptions(metadata: metadata, maxResponseMessageBytes: 16 << 20)
    }

    // MARK: - Import

    /// Takes up every image of an archive; a name that is there leads to the new image then.
    ///
    /// - Returns: the names.
    package func `import`(_ archive: ImageArchive) async throws(RPCError) -> [String] {
        // Nothing leads to the blobs before the image's name does; a lease keeps them.
        var generator = SystemRandomNumberGenerator()
        let lease = "apus-\(String(generator.next() as UInt64, radix: 16))"
        let request = ContainerdLeases.CreateRequest.with { $0.id = lease }
        _ = try await self.leases.create(request, options: self.options())
        let result: Result<Void, RPCError>
        do throws(RPCError) {
            for blob in archive.blobs { try await self.write(blob, lease: lease) }
            for image in archive.images { try await self.name(image, lease: lease) }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        let end = ContainerdLeases.DeleteRequest.with { $0.id = lease }
        _ = try? await self.leases.delete(end, options: self.options())
        try result.get()
        return archive.images.map(\.name)
    }

    private func write(_ blob: ImageArchive.Blob, lease: String) async throws(RPCError) {
        let call = try await self.content.write(options: self.options(lease: lease))
        let responses = call.responses
        do throws(RPCError) {
            var offset = 0
            repeat {
                let end = min(offset + Self.chunkBytes, blob.bytes.count)
                let start = blob.bytes.startIndex
                let isLast = end == blob.bytes.count
                try await call.write(
                    ContainerdContent.WriteContentRequest.with {
                        $0.action = isLast ? .commit : .write
                        $0.ref = "apus-import-\(blob.digest)"
                        $0.total = Int64(blob.bytes.count)
                        $0.expected = blob.digest
                        $0.offset = Int64(offset)
                        $0.data = Bytes(blob.bytes[(start + offset)..<(start + end)])
                        if isLast { $0.labels = MapField(blob.labels) }
                    }
                )
                _ = try await responses.next()
                offset = end
            } while offset < blob.bytes.count
            call.finishRequests()
            while try await responses.next() != nil {}
        } catch {
            // Content is named by its hash: what is there is the same.
            guard error.code == .alreadyExists else { throw error }
        }
    }

    private func name(_ image: ImageArchive.Image, lease: String) async throws(RPCError) {
        let described = ContainerdImages.Image.with {
            $0.name = image.name
            $0.target = ContainerdTypes.Descriptor.with {
                $0.mediaType = image.mediaType
                $0.digest = image.digest
                $0.size = image.size
            }
        }
        do throws(RPCError) {
            let request = ContainerdImages.CreateImageRequest.with { $0.image = described }
            _ = try await self.images.create(request, options: self.options(lease: lease))
        } catch {
            guard error.code == .alreadyExists else { throw error }
            let request = ContainerdImages.UpdateImageRequest.with {
                $0.image = described
                $0.updateMask = GoogleProtobuf.FieldMask.with { $0.paths = ["target"] }
            }
            _ = try await self.images.update(request, options: self.options(lease: lease))
        }
    }

    // MARK: - List and export

    /// Names and digests, without the hashes that CRI names images by as well.
    package func list() async throws(RPCError) -> [Listed] {
        let answer = try await self.images.list(
            ContainerdImages.ListImagesRequest(),
            options: self.options()
        )
        return answer.images.filter {
            !$0.name.hasPrefix("sha256:") && !$0.name.contains("@sha256:")
        }
        .map {
            Listed(
                name: $0.name,
                digest: $0.target?.digest ?? "",
                size: $0.target?.size ?? 0
            )
        }
        .sorted { $0.name < $1.name }
    }

    /// The archive of an image.
    package func export(_ name: String) async throws -> [UInt8] {
        let request = ContainerdImages.GetImageRequest.with { $0.name = name }
        guard let target = try await self.images.get(request, options: self.options()).image?.target
        else { throw RPCError(code: .notFound, message: "image \"\(name)\": not found") }
        var archive = TarWriter()
        let layout = Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)
        archive.add("oci-layout", kind: .file, mode: 0o644, content: layout)
        let index = DynamicValue.object([
            ("schemaVersion", 2), ("mediaType", DynamicValue(ImageBuilder.indexType)),
            (
                "manifests",
                [
                    .object([
                        ("mediaType", DynamicValue(target.mediaType)),
                        ("digest", DynamicValue(target.digest)),
                        ("size", DynamicValue(target.size)),
                        (
                            "annotations",
                            .object([(ImageBuilder.nameAnnotation, DynamicValue(name))])
                        ),
                    ])
                ]
            ),
        ])
        archive.add("index.json", kind: .file, mode: 0o644, content: index.json())
        var seen: Set<String> = []
        try await self.add(target.digest, to: &archive, &seen, isRoot: true)
        return archive.finished()
    }

    private func add(
        _ digest: String,
        to archive: inout TarWriter,
        _ seen: inout Set<String>,
        isRoot: Bool
    ) async throws {
        guard digest.hasPrefix("sha256:"), seen.insert(digest).inserted else { return }
        let bytes: [UInt8]
        do throws(RPCError) {
            bytes = try await self.read(digest)
        } catch {
            // Parts for other platforms are often not there.
            if !isRoot, error.code == .notFound { return }
            throw error
        }
        archive.add("blobs/sha256/\(digest.dropFirst(7))", kind: .file, mode: 0o644, content: bytes)
        guard bytes.first == UInt8(ascii: "{"), let value = try? DynamicValue(json: bytes) else {
            return
        }
        var parts = (value["layers"]?.items.map { $0 } ?? [])
        parts += value["manifests"]?.items.map { $0 } ?? []
        if let config = value["config"], config["digest"] != nil { parts.append(config) }
        for part in parts {
            try await self.add(part["digest"]?.string ?? "", to: &archive, &seen, isRoot: false)
        }
    }

    private func read(_ digest: String) async throws(RPCError) -> [UInt8] {
        let request = ContainerdContent.ReadContentRequest.with { $0.digest = digest }
        let stream = try await self.content.read(request, options: self.options())
        var bytes: [UInt8] = []
        for try await part in stream { bytes += part.data }
        return bytes
    }
}
