// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
import KubernetesAPI
import NameRules
import Protobuf
import Scalars
import Testing
import WorkloadControllers

@Suite("CronJob")
struct CronTests {
    static func time(_ text: String) throws -> Timestamp {
        try Timestamp(parsing: text, as: .time)
    }

    @Test(
        "when a schedule is due next",
        arguments: [
            ("*/5 * * * *", "UTC", "2026-03-01T10:02:30Z", "2026-03-01T10:05:00Z"),
            ("*/5 * * * *", "UTC", "2026-03-01T10:05:00Z", "2026-03-01T10:10:00Z"),
            ("0 0 1 * *", "UTC", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            ("0 0 29 2 *", "UTC", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("30 9 * * 1-5", "UTC", "2026-11-27T09:30:00Z", "2026-11-30T09:30:00Z"),
            ("0 12 13 * 5", "UTC", "2026-11-13T12:00:00Z", "2026-11-20T12:00:00Z"),
            ("@hourly", "UTC", "2026-11-13T12:59:59Z", "2026-11-13T13:00:00Z"),
            ("0 9 * * *", "Asia/Tokyo", "2026-11-13T00:00:00Z", "2026-11-14T00:00:00Z"),
            ("0 9 * * *", "America/New_York", "2026-03-07T15:00:00Z", "2026-03-08T13:00:00Z"),
            // The clock skips this time on that day.
            ("30 2 * * *", "America/New_York", "2026-03-07T08:00:00Z", "2026-03-09T06:30:00Z"),
        ]
    )
    func next(_ text: String, _ zone: String, _ after: String, _ expected: String) throws {
        let schedule = try CronSchedule(parsing: text) { _ in true }
        let rules = try #require(TimeZoneRules(named: zone))
        let times = CronTimes(schedule, rules)
        #expect(times.next(after: try Self.time(after)) == (try Self.time(expected)))
    }

    @Test("an impossible day is never due, an unknown zone is none")
    func never() throws {
        let schedule = try CronSchedule(parsing: "0 0 31 2 *") { _ in true }
        #expect(CronTimes(schedule, .utc).next(after: Samples.now) == nil)
        #expect(TimeZoneRules(named: "Mars/Olympus") == nil)
        #expect(TimeZoneRules(named: "../etc/passwd") == nil)
        #expect(TimeZoneRules([]) == nil)
        #expect(TimeZoneRules(Array("TZif2".utf8) + [UInt8](repeating: 0xff, count: 60)) == nil)
    }

    private static func cron(_ policy: String = "Allow") throws -> BatchV1.CronJob {
        let created = MetaV1.Time(try Self.time("2026-01-01T00:00:00Z"))
        return BatchV1.CronJob.with {
            $0.metadata.name = "tick"
            $0.metadata.namespace = "default"
            $0.metadata.creationTimestamp = created
            $0.spec.schedule = "*/10 * * * *"
            $0.spec.concurrencyPolicy = policy
            $0.spec.successfulJobsHistoryLimit = 1
            $0.spec.failedJobsHistoryLimit = 1
            $0.spec.jobTemplate.spec = JobTests.job().spec
        }
    }

    private static func job(_ name: String, _ condition: String?, at start: Int64) -> BatchV1.Job {
        BatchV1.Job.with {
            $0.metadata.name = name
            $0.metadata.uid = "uid-\(name)"
            $0.status.startTime = MetaV1.Time(Timestamp(seconds: start))
            if let condition {
                $0.status.conditions.append(
                    BatchV1.JobCondition.with {
                        $0.type = condition
                        $0.status = "True"
                    }
                )
            }
        }
    }

    @Test("starts the latest time that is due, once")
    func starts() throws {
        var cron = try Self.cron()
        let now = try Self.time("2026-01-01T00:25:00Z")
        let plan = CronJobPlan(cron, jobs: [], now: now)
        #expect(plan.start == (try Self.time("2026-01-01T00:20:00Z")))
        #expect(plan.nextCheck == .seconds(300) + .milliseconds(100))
        cron.status.lastScheduleTime = plan.start.map { MetaV1.Time($0) }
        #expect(CronJobPlan(cron, jobs: [], now: now).start == nil)
        cron.spec.suspend = true
        #expect(
            CronJobPlan(cron, jobs: [], now: try Self.time("2026-01-02T00:00:00Z")).start == nil
        )
    }

    @Test(
        "what happens while a Job still runs",
        arguments: [("Allow", true, 0), ("Forbid", false, 0), ("Replace", true, 1)]
    )
    func concurrency(_ policy: String, _ starts: Bool, _ replaced: Int) throws {
        var cron = try Self.cron(policy)
        cron.status.active = [CoreV1.ObjectReference.with { $0.uid = "uid-old" }]
        let now = try Self.time("2026-01-01T00:10:01Z")
        let plan = CronJobPlan(cron, jobs: [Self.job("old", nil, at: 1)], now: now)
        #expect((plan.start != nil) == starts)
        #expect(plan.replaced.count == replaced)
    }

    @Test("a start that is too late is missed, and history is kept short")
    func lateAndHistory() throws {
        var cron = try Self.cron()
        cron.spec.startingDeadlineSeconds = 60
        let now = try Self.time("2026-01-01T00:15:00Z")
        let jobs = [
            Self.job("a", "Complete", at: 1), Self.job("b", "Complete", at: 2),
            Self.job("c", "Failed", at: 3), Self.job("d", "Failed", at: 4),
        ]
        let plan = CronJobPlan(cron, jobs: jobs, now: now)
        #expect(plan.start == nil)
        #expect(plan.expired.map(\.metadata.name) == ["a", "c"])
    }
}
