// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Synchronization

/// Wakes one task that waits. Calls while it does not wait are remembered, many as one.
final class Wakeup: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (self.stream, self.continuation) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingNewest(1)
        )
    }

    func wake() {
        self.continuation.yield()
    }

    /// Waits for a call of ``wake()``, for `duration` at most, or until the task is cancelled.
    func wait(for duration: Duration? = nil) async {
        guard let duration else {
            var iterator = self.stream.makeAsyncIterator()
            _ = await iterator.next()
            return
        }
        if duration <= .zero { return }
        let timer = Task { [continuation] in
            if (try? await Task.sleep(for: duration)) != nil { continuation.yield() }
        }
        var iterator = self.stream.makeAsyncIterator()
        _ = await iterator.next()
        timer.cancel()
    }
}
