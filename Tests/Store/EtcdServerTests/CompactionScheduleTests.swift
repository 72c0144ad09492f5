// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import EtcdServer

@Suite("CompactionSchedule")
struct CompactionScheduleTests {
    /// Runs a schedule over some hours in which the revision grows by one a second.
    private func run(_ mode: CompactionSchedule.Mode, hours: Int64) -> [(Int64, Int64)] {
        var schedule = CompactionSchedule(mode)
        var compactions: [(time: Int64, revision: Int64)] = []
        var now: Int64 = 1_000
        while now <= 1_000 + hours * 3_600 {
            if let revision = schedule.tick(now: now, revision: now) {
                compactions.append((now - 1_000, revision - 1_000))
            }
            now += schedule.interval
        }
        return compactions
    }

    @Test("keeps an hour, and compacts once an hour")
    func hour() {
        let compactions = self.run(.periodic(seconds: 3_600), hours: 4)
        #expect(compactions.map(\.0) == [3_600, 7_200, 10_800, 14_400])
        #expect(compactions.map(\.1) == [0, 3_600, 7_200, 10_800])
    }

    @Test("keeps minutes, and compacts once in that time")
    func minutes() {
        let compactions = self.run(.periodic(seconds: 600), hours: 1)
        #expect(compactions.map(\.0) == [600, 1_200, 1_800, 2_400, 3_000, 3_600])
        #expect(compactions.map(\.1) == [0, 600, 1_200, 1_800, 2_400, 3_000])
    }

    @Test("keeps a day, and compacts once an hour")
    func day() {
        let compactions = self.run(.periodic(seconds: 86_400), hours: 26)
        #expect(compactions.map(\.0) == [86_400, 90_000, 93_600])
        #expect(compactions.map(\.1) == [0, 3_600, 7_200])
    }

    @Test("keeps a number of revisions")
    func revisions() {
        var schedule = CompactionSchedule(.revision(count: 1_000))
        #expect(schedule.interval == 300)
        #expect(schedule.tick(now: 0, revision: 900) == nil)
        #expect(schedule.tick(now: 300, revision: 1_500) == 500)
        #expect(schedule.tick(now: 600, revision: 1_500) == nil)
        schedule.failed()
        #expect(schedule.tick(now: 900, revision: 1_500) == 500)
    }

    @Test("asks for nothing while nothing is written")
    func quiet() {
        var schedule = CompactionSchedule(.periodic(seconds: 60))
        var asked = 0
        for now in stride(from: Int64(0), to: 3_600, by: 6) {
            if schedule.tick(now: now, revision: 77) != nil { asked += 1 }
        }
        #expect(asked == 1)
    }
}
