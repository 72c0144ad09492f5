// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import Scalars
import Synchronization
import Testing

@Suite("SimulatedClock")
struct SimulatedClockTests {
    @Test("runs what falls due in the order of deadlines and moves both clocks")
    func runsInOrder() {
        let clock = SimulatedClock(now: Timestamp(seconds: 100))
        let log = Shared<[String]>([])
        for (name, seconds) in [("c", 3), ("a", 1), ("b", 2), ("late", 9)] {
            _ = clock.schedule(at: .seconds(seconds)) { log.withLock { $0.append(name) } }
        }
        clock.advance(by: .milliseconds(3500))
        #expect(log.withLock { $0 } == ["a", "b", "c"])
        #expect(clock.now == Timestamp(seconds: 103, nanoseconds: 500_000_000))
        #expect(clock.uptime == .milliseconds(3500))
        #expect(clock.nextDeadline == .seconds(9))
    }

    @Test("a cancelled action does not run")
    func cancels() {
        let clock = SimulatedClock()
        let count = Shared(0)
        let timer = clock.schedule(at: .seconds(1)) { count.withLock { $0 += 1 } }
        timer.cancel()
        clock.advance(by: .seconds(2))
        #expect(count.withLock { $0 } == 0)
    }

    @Test(
        "timestamps and durations",
        arguments: [
            (5, 0, Duration.milliseconds(1500), 6, 500_000_000),
            (5, 0, .milliseconds(-1500), 3, 500_000_000),
            (5, 900_000_000, .milliseconds(200), 6, 100_000_000),
        ] as [(Int64, Int32, Duration, Int64, Int32)]
    )
    func arithmetic(
        _ seconds: Int64,
        _ nanos: Int32,
        _ step: Duration,
        _ expectedSeconds: Int64,
        _ expectedNanos: Int32
    ) {
        let start = Timestamp(seconds: seconds, nanoseconds: nanos)
        let end = start.advanced(by: step)
        #expect(end == Timestamp(seconds: expectedSeconds, nanoseconds: expectedNanos))
        #expect(end.since(start) == step)
    }

    @Test("the system's clocks agree with a sleep and end with its task")
    func system() async {
        let clock = SystemClock()
        let before = clock.uptime
        #expect(await clock.sleep(for: .milliseconds(5)))
        #expect(clock.uptime - before >= .milliseconds(5))
        let task = Task { await clock.sleep(for: .seconds(600)) }
        task.cancel()
        #expect(await !task.value)
    }
}

/// A value that several tasks use.
private final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
    func withLock<R: Sendable>(_ body: @Sendable (inout Value) -> R) -> R {
        self.value.withLock { body(&$0) }
    }
}
