// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import SPDY
import Synchronization

extension PortForward {
    /// Carries the connections of a SPDY connection: each is a pair of streams with the same request.
    func run(_ session: SPDYConnection) async {
        await self.run { open in
            let pairs = StreamPairs()
            try? await session.run { stream in
                guard let pair = pairs.add(stream) else { return }
                let port = UInt32(pair.data.header("port") ?? "")
                open(port.flatMap { (1...65_535).contains($0) ? $0 : nil }, pair)
            }
        }
    }
}

/// Two streams of a client that make a connection.
private struct StreamPair: PortForward.Connection {
    var data: SPDYStream
    var error: SPDYStream

    func read() async -> [UInt8]? { await self.data.read() }
    func write(_ bytes: [UInt8]) async throws { try await self.data.write(bytes) }

    func end(_ error: String) async {
        if !error.isEmpty { try? await self.error.write(Array(error.utf8)) }
        try? await self.error.finish()
        try? await self.data.finish()
        if !error.isEmpty { try? await self.data.reset() }
    }
}

/// Streams whose pair has not come yet, by request.
private final class StreamPairs: Sendable {
    private struct State {
        var errors: [String: SPDYStream] = [:]
        var data: [String: SPDYStream] = [:]
    }

    private let state = Mutex(State())

    /// Takes a stream; its pair when that is whole.
    func add(_ stream: SPDYStream) -> StreamPair? {
        let request = stream.header("requestID") ?? ""
        return self.state.withLock { state in
            switch stream.header("streamType") {
            case "error": state.errors[request] = stream
            case "data": state.data[request] = stream
            default: return nil
            }
            guard let error = state.errors[request], let data = state.data[request] else {
                return nil
            }
            state.errors[request] = nil
            state.data[request] = nil
            return StreamPair(data: data, error: error)
        }
    }
}
