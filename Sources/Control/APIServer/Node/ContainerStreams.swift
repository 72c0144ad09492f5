// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface
import RequestInfo

/// The streams of a command in a container, as the kubelet has them: exec and attach are alike from
/// here on.
struct ContainerStreams: Sendable {
    let send: @Sendable (ApusNode.StreamInput) async throws -> Void
    let finish: @Sendable () -> Void
    let next: @Sendable () async throws -> ApusNode.StreamOutput?
    let cancel: @Sendable () -> Void

    /// Runs a command.
    static func exec(
        _ client: ApusNode.NodeClient,
        _ target: PodTarget,
        _ options: StreamOptions
    ) async throws(RPCError) -> ContainerStreams {
        let call = try await client.exec()
        try await call.write(
            ApusNode.ExecRequest.with {
                $0.request = .start(
                    ApusNode.ExecStart.with {
                        $0.target = target.message
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
        _ target: PodTarget,
        _ options: StreamOptions
    ) async throws(RPCError) -> ContainerStreams {
        let call = try await client.attach()
        try await call.write(
            ApusNode.AttachRequest.with {
                $0.request = .start(
                    ApusNode.AttachStart.with {
                        $0.target = target.message
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

/// What a client wants of exec or attach, from its query.
struct StreamOptions: Sendable {
    var command: [String]
    var container: String
    var stdin: Bool
    var stdout: Bool
    var stderr: Bool
    var tty: Bool

    init(_ query: QueryParameters) throws(StatusError) {
        self.command = query.all("command")
        self.container = query.string("container")
        self.stdin = query.bool("stdin") ?? false
        self.stdout = query.bool("stdout") ?? false
        self.tty = query.bool("tty") ?? false
        // A terminal has one output.
        self.stderr = (query.bool("stderr") ?? false) && !self.tty
        guard self.stdin || self.stdout || self.stderr else {
            throw .badRequest("you must specify at least 1 of stdin, stdout, stderr")
        }
    }

    var message: ApusNode.Streams {
        ApusNode.Streams.with {
            $0.stdin = self.stdin
            $0.stdout = self.stdout
            $0.stderr = self.stderr
            $0.tty = self.tty
        }
    }
}

/// What carries a command's streams to a client.
protocol StreamPeer: Sendable {
    /// What the client sends next; nil when it is gone.
    func receive() async throws -> ApusNode.StreamInput?
    func send(stdout bytes: Bytes) async throws
    func send(stderr bytes: Bytes) async throws
    /// How the command ended.
    func send(status: MetaV1.Status) async throws
    func close() async
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
