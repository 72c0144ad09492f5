// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP2Transport
import Images
import NIOPosix
import NodeHost
import RPC

/// Brings the images of a cluster into its container runtime: the one of pods' first process, and
/// every archive in the folder `images`.
public struct ImageLoader: Sendable {
    private let layout: ClusterLayout

    public init(_ layout: ClusterLayout) {
        self.layout = layout
    }

    /// Waits for the runtime, then imports.
    ///
    /// - Returns: the names of the images.
    public func run(timeout: Duration) async throws -> [String] {
        let deadline = ContinuousClock.now + timeout
        while !ReadinessProbe.accepts(socket: self.layout.containerdSocket) {
            guard ContinuousClock.now < deadline else {
                throw ClusterLauncher.Failure.timedOut(
                    waitingFor: ["containerd"],
                    log: self.layout.logs
                )
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        let client = RPCClient(
            to: .unix(path: self.layout.containerdSocket),
            group: MultiThreadedEventLoopGroup.singleton
        )
        defer { client.close(gracefully: false) }
        let store = ImageStore(channel: client)
        let present = Set(try await store.list().map(\.name))
        var names: [String] = []
        if !present.contains(ImageBuilder.pauseName), let pause = ImageBuilder.pause() {
            names += try await store.import(ImageArchive(pause, name: nil))
        }
        for path in Self.archives(in: self.layout.images) {
            guard let bytes = try ClusterFile.read(path) else { continue }
            names += try await store.import(ImageArchive(bytes, name: nil))
        }
        return names
    }

    /// The archives of a folder, in order.
    private static func archives(in folder: String) -> [String] {
        HostFiles.list(folder).filter { $0.hasSuffix(".tar") }.map { "\(folder)/\($0)" }
    }
}
