// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import SPDYFraming
import Synchronization

/// A session that several tasks change, one after the other.
final class SPDYOutput: Sendable {
    private let session: Mutex<SPDYSession>

    init(_ session: sending SPDYSession) {
        self.session = Mutex(session)
    }

    func with<R: Sendable, E: Error>(
        _ body: (inout SPDYSession) throws(E) -> R
    ) throws(E) -> R {
        try self.session.withLock { (session) throws(E) -> R in try body(&session) }
    }
}

/// Sends what a session has to say, in its order, from whichever task comes first.
actor SPDYWriter {
    private let transport: any SPDYTransport
    private let session: SPDYOutput
    private var isWriting = false
    private var blocked: [CheckedContinuation<Void, Never>] = []

    /// The bytes that may wait for the transport before those who add more wait too.
    private static let limit = 256 << 10

    init(_ transport: any SPDYTransport, _ session: SPDYOutput) {
        self.transport = transport
        self.session = session
    }

    /// Returns when there is room for more.
    func flush() async throws {
        if self.isWriting {
            guard self.session.with({ $0.outputBytes }) > Self.limit else { return }
            return await withCheckedContinuation { self.blocked.append($0) }
        }
        self.isWriting = true
        defer {
            self.isWriting = false
            self.unblock()
        }
        while true {
            let bytes = self.session.with { $0.takeOutput() }
            if bytes.isEmpty { return }
            self.unblock()
            try await self.transport.write(bytes)
        }
    }

    private func unblock() {
        for continuation in self.blocked { continuation.resume() }
        self.blocked = []
    }
}
