// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import EventRecording
import KubernetesAPI
import MemoryCluster
import Protobuf
import RPC
import ResourceClient
import Scalars
import Testing

@Suite("EventCorrelator")
struct EventCorrelatorTests {
    private static let start = Timestamp(seconds: 1000)

    private static func event(
        _ message: String,
        name: String = "e",
        object: String = "pod"
    ) -> CoreV1.Event {
        CoreV1.Event.with {
            $0.metadata.name = name
            $0.involvedObject.kind = "Pod"
            $0.involvedObject.name = object
            $0.reason = "R"
            $0.message = message
            $0.type = "Normal"
            $0.firstTimestamp = MetaV1.Time(Self.start)
            $0.lastTimestamp = MetaV1.Time(Self.start)
            $0.count = 1
        }
    }

    @Test("counts what repeats")
    func counts() {
        var correlator = EventCorrelator()
        guard case .create = correlator.correlate(Self.event("m", name: "1"), now: Self.start)
        else {
            Issue.record("the first is not created")
            return
        }
        guard
            case .update(let again) = correlator.correlate(
                Self.event("m", name: "2"),
                now: Self.start
            )
        else {
            Issue.record("the second is not counted")
            return
        }
        #expect(again.metadata.name == "1")
        #expect(again.count == 2)
        guard case .create = correlator.correlate(Self.event("other"), now: Self.start) else {
            Issue.record("another message is not created")
            return
        }
    }

    @Test("makes one of ten similar ones")
    func aggregates() {
        var correlator = EventCorrelator()
        for index in 1..<10 {
            guard case .create = correlator.correlate(Self.event("m\(index)"), now: Self.start)
            else {
                Issue.record("event \(index) is not created")
                return
            }
        }
        guard case .create(let first) = correlator.correlate(Self.event("m10"), now: Self.start)
        else {
            Issue.record("the combined event is not created")
            return
        }
        #expect(first.message == "(combined from similar events): m10")
        guard case .update(let next) = correlator.correlate(Self.event("m11"), now: Self.start)
        else {
            Issue.record("the combined event is not counted")
            return
        }
        #expect(next.count == 2)
        // After ten quiet minutes they are told one by one again.
        let later = Self.start.advanced(by: .seconds(601))
        guard case .create(let fresh) = correlator.correlate(Self.event("m12"), now: later) else {
            Issue.record("a late event is not created")
            return
        }
        #expect(fresh.message == "m12")
    }

    @Test("drops what an object says beyond 25 at once, and lets one through in five minutes")
    func limits() {
        var correlator = EventCorrelator()
        var passed = 0
        for _ in 0..<40 where correlator.correlate(Self.event("m"), now: Self.start) != .drop {
            passed += 1
        }
        #expect(passed == 25)
        #expect(correlator.correlate(Self.event("m", object: "b"), now: Self.start) != .drop)
        let later = Self.start.advanced(by: .seconds(300))
        #expect(correlator.correlate(Self.event("m"), now: later) != .drop)
        #expect(correlator.correlate(Self.event("m"), now: later) == .drop)
    }

    @Test("lets a hundred events go at once, then fifty in a second")
    func rate() {
        var rate = EventRate(now: .seconds(5))
        for _ in 0..<100 { #expect(rate.wait(now: .seconds(5)) == .zero) }
        #expect(rate.wait(now: .seconds(5)) == .milliseconds(20))
        #expect(rate.wait(now: .seconds(5)) == .milliseconds(40))
        // What two events owe is worked off in 40 ms.
        #expect(rate.wait(now: .milliseconds(5060)) == .zero)
        for _ in 0..<100 { #expect(rate.wait(now: .seconds(60)) == .zero) }
        #expect(rate.wait(now: .seconds(60)) > .zero)
    }

    @Test("sends what is beyond the rate as time goes on")
    func sendsLater() async throws {
        let cluster = MemoryCluster()
        let channel = InProcessChannel(services: [cluster])
        let clock = SimulatedClock(now: Self.start)
        let recorder = EventRecorder(component: "test", channel: channel, clock: clock)
        for number in 0..<120 {
            let pod = CoreV1.Pod.with {
                $0.metadata.name = "p-\(number)"
                $0.metadata.namespace = "ns"
                $0.metadata.uid = "u-\(number)"
            }
            recorder.record(.normal, "Started", "it runs", about: pod)
        }
        let running = Task { await recorder.run() }
        func created() -> Int { cluster.requests["create events"] ?? 0 }
        // Generous: other tests may keep the machine busy.
        let deadline = ContinuousClock.now + .seconds(120)
        while created() < 100, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(created() == 100)
        while created() < 120, ContinuousClock.now < deadline {
            clock.advance(by: .milliseconds(20))
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(created() == 120)
        running.cancel()
        await running.value
    }

    @Test("stores events at the API server")
    func records() async throws {
        let channel = InProcessChannel(services: [MemoryCluster()])
        let recorder = EventRecorder(component: "test-controller", channel: channel)
        let pod = CoreV1.Pod.with {
            $0.metadata.name = "p"
            $0.metadata.namespace = "ns"
            $0.metadata.uid = "u"
        }
        recorder.record(.warning, "Failed", "it broke", about: pod)
        recorder.record(.warning, "Failed", "it broke", about: pod)
        let running = Task { await recorder.run() }
        let events = Client<CoreV1.Event>(channel)
        var found: [CoreV1.Event] = []
        // Generous: other tests may keep the machine busy.
        let deadline = ContinuousClock.now + .seconds(120)
        while found.first?.count != 2, ContinuousClock.now < deadline {
            found = try await events.list(in: "ns").items
            try await Task.sleep(for: .milliseconds(5))
        }
        running.cancel()
        await running.value
        #expect(found.count == 1)
        #expect(found.first?.involvedObject.kind == "Pod")
        #expect(found.first?.involvedObject.apiVersion == "v1")
        #expect(found.first?.source.component == "test-controller")
        #expect(found.first?.reason == "Failed")
        #expect(found.first?.type == "Warning")
    }
}
