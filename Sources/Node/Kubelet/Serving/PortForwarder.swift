// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import Glibc
import JSON
import NIOCore
import NIOPosix
import NodeAPI
import NodeHost
import PodLifecycle
import Protobuf
import RPCInterface
import Synchronization

/// Carries connections to ports of a pod: connects from inside the pod's network namespace.
final class PortForwarder: Sendable {
    /// Connections at once.
    private static let limit = 256

    private let client: RuntimeClient
    private let sandbox: SandboxRecord
    private let responses: RPCWriter<ApusNode.PortForwardResponse>
    private let inputs = Mutex<[UInt32: AsyncStream<[UInt8]>.Continuation]>([:])

    init(
        client: RuntimeClient,
        sandbox: SandboxRecord,
        responses: RPCWriter<ApusNode.PortForwardResponse>
    ) {
        self.client = client
        self.sandbox = sandbox
        self.responses = responses
    }

    /// Runs until the caller sends no more.
    func run(_ requests: RPCRequestStream<ApusNode.PortForwardRequest>) async throws {
        let namespace = try await self.networkNamespace()
        try await withThrowingTaskGroup(of: Void.self) { group in
            while let request = try await requests.next() {
                switch request.request {
                case .open(let open):
                    let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
                    let count = self.inputs.withLock { inputs in
                        inputs[open.connection] = continuation
                        return inputs.count
                    }
                    guard count <= Self.limit else {
                        try await self.end(open.connection, "too many connections")
                        continue
                    }
                    group.addTask {
                        await self.serve(open.connection, Int(open.port), namespace, stream)
                    }
                case .data(let data):
                    let input = self.inputs.withLock { $0[data.connection] }
                    input?.yield(Array(data.data))
                case .close(let close):
                    self.inputs.withLock { $0[close.connection] }?.finish()
                case .start, nil:
                    throw RPCError(code: .invalidArgument, message: "the pod is named already")
                }
            }
            for input in self.inputs.withLock({ Array($0.values) }) { input.finish() }
        }
    }

    private func end(_ connection: UInt32, _ error: String) async throws(RPCError) {
        self.inputs.withLock { $0[connection] = nil }
        try await self.responses.write(
            ApusNode.PortForwardResponse.with {
                $0.response = .close(
                    .with {
                        $0.connection = connection
                        $0.error = error
                    }
                )
            }
        )
    }

    private func serve(
        _ connection: UInt32,
        _ port: Int,
        _ namespace: String?,
        _ input: AsyncStream<[UInt8]>
    ) async {
        var problem = ""
        do {
            let descriptor = try await HostThreads.run { () throws(HostError) in
                try NetworkNamespace.connect(port: UInt16(clamping: port), in: namespace)
            }
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .withConnectedSocket(descriptor) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true)
                        )
                    }
                }
            try await channel.executeThenClose { inbound, outbound in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for await bytes in input {
                            try await outbound.write(ByteBuffer(bytes: bytes))
                        }
                        outbound.finish()
                    }
                    for try await bytes in inbound {
                        try await self.responses.write(
                            ApusNode.PortForwardResponse.with {
                                $0.response = .data(
                                    .with {
                                        $0.connection = connection
                                        $0.data = Bytes(bytes.readableBytesView)
                                    }
                                )
                            }
                        )
                    }
                    group.cancelAll()
                }
            }
        } catch is CancellationError {
            problem = ""
        } catch {
            problem =
                "an error occurred forwarding \(port) -> \(port): error forwarding port \(port) to "
                + "pod \(self.sandbox.id): \(error)"
        }
        try? await self.end(connection, problem)
    }

    /// The path of the pod's network namespace; nil for the node's.
    private func networkNamespace() async throws -> String? {
        if self.sandbox.usesHostNetwork { return nil }
        let answer = try await self.client.sandboxStatus(self.sandbox.id, verbose: true)
        guard let text = answer.info["info"],
            let info = try? DynamicValue(json: Array(text.utf8)),
            let namespaces = info["runtimeSpec"]?["linux"]?["namespaces"]?.items,
            let own = namespaces.first(where: { $0["type"]?.string == "network" }),
            let path = own["path"]?.string, !path.isEmpty
        else {
            throw RPCError(
                code: .failedPrecondition,
                message: "the runtime does not tell the pod's network namespace"
            )
        }
        return path
    }
}
