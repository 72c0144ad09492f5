// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Crypto
import Glibc
import JSON
package import NodeHost

/// Makes an image of one layer, as an archive in OCI's layout.
///
/// Source: OCI image-spec 1.1, `image-layout.md`, `manifest.md`, `config.md`.
package struct ImageBuilder: Sendable {
    package static let manifestType = "application/vnd.oci.image.manifest.v1+json"
    package static let indexType = "application/vnd.oci.image.index.v1+json"
    package static let configType = "application/vnd.oci.image.config.v1+json"
    package static let layerType = "application/vnd.oci.image.layer.v1.tar"
    /// The annotation by which containerd names an image of a layout.
    package static let nameAnnotation = "io.containerd.image.name"

    /// How containers of the image run unless they say otherwise.
    package struct Options: Sendable {
        package var name: String
        package var entrypoint: [String] = []
        package var command: [String] = []
        package var environment: [String] = []
        package var workingDirectory = ""
        package var user = ""
        package var exposedPorts: [String] = []
        package var labels: [String: String] = [:]
        package var architecture = HostInfo.architecture

        package init(name: String) {
            self.name = name
        }
    }

    package let options: Options

    package init(_ options: Options) {
        self.options = options
    }

    /// The archive of the image whose root is a folder of this machine. Blocks.
    package func build(folder: String) throws(HostError) -> [UInt8] {
        guard HostFiles.isDirectory(folder) else {
            throw HostError(code: ENOTDIR, operation: "open", path: folder)
        }
        var layer = TarWriter()
        try Self.add(folder, below: "", to: &layer)
        return self.archive(layer: layer.finished())
    }

    /// The archive of an image with this layer.
    package func archive(layer: [UInt8]) -> [UInt8] {
        let layerDigest = Self.digest(layer)
        let config = self.config(layerDigest)
        let manifest = DynamicValue.object([
            ("schemaVersion", 2),
            ("mediaType", DynamicValue(Self.manifestType)),
            ("config", Self.descriptor(Self.configType, config)),
            ("layers", [Self.descriptor(Self.layerType, layer)]),
        ]).json()
        var entry = Self.descriptor(Self.manifestType, manifest)
        entry["annotations"] = .object([
            (Self.nameAnnotation, DynamicValue(self.options.name)),
            ("org.opencontainers.image.ref.name", DynamicValue(self.tag)),
        ])
        entry["platform"] = .object([
            ("architecture", DynamicValue(self.options.architecture)), ("os", "linux"),
        ])
        let index = DynamicValue.object([
            ("schemaVersion", 2), ("mediaType", DynamicValue(Self.indexType)),
            ("manifests", [entry]),
        ]).json()
        var archive = TarWriter()
        archive.add(
            "oci-layout",
            kind: .file,
            mode: 0o644,
            content: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)
        )
        archive.add("index.json", kind: .file, mode: 0o644, content: index)
        archive.add("blobs", kind: .directory, mode: 0o755)
        archive.add("blobs/sha256", kind: .directory, mode: 0o755)
        for blob in [manifest, config, layer] {
            let name = Self.digest(blob).dropFirst("sha256:".count)
            archive.add("blobs/sha256/\(name)", kind: .file, mode: 0o644, content: blob)
        }
        return archive.finished()
    }

    private var tag: String {
        let last = self.options.name.split(separator: "/").last ?? ""
        return last.split(separator: ":").dropFirst().last.map(String.init) ?? "latest"
    }

    private func config(_ layerDigest: String) -> [UInt8] {
        let options = self.options
        var run = DynamicValue.emptyObject
        let list = { (texts: [String]) in DynamicValue(texts.map { DynamicValue($0) }) }
        if !options.user.isEmpty { run["User"] = DynamicValue(options.user) }
        if !options.exposedPorts.isEmpty {
            run["ExposedPorts"] = .object(
                options.exposedPorts.sorted().map { ($0, .emptyObject) }
            )
        }
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        let hasPath = options.environment.contains { $0.hasPrefix("PATH=") }
        run["Env"] = list((hasPath ? [] : [path]) + options.environment)
        if !options.entrypoint.isEmpty { run["Entrypoint"] = list(options.entrypoint) }
        if !options.command.isEmpty { run["Cmd"] = list(options.command) }
        if !options.workingDirectory.isEmpty {
            run["WorkingDir"] = DynamicValue(options.workingDirectory)
        }
        if !options.labels.isEmpty {
            run["Labels"] = .object(
                options.labels.sorted { $0.key < $1.key }.map { ($0.key, DynamicValue($0.value)) }
            )
        }
        return DynamicValue.object([
            ("created", "1970-01-01T00:00:00Z"),
            ("architecture", DynamicValue(options.architecture)),
            ("os", "linux"),
            ("config", run),
            (
                "rootfs",
                .object([("type", "layers"), ("diff_ids", [DynamicValue(layerDigest)])])
            ),
        ]).json()
    }

    private static func descriptor(_ type: String, _ bytes: [UInt8]) -> DynamicValue {
        .object([
            ("mediaType", DynamicValue(type)),
            ("digest", DynamicValue(Self.digest(bytes))),
            ("size", DynamicValue(bytes.count)),
        ])
    }

    /// `sha256:` and the hash in hexadecimal.
    package static func digest(_ bytes: [UInt8]) -> String {
        "sha256:"
            + SHA256.hash(data: bytes).map { byte in
                let text = String(byte, radix: 16)
                return text.utf8.count == 1 ? "0" + text : text
            }.joined()
    }

    /// Adds what is in a folder. Devices and sockets are left out.
    private static func add(
        _ folder: String,
        below prefix: String,
        to layer: inout TarWriter
    ) throws(HostError) {
        for name in HostFiles.list(folder) {
            let path = "\(folder)/\(name)"
            let inside = prefix + name
            guard let status = HostFiles.status(path, follows: false) else { continue }
            let mode = status.st_mode & 0o7777
            let (owner, group) = (status.st_uid, status.st_gid)
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                layer.add(inside, kind: .directory, mode: mode, owner: owner, group: group)
                try Self.add(path, below: inside + "/", to: &layer)
            case S_IFREG:
                layer.add(
                    inside,
                    kind: .file,
                    mode: mode,
                    owner: owner,
                    group: group,
                    content: try HostFiles.read(path, limit: 1 << 32)
                )
            case S_IFLNK:
                layer.add(
                    inside,
                    kind: .symbolicLink,
                    mode: 0o777,
                    owner: owner,
                    group: group,
                    target: HostFiles.linkTarget(path) ?? ""
                )
            default: continue
            }
        }
    }
}

extension ImageBuilder {
    /// The name of our pause image.
    package static let pauseName = "apus.local/pause:1"

    /// The archive of the image that every pod's first process is made from; nil on a processor
    /// that it does not know.
    package static func pause(architecture: String = HostInfo.architecture) -> [UInt8]? {
        guard let text = PauseProgram.base64[architecture] else { return nil }
        let encoded = Array(text.utf8)
        guard let program = try? encoded.withUnsafeBytes({ try Base64.decode($0) }) else {
            return nil
        }
        var layer = TarWriter()
        layer.add("pause", kind: .file, mode: 0o755, content: Array(program))
        var options = Options(name: Self.pauseName)
        options.entrypoint = ["/pause"]
        options.user = "65535:65535"
        options.architecture = architecture
        return ImageBuilder(options).archive(layer: layer.finished())
    }
}

extension DynamicValue {
    /// An object with these members, in order.
    static func object(_ members: [(String, DynamicValue)]) -> DynamicValue {
        var value = DynamicValue.emptyObject
        for (key, member) in members { value[key] = member }
        return value
    }
}
