// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ObjectModel
import Synchronization
import WatchCache

/// Holds requests until the server knows who may do what: an answer from empty caches would be
/// `Unauthorized` or `forbidden` for those who may.
///
/// Source: the purpose of upstream's post-start hook `rbac/bootstrap-roles`, which clients there
/// have to wait for by themselves.
final class StartGate: Sendable {
    private let isOpened = Atomic<Bool>(false)
    private let state = Mutex(State())
    private let timers: DeadlineQueue
    private let limit: Duration

    private struct State {
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextID: UInt64 = 0
    }

    /// How long a request is held at most.
    static let patience: Duration = .seconds(10)

    init(_ timers: DeadlineQueue, limit: Duration = StartGate.patience) {
        self.timers = timers
        self.limit = limit
    }

    var isOpen: Bool { self.isOpened.load(ordering: .acquiring) }

    /// Lets everybody through from now on.
    func open() {
        let waiters = self.state.withLock { state in
            self.isOpened.store(true, ordering: .releasing)
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until the gate is open; refuses when that takes too long.
    func pass() async throws(StatusError) {
        if self.isOpen { return }
        await self.wait()
        guard self.isOpen else {
            throw .serviceUnavailable("the server is starting and cannot say yet who may do what")
        }
    }

    private func wait() async {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let timer = self.timers.add(.now + self.limit) { self.giveUp(id) }
        defer { self.timers.remove(timer) }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isHeld = self.state.withLock { state in
                    guard !self.isOpen else { return false }
                    state.waiters[id] = continuation
                    return true
                }
                if !isHeld { continuation.resume() }
                if Task.isCancelled { self.giveUp(id) }
            }
        } onCancel: {
            self.giveUp(id)
        }
    }

    private func giveUp(_ id: UInt64) {
        self.state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
    }
}
