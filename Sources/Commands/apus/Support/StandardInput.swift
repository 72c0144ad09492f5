// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
internal import NIOPosix

/// Standard input in chunks, read when they are asked for. Cancelling the reading task ends the
/// wait, also for a terminal at which nobody types.
struct StandardInput: AsyncSequence, Sendable {
    typealias Element = [UInt8]

    /// Why reading failed, in the system's words.
    struct ReadError: Error, CustomStringConvertible {
        let description: String

        /// The error that the system just gave.
        static var last: ReadError { ReadError(description: String(cString: strerror(errno))) }
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        mutating func next() async throws -> [UInt8]? {
            let wake = try Wake()
            return try await withTaskCancellationHandler {
                try await NIOThreadPool.singleton.runIfActive { try wake.read(STDIN_FILENO) }
            } onCancel: {
                wake.cancel()
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }

    /// A pipe whose end of data ends a wait for input.
    private final class Wake: Sendable {
        private let output: Int32
        private let input: Int32

        init() throws(ReadError) {
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw ReadError.last }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            self.output = ends[0]
            self.input = ends[1]
        }

        deinit {
            close(self.output)
            close(self.input)
        }

        func cancel() {
            var byte: UInt8 = 0
            _ = write(self.input, &byte, 1)
        }

        /// Waits for input or for ``cancel()``, on the calling thread; nil at the end of the input.
        func read(_ descriptor: Int32) throws -> [UInt8]? {
            var waits = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: self.output, events: Int16(POLLIN), revents: 0),
            ]
            while true {
                guard poll(&waits, 2, -1) >= 0 else {
                    if errno == EINTR { continue }
                    throw ReadError.last
                }
                if waits[1].revents != 0 { throw CancellationError() }
                var chunk = [UInt8](repeating: 0, count: 64 << 10)
                let count = Glibc.read(descriptor, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw ReadError.last }
                return count == 0 ? nil : Array(chunk[..<count])
            }
        }
    }
}
