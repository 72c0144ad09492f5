// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Synchronization

/// Bytes on their way from one task to another; whoever writes waits while too many lie in between.
package final class BytePipe: Sendable {
    private struct State {
        var chunks: [[UInt8]] = []
        var byteCount = 0
        var isFinished = false
        var isClosed = false
        var reader: CheckedContinuation<[UInt8]?, Never>?
        var writer: CheckedContinuation<Void, Never>?
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: the bytes from which on a writer waits.
    package init(limit: Int = 256 << 10) {
        self.limit = limit
    }

    /// Adds bytes; returns when there is room for more, or nobody reads any longer.
    package func write(_ bytes: [UInt8]) async {
        if bytes.isEmpty { return }
        let reader = self.state.withLock { state -> CheckedContinuation<[UInt8]?, Never>? in
            if state.isFinished || state.isClosed { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.chunks.append(bytes)
            state.byteCount += bytes.count
            return nil
        }
        if let reader { return reader.resume(returning: bytes) }
        await withCheckedContinuation { continuation in
            let mustWait = self.state.withLock { state in
                guard state.byteCount >= self.limit, !state.isClosed else { return false }
                state.writer = continuation
                return true
            }
            if !mustWait { continuation.resume() }
        }
    }

    /// The next bytes; nil when no more come.
    package func read() async -> [UInt8]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enum Step {
                    case give([UInt8]?, CheckedContinuation<Void, Never>?)
                    case wait
                }
                let step = self.state.withLock { state -> Step in
                    if !state.chunks.isEmpty {
                        let chunk = state.chunks.removeFirst()
                        state.byteCount -= chunk.count
                        guard state.byteCount < self.limit else { return .give(chunk, nil) }
                        defer { state.writer = nil }
                        return .give(chunk, state.writer)
                    }
                    if state.isFinished || state.isClosed { return .give(nil, nil) }
                    state.reader = continuation
                    return .wait
                }
                if case .give(let chunk, let writer) = step {
                    writer?.resume()
                    continuation.resume(returning: chunk)
                }
            }
        } onCancel: {
            self.close()
        }
    }

    /// No more bytes come; what is there can still be read.
    package func finish() {
        let reader = self.state.withLock { state in
            state.isFinished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    /// Nobody reads or writes any longer.
    package func close() {
        let (reader, writer) = self.state.withLock { state in
            state.isClosed = true
            state.chunks = []
            state.byteCount = 0
            defer {
                state.reader = nil
                state.writer = nil
            }
            return (state.reader, state.writer)
        }
        reader?.resume(returning: nil)
        writer?.resume()
    }
}
