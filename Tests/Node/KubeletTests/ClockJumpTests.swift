// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import PKI
import PodLifecycle
import Protobuf
import Testing

@testable import Kubelet

/// The time of day is set forward or back while a node runs: nothing waits for ever, nothing happens
/// over and over.
@Suite("The clock jumps")
struct ClockJumpTests {
    private static let second: Int64 = 1_000_000_000
    /// Some time of day.
    private static let noon: Int64 = 1_800_000_000 * second
    private static let hour: Int64 = 3600 * second
    private static let year: Int64 = 8760 * hour

    @Test(
        "a container that crashed waits for its pause at the most, and not at all when time flew",
        arguments: [
            (0, Duration.seconds(10)), (4 * second, .seconds(6)), (hour, nil), (year, nil),
            (-second, .seconds(10)), (-hour, .seconds(10)), (-year, .seconds(10)),
        ] as [(Int64, Duration?)]
    )
    func crashes(jump: Int64, left: Duration?) {
        var backoff = Backoff.crashLoop
        backoff.next("a", event: Self.noon, now: Self.noon)
        let found = backoff.remaining(of: "a", since: Self.noon, now: Self.noon + jump)
        #expect(found == left)
    }

    @Test("pauses go on growing after a jump back", arguments: [second, hour, year])
    func growth(jump: Int64) {
        var backoff = Backoff.crashLoop
        backoff.next("a", event: Self.noon, now: Self.noon)
        let earlier = Self.noon - jump
        for pause in [20, 40, 80, 160, 300, 300] {
            backoff.next("a", event: earlier, now: earlier)
            #expect(backoff.pause(of: "a") == .seconds(pause))
            #expect(backoff.remaining(of: "a", since: earlier, now: earlier) == .seconds(pause))
        }
    }

    @Test(
        "a probe's first delay is never longer than it is",
        arguments: [
            (0, 30), (10 * second, 20), (30 * second, 0), (hour, 0), (year, 0), (-second, 30),
            (-hour, 30), (-year, 30),
        ] as [(Int64, Int)]
    )
    func probes(jump: Int64, left: Int) {
        let found = ProbeManager.delay(
            .seconds(30),
            startedAt: Self.noon,
            now: Self.noon + jump
        )
        #expect(found == .seconds(left))
    }

    @Test(
        "tokens, trust bundles and deadlines are looked at anew before long",
        arguments: [
            (0, 300), (-hour, 300), (-year, 300), (Self.hour - 10 * second, 10), (hour, 0),
            (year, 0),
        ] as [(Int64, Int)]
    )
    func pauses(jump: Int64, pause: Int) {
        let due = (Self.noon + Self.hour) / Self.second
        #expect(WallClock.pause(untilSecond: due, now: Self.noon + jump) == .seconds(pause))
        #expect(WallClock.pause(untilSecond: .max, now: .min) == WallClock.longestPause)
        #expect(WallClock.pause(untilSecond: .min, now: .max) == .zero)
    }

    @Test(
        "a certificate is replaced when its end is near, and not because its time has not come",
        arguments: [
            (-30 * 24, nil), (-1, nil), (0, nil), (12, nil), (23, .due), (25, .missing),
            (24 * 365, .missing),
        ] as [(Int64, CertificateRotation.Reason?)]
    )
    func certificates(hours: Int64, reason: CertificateRotation.Reason?) throws {
        let begin = CertificateTime(secondsSinceEpoch: 1_800_000_000)
        var template = CertificateTemplate.node("n")
        template.validity = .seconds(86_400)
        let authority = try CertificateAuthority.root(
            .authority("test"),
            key: PrivateKey(),
            at: begin
        )
        let certificate = try authority.issueKeyPair(template, at: begin).certificate
        let found = CertificateRotation.reason(
            current: certificate,
            template: template,
            jitter: 1,
            at: begin.advanced(by: .seconds(hours * 3600))
        )
        #expect(found == reason)
    }

    @Test("what begins and ends in the kubelet goes by a clock that never goes back")
    func steady() {
        var last = SteadyClock.now
        for _ in 0..<1000 {
            let now = SteadyClock.now
            #expect(now >= last)
            last = now
        }
        var ages = ImageAges()
        let image = ImageAges.Image(id: "a", bytes: 1)
        // Soon after the machine's start.
        ages.note([image], now: Self.second)
        #expect(ages.removable([image], now: Self.second, minimumAge: .seconds(120)).isEmpty)
        let later = ages.removable([image], now: 122 * Self.second, minimumAge: .seconds(120))
        #expect(later == [image])
    }
}
