// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Foundation
import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import NodeAPI
import Protobuf
import RPC
import RPCInterface
import Testing

/// Our client against a real container runtime, Debian's `containerd`, over its unix socket.
@Suite(
    "Interop: containerd",
    .enabled(if: Program.succeeds("containerd", ["--version"]) && geteuid() == 0),
    .timeLimit(.minutes(10)),
    .serialized
)
struct ContainerdTests {
    @Test("Version, Status, ListImages and an image that is not there")
    func runtime() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let socket = "\(directory.path)/containerd.sock"
        let configuration = """
            version = 2
            root = "\(directory.path)/root"
            state = "\(directory.path)/state"
            [grpc]
            address = "\(socket)"
            [ttrpc]
            address = "\(socket).ttrpc"
            [debug]
            address = ""
            """
        let file = "\(directory.path)/config.toml"
        try configuration.write(toFile: file, atomically: true, encoding: .utf8)
        let containerd = try Program("containerd", ["--config", file, "--log-level", "fatal"])
        defer { containerd.stop() }

        let client = RPCClient(
            to: .unix(path: socket),
            options: EtcdTests.patient,
            group: MultiThreadedEventLoopGroup.singleton
        )
        defer { client.close(gracefully: false) }
        let runtime = CRI.RuntimeClient(channel: client)
        let images = CRI.ImageClient(channel: client)
        // The CRI services come some time after the socket.
        var version: CRI.VersionResponse?
        for _ in 0..<100 where version == nil {
            version = try? await runtime.version(.with { $0.version = "v1" })
            if version == nil { try await Task.sleep(for: .milliseconds(200)) }
        }
        #expect(version?.runtimeName == "containerd")
        #expect(version?.runtimeApiVersion == "v1")
        let status = try await runtime.status(CRI.StatusRequest())
        let types = status.status?.conditions.map(\.type) ?? []
        #expect(types.contains("RuntimeReady"))
        #expect(types.contains("NetworkReady"))
        let list = try await images.listImages(CRI.ListImagesRequest())
        #expect(list.images.isEmpty)
        let missing = try await images.imageStatus(
            .with { request in request.image = .with { $0.image = "example.test/none:1" } }
        )
        #expect(missing.image == nil)
        let code = await statusCode {
            _ = try await runtime.podSandboxStatus(.with { $0.podSandboxId = "none" })
        }
        #expect(code == .notFound)
    }
}
