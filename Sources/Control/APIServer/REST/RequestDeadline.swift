// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ObjectModel
import RequestInfo
import Scalars
import Synchronization
import WatchCache

/// The time that a request may take.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/filters/request_deadline.go`.
struct RequestDeadline: Sendable {
    let limit: Duration

    /// - Parameters:
    ///   - query: whose `timeout` may ask for less than the server allows.
    ///   - maximum: what the server allows.
    init(_ query: QueryParameters, maximum: Duration) throws(StatusError) {
        guard let text = query.first("timeout"), !text.isEmpty else {
            self.limit = maximum
            return
        }
        let wanted: GoDuration
        do throws(GoDurationError) {
            wanted = try GoDuration(parsing: text)
        } catch {
            throw .badRequest("invalid timeout specified in the request URL - \(error)")
        }
        let duration = Duration.nanoseconds(wanted.nanoseconds)
        self.limit = duration > .zero && duration < maximum ? duration : maximum
    }

    /// Runs a request, which is cancelled when its time is over.
    func run(
        _ timers: DeadlineQueue,
        _ body: @Sendable () async throws(StatusError) -> Void
    ) async throws(StatusError) {
        let outcome: Result<Void, StatusError> = await withUnsafeCurrentTask { task in
            let canceller = Canceller(task)
            let timer = timers.add(.now + self.limit) { canceller.fire() }
            defer {
                timers.remove(timer)
                canceller.end()
            }
            do throws(StatusError) {
                try await body()
                return .success(())
            } catch {
                return .failure(canceller.hasFired ? Self.timedOut : error)
            }
        }
        try outcome.get()
    }

    private static let timedOut = StatusError.timeout(
        "request did not complete within the allotted timeout"
    )
}

/// Cancels the task of a request, as long as the request runs.
///
// SAFETY: `@unchecked Sendable` because the task is touched under the lock only. It is alive then:
// `end` takes it away before the scope ends in which the reference is valid, and cancelling a task
// from another one is allowed.
private final class Canceller: @unchecked Sendable {
    private let lock = Mutex<Void>(())
    private var task: UnsafeCurrentTask?
    private var isOver = false

    init(_ task: UnsafeCurrentTask?) {
        self.task = task
    }

    var hasFired: Bool { self.lock.withLock { _ in self.isOver } }

    func fire() {
        self.lock.withLock { _ in
            self.isOver = true
            self.task?.cancel()
        }
    }

    func end() {
        self.lock.withLock { _ in self.task = nil }
    }
}
