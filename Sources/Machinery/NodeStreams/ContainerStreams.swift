// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface

/// The streams of a command in a container, as a call of the kubelet has them: exec and attach are
/// alike from here on.
struct ContainerStreams: Sendable {
    let send: @Sendable (ApusNode.StreamInput) async throws -> Void
    let finish: @Sendable () -> Void
    let next: @Sendable () async throws -> ApusNode.StreamOutput?
    let cancel: @Sendable () -> Void

    /// Runs a command.
    static func exec(
        _ client: ApusNode.NodeClient,
        _ target: ApusNode.ContainerTarget,
        _ options: StreamOptions
    ) async throws(RPCError) -> ContainerStreams {
        let call = try await client.exec()
        try await call.write(
            ApusNode.ExecRequest.with {
                $0.request = .start(
                    ApusNode.ExecStart.with {
                        $0.target = target
                        for word in options.command { $0.command.append(word) }
                        $0.streams = options.message
                    }
                )
            }
        )
        return ContainerStreams(
            send: { input in
                try await call.write(ApusNode.ExecRequest.with { $0.request = .input(input) })
            },
            finish: { call.finishRequests() },
            next: { try await call.responses.next()?.output },
            cancel: { call.cancel() }
        )
    }

    /// Joins the container's own process.
    static func attach(
        _ client: ApusNode.NodeClient,
        _ target: ApusNode.ContainerTarget,
        _ options: StreamOptions
    ) async throws(RPCError) -> ContainerStreams {
        let call = try await client.attach()
        try await call.write(
            ApusNode.AttachRequest.with {
                $0.request = .start(
                    ApusNode.AttachStart.with {
                        $0.target = target
                        $0.streams = options.message
                    }
                )
            }
        )
        return ContainerStreams(
            send: { input in
                try await call.write(ApusNode.AttachRequest.with { $0.request = .input(input) })
            },
            finish: { call.finishRequests() },
            next: { try await call.responses.next()?.output },
            cancel: { call.cancel() }
        )
    }
}

extension ContainerStreams {
    /// Carries everything between the kubelet and a client until the command has ended or the
    /// client is gone.
    func bridge(to peer: some StreamPeer) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    while let input = try await peer.receive() { try await self.send(input) }
                    self.finish()
                } catch {
                    self.cancel()
                }
            }
            do {
                var isEnded = false
                while let output = try await self.next() {
                    switch output.output {
                    case .stdout(let bytes): try await peer.send(stdout: bytes)
                    case .stderr(let bytes): try await peer.send(stderr: bytes)
                    case .status(let status):
                        isEnded = true
                        try await peer.send(status: status)
                    case nil: continue
                    }
                }
                if !isEnded {
                    try await peer.send(status: MetaV1.Status.with { $0.status = "Success" })
                }
            } catch let error as RPCError {
                try? await peer.send(status: StatusError(node: error).status)
            } catch {
                self.cancel()
            }
            // The reader ends when the client has answered the goodbye, or after its time for that;
            // cancelling it would cut off what is still on its way to the client.
            await peer.close()
        }
    }
}
