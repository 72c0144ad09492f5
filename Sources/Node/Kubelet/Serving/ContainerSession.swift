// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import JSON
import KubernetesAPI
import Protobuf
import RPCInterface
import SPDYFraming
import Synchronization

/// The streams of a command in a container, or of a container's own process, between an RPC call
/// and the runtime.
struct ContainerSession: Sendable {
    /// What the caller sends.
    enum Input: Sendable {
        case stdin([UInt8])
        case stdinEnd
        case resize(width: UInt32, height: UInt32)
    }

    private static let protocolName = "v4.channel.k8s.io"

    let url: String
    let streams: ApusNode.Streams

    /// Runs until the process is over.
    ///
    /// - Parameters:
    ///   - input: what the caller sends, nil at its end; not called after the end.
    ///   - output: takes what comes back, the status last.
    func run(
        input: @escaping @Sendable () async throws -> Input?,
        output: @escaping @Sendable (ApusNode.StreamOutput) async throws -> Void
    ) async throws {
        let roles = Mutex<[UInt32: String]>([:])
        let status = Mutex<[UInt8]>([])
        let open = Mutex(Set<UInt32>())
        do {
            try await StreamConnection.run(self.url, protocolName: Self.protocolName) {
                connection in
                var stdin: UInt32?
                var resize: UInt32?
                for role in self.roles {
                    let stream = try await connection.open([.init("streamtype", role)])
                    roles.withLock { $0[stream] = role }
                    if role != "stdin", role != "resize" { open.withLock { _ = $0.insert(stream) } }
                    if role == "stdin" { stdin = stream }
                    if role == "resize" { resize = stream }
                }
                if let resize, let size = self.streams.size {
                    try await connection.send(Self.resize(size.width, size.height), on: resize)
                }
                while let next = try await input() {
                    switch next {
                    case .stdin(let bytes):
                        if let stdin { try await connection.send(bytes, on: stdin) }
                    case .stdinEnd:
                        if let stdin { try await connection.send([], on: stdin, isEnd: true) }
                    case .resize(let width, let height):
                        if let resize {
                            try await connection.send(Self.resize(width, height), on: resize)
                        }
                    }
                }
            } onEvent: { event in
                switch event {
                case .data(let stream, let bytes, let isEnd):
                    let role = roles.withLock { $0[stream] } ?? ""
                    if !bytes.isEmpty {
                        switch role {
                        case "stdout":
                            try await output(.with { $0.output = .stdout(Bytes(bytes)) })
                        case "stderr":
                            try await output(.with { $0.output = .stderr(Bytes(bytes)) })
                        case "error":
                            status.withLock { $0 += bytes }
                        default: break
                        }
                    }
                    guard isEnd else { return true }
                    return open.withLock { streams in
                        streams.remove(stream)
                        return !streams.isEmpty || roles.withLock { $0.isEmpty }
                    }
                case .reset(let stream, _):
                    return open.withLock { streams in
                        streams.remove(stream)
                        return !streams.isEmpty
                    }
                case .opened, .replied, .goAway:
                    return true
                }
            }
        } catch {
            // A runtime that has told the end may drop the connection at once.
            let isOver = open.withLock { $0.isEmpty } && !roles.withLock { $0.isEmpty }
            guard isOver || !status.withLock({ $0.isEmpty }) else { throw error }
        }
        let result = Self.status(status.withLock { $0 })
        try await output(.with { $0.output = .status(result) })
    }

    /// Names of the streams, in the order upstream opens them.
    private var roles: [String] {
        var roles = ["error"]
        if self.streams.stdin { roles.append("stdin") }
        if self.streams.stdout { roles.append("stdout") }
        if self.streams.stderr, !self.streams.tty { roles.append("stderr") }
        if self.streams.tty { roles.append("resize") }
        return roles
    }

    private static func resize(_ width: UInt32, _ height: UInt32) -> [UInt8] {
        Array("{\"Width\":\(width),\"Height\":\(height)}\n".utf8)
    }

    /// The status that the runtime sends at the end: nothing for success in old protocols.
    private static func status(_ bytes: [UInt8]) -> MetaV1.Status {
        if bytes.isEmpty { return MetaV1.Status.with { $0.status = "Success" } }
        let text = String(decoding: bytes, as: UTF8.self)
        if let status = try? MetaV1.Status(json: text) { return status }
        return MetaV1.Status.with {
            $0.status = "Failure"
            $0.message = text
            $0.reason = "InternalError"
            $0.code = 500
        }
    }
}
