// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import JSON
import KubernetesAPI
import Protobuf
import SPDY
import Synchronization

/// A command's streams on a SPDY connection: one for each, told apart by the header `streamType`.
final class SPDYPeer: StreamPeer {
    private let wanted: Int
    private let hasStatus: Bool
    private let streams = Mutex<[String: SPDYStream]>([:])
    private let inputs: AsyncStream<ApusNode.StreamInput>
    private let input: AsyncStream<ApusNode.StreamInput>.Continuation
    private let isComplete: AsyncStream<Void>
    private let complete: AsyncStream<Void>.Continuation

    /// How long a client may take to open its streams.
    static let creationTimeout: Duration = .seconds(30)

    init(_ options: StreamOptions, version: String) {
        self.wanted =
            1 + (options.stdin ? 1 : 0) + (options.stdout ? 1 : 0) + (options.stderr ? 1 : 0)
            + (options.tty && version != "v2.channel.k8s.io" && version != "channel.k8s.io" ? 1 : 0)
        self.hasStatus = version == "v4.channel.k8s.io" || version == "v5.channel.k8s.io"
        (self.inputs, self.input) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        (self.isComplete, self.complete) = AsyncStream.makeStream()
    }

    /// Takes a stream that the client has opened.
    func add(_ stream: SPDYStream) {
        guard let type = stream.header("streamType") else { return }
        let count = self.streams.withLock { streams in
            streams[type] = stream
            return streams.count
        }
        if count == self.wanted { self.complete.finish() }
    }

    /// The connection is over.
    func end() {
        self.complete.finish()
        self.input.finish()
    }

    /// Waits until the client has opened what it asked for.
    func waitForStreams() async -> Bool {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { for await _ in self.isComplete {} }
            tasks.addTask { try? await Task.sleep(for: Self.creationTimeout) }
            await tasks.next()
            tasks.cancelAll()
        }
        return self.streams.withLock { $0.count >= self.wanted }
    }

    private func stream(_ type: String) -> SPDYStream? { self.streams.withLock { $0[type] } }

    /// Reads what the client sends until its streams end. Input is taken one piece at a time.
    func receive() async throws -> ApusNode.StreamInput? {
        guard let stdin = self.stream("stdin") else {
            for await input in self.inputs { return input }
            return nil
        }
        if let bytes = await stdin.read() {
            return ApusNode.StreamInput.with { $0.input = .stdin(Bytes(bytes)) }
        }
        let isFirst = self.streams.withLock { $0.removeValue(forKey: "stdin") != nil }
        return isFirst ? ApusNode.StreamInput.with { $0.input = .stdinClosed(true) } : nil
    }

    /// Reads the sizes of the terminal, beside the input.
    func readSizes(_ send: @Sendable (ApusNode.StreamInput) async throws -> Void) async {
        guard let resize = self.stream("resize") else { return }
        while let bytes = await resize.read() {
            // Sizes come one to a piece, or several without anything in between.
            for part in bytes.split(separator: UInt8(ascii: "}")) {
                let json = Bytes(part + [UInt8(ascii: "}")])
                guard let size = TerminalSize.parse(json) else { continue }
                try? await send(ApusNode.StreamInput.with { $0.input = .resize(size) })
            }
        }
    }

    func send(stdout bytes: Bytes) async throws {
        try await self.stream("stdout")?.write([UInt8](bytes))
    }

    func send(stderr bytes: Bytes) async throws {
        try await self.stream("stderr")?.write([UInt8](bytes))
    }

    func send(status: MetaV1.Status) async throws {
        guard let stream = self.stream("error") else { return }
        if self.hasStatus {
            try await stream.write((try? status.json()) ?? [])
        } else if status.status != "Success" {
            try await stream.write(Array(status.message.utf8))
        }
    }

    func close() async {
        self.input.finish()
        let streams = self.streams.withLock { Array($0.values) }
        for stream in streams { try? await stream.finish() }
    }
}
