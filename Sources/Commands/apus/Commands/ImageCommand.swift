// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import HTTP2Transport
internal import Images
internal import NIOPosix
internal import NodeHost
internal import RPC

extension Command {
    /// `apus image`: images without a registry.
    static let image = Command(
        "image",
        summary: "Build, import, export and list images without a registry",
        subcommands: [.imageBuild, .imageExport, .imageImport, .imageList, .imagePause]
    )

    private static let imageBuild = Command(
        "build",
        summary: "Make an image from a folder",
        usage: "DIR --name NAME --output FILE [flags]",
        discussion: """
            Makes an image of one layer, whose root is the folder DIR, as an archive in OCI's
            layout. The same folder gives the same bytes.
            """,
        flags: [
            ImageFlags.name, ImageFlags.output, ImageFlags.entrypoint, ImageFlags.command,
            ImageFlags.environment, ImageFlags.workingDirectory, ImageFlags.user,
            ImageFlags.ports,
        ]
    ) { invocation in
        let folder = try invocation.singleArgument("DIR")
        var options = ImageBuilder.Options(name: invocation.flags[ImageFlags.name])
        guard !options.name.isEmpty else { throw UsageError("--name is missing") }
        let output = invocation.flags[ImageFlags.output]
        guard !output.isEmpty else { throw UsageError("--output is missing") }
        options.entrypoint = invocation.flags[ImageFlags.entrypoint]
        options.command = invocation.flags[ImageFlags.command]
        options.environment = invocation.flags[ImageFlags.environment]
        options.workingDirectory = invocation.flags[ImageFlags.workingDirectory]
        options.user = invocation.flags[ImageFlags.user]
        options.exposedPorts = invocation.flags[ImageFlags.ports]
        let archive = try ImageBuilder(options).build(folder: folder)
        try HostFiles.write(archive, to: output)
        return .success
    }

    private static let imagePause = Command(
        "pause",
        summary: "Write the image of pods' first process",
        usage: "FILE",
        discussion: "Writes the archive of the image \(ImageBuilder.pauseName) to FILE."
    ) { invocation in
        let path = try invocation.singleArgument("FILE")
        guard let archive = ImageBuilder.pause() else {
            throw UsageError("there is no pause program for this processor")
        }
        try HostFiles.write(archive, to: path)
        return .success
    }

    private static let imageImport = Command(
        "import",
        summary: "Take up the images of archives",
        usage: "FILE... [flags]",
        flags: [ImageFlags.runtime, ImageFlags.name]
    ) { invocation in
        guard !invocation.arguments.isEmpty else { throw UsageError("FILE is missing") }
        let name = invocation.flags[ImageFlags.name]
        let store = try ImageFlags.store(invocation.flags)
        for path in invocation.arguments {
            let bytes = try HostFiles.read(path, limit: 1 << 33)
            let archive = try ImageArchive(bytes, name: name.isEmpty ? nil : name)
            for name in try await store.import(archive) { invocation.output.line(name) }
        }
        return .success
    }

    private static let imageExport = Command(
        "export",
        summary: "Write the archive of an image",
        usage: "NAME FILE [flags]",
        flags: [ImageFlags.runtime]
    ) { invocation in
        guard invocation.arguments.count == 2 else { throw UsageError("expected NAME and FILE") }
        let archive = try await ImageFlags.store(invocation.flags).export(invocation.arguments[0])
        try HostFiles.write(archive, to: invocation.arguments[1])
        return .success
    }

    private static let imageList = Command(
        "list",
        summary: "List the images of the container runtime",
        flags: [ImageFlags.runtime]
    ) { invocation in
        try invocation.expectNoArguments()
        for image in try await ImageFlags.store(invocation.flags).list() {
            invocation.output.line("\(image.name)\t\(image.digest)")
        }
        return .success
    }
}

/// Flags of the commands for images.
enum ImageFlags {
    static let name = Flag("name", default: "", help: "the image's `name` with its tag")
    static let output = Flag("output", shorthand: "o", default: "", help: "the archive's `path`")
    static let entrypoint = Flag(
        "entrypoint",
        default: [String](),
        help: "the program that containers run, and its first arguments"
    )
    static let command = Flag(
        "cmd",
        default: [String](),
        help: "arguments that a container's own replace"
    )
    static let environment = Flag(
        "env",
        default: [String](),
        help: "variables of the environment, as NAME=VALUE"
    )
    static let workingDirectory = Flag(
        "workdir",
        default: "",
        help: "the `path` that the program starts in"
    )
    static let user = Flag("user", default: "", help: "the `user` that the program runs as")
    static let ports = Flag(
        "expose",
        default: [String](),
        help: "ports that the program listens on, as 80/tcp"
    )
    static let runtime = Flag(
        "container-runtime-endpoint",
        default: "unix:///run/containerd/containerd.sock",
        help: "The `endpoint` of containerd."
    )

    static func store(_ flags: ParsedFlags) throws -> ImageStore {
        let endpoint = flags[Self.runtime]
        let path = endpoint.hasPrefix("unix://") ? String(endpoint.dropFirst(7)) : endpoint
        guard path.hasPrefix("/") else {
            throw UsageError("--container-runtime-endpoint: '\(endpoint)' is no unix socket")
        }
        return ImageStore(
            channel: RPCClient(
                to: .unix(path: path),
                group: MultiThreadedEventLoopGroup.singleton
            )
        )
    }
}
