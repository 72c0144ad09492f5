// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
package import KubernetesAPI
import NameRules
import Protobuf
package import Scalars

/// What a CronJob does now. Pure.
///
/// Source: upstream `pkg/controller/cronjob/cronjob_controllerv2.go`, `utils.go`.
package struct CronJobPlan {
    package struct Event: Equatable {
        package var isWarning: Bool
        package var reason: String
        package var message: String
    }

    /// The time for which a Job is made; nil for none.
    package var start: Timestamp?
    /// Jobs that make room for the new one.
    package var replaced: [BatchV1.Job] = []
    /// Finished Jobs beyond the history that is wanted.
    package var expired: [BatchV1.Job] = []
    package var status: BatchV1.CronJobStatus
    package var events: [Event] = []
    package var nextCheck: Duration?

    package static let scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp"
    /// More missed times than this are told of.
    private static let manyMissed = 100
    /// Missed times that are looked at; further ones change nothing.
    private static let maximumMissed = 100_000

    private let cron: BatchV1.CronJob
    private let now: Timestamp

    package init(_ cron: BatchV1.CronJob, jobs: [BatchV1.Job], now: Timestamp) {
        self.cron = cron
        self.now = now
        self.status = cron.status
        self.review(jobs)
        self.expire(jobs)
        guard cron.metadata.deletionTimestamp == nil, cron.spec.suspend != true else { return }
        guard let times = self.times() else { return }
        self.schedule(times, jobs)
    }

    package static func name(_ cron: BatchV1.CronJob, at time: Timestamp) -> String {
        "\(cron.metadata.name)-\(time.seconds / 60)"
    }

    private mutating func tell(_ reason: String, _ message: String, isWarning: Bool = false) {
        self.events.append(Event(isWarning: isWarning, reason: reason, message: message))
    }

    private mutating func times() -> CronTimes? {
        let zoneName = self.cron.spec.timeZone
        guard let zone = zoneName.map(TimeZoneRules.init(named:)) ?? .utc else {
            self.tell(
                "UnknownTimeZone",
                "invalid timeZone: \"\(zoneName ?? "")\": unknown time zone \(zoneName ?? "")",
                isWarning: true
            )
            return nil
        }
        do {
            let schedule = try CronSchedule(parsing: self.cron.spec.schedule) { name in
                TimeZoneRules(named: name) != nil
            }
            if case .fields(let fields) = schedule, let own = fields.timeZone,
                let ownZone = TimeZoneRules(named: own)
            {
                return CronTimes(schedule, ownZone)
            }
            return CronTimes(schedule, zone)
        } catch {
            self.tell(
                "UnparseableSchedule",
                "unparseable schedule: \"\(self.cron.spec.schedule)\" : \(error)",
                isWarning: true
            )
            return nil
        }
    }

    // MARK: Jobs

    /// Brings the list of active Jobs up to date.
    private mutating func review(_ jobs: [BatchV1.Job]) {
        let byUID = Dictionary(jobs.map { ($0.metadata.uid, $0) }) { first, _ in first }
        for reference in self.cron.status.active where byUID[reference.uid] == nil {
            self.tell("MissingJob", "Active job went missing: \(reference.name)")
            self.status.active.removeAll { $0.uid == reference.uid }
        }
        for job in jobs.sorted(by: Self.isOlder) {
            let isActive = self.status.active.contains { $0.uid == job.metadata.uid }
            if !job.isFinished, !isActive {
                guard job.metadata.deletionTimestamp == nil else { continue }
                self.tell(
                    "UnexpectedJob",
                    "Saw a job that the controller did not create or forgot: \(job.metadata.name)",
                    isWarning: true
                )
            } else if job.isFinished, isActive {
                let isFailed = job.hasCondition("Failed")
                self.status.active.removeAll { $0.uid == job.metadata.uid }
                self.tell(
                    "SawCompletedJob",
                    "Saw completed job: \(job.metadata.name), condition:"
                        + " \(isFailed ? "Failed" : "Complete")"
                )
            }
            if job.hasCondition("Complete"), let end = job.status.completionTime?.timestamp,
                end > self.status.lastSuccessfulTime?.timestamp ?? .zero
            {
                self.status.lastSuccessfulTime = job.status.completionTime
            }
        }
    }

    private static func isOlder(_ left: BatchV1.Job, _ right: BatchV1.Job) -> Bool {
        let starts = (
            left.status.startTime?.seconds ?? left.metadata.creationTimestamp.seconds ?? 0,
            right.status.startTime?.seconds ?? right.metadata.creationTimestamp.seconds ?? 0
        )
        return starts.0 == starts.1
            ? left.metadata.name < right.metadata.name : starts.0 < starts.1
    }

    private mutating func expire(_ jobs: [BatchV1.Job]) {
        let finished = jobs.filter { $0.isFinished && $0.metadata.deletionTimestamp == nil }
            .sorted(by: Self.isOlder)
        for (condition, limit) in [
            ("Complete", self.cron.spec.successfulJobsHistoryLimit),
            ("Failed", self.cron.spec.failedJobsHistoryLimit),
        ] {
            guard let limit else { continue }
            let kind = finished.filter { $0.hasCondition(condition) }
            self.expired += kind.prefix(max(kind.count - Int(limit), 0))
        }
    }

    // MARK: Times

    private mutating func schedule(_ times: CronTimes, _ jobs: [BatchV1.Job]) {
        var earliest =
            self.cron.status.lastScheduleTime?.timestamp
            ?? self.cron.metadata.creationTimestamp.timestamp ?? self.now
        if let seconds = self.cron.spec.startingDeadlineSeconds {
            earliest = max(earliest, self.now.advanced(by: .seconds(-seconds)))
        }
        var due: Timestamp?
        var missed = 0
        var time = earliest
        while missed < Self.maximumMissed, let next = times.next(after: time), next <= self.now {
            due = next
            time = next
            missed += 1
        }
        if let next = times.next(after: max(time, self.now)) {
            self.nextCheck = next.since(self.now) + .milliseconds(100)
        }
        guard let due else { return }
        if missed > Self.manyMissed {
            self.tell(
                "TooManyMissedTimes",
                "too many missed start times: \(missed). Set or decrease"
                    + " .spec.startingDeadlineSeconds or check clock skew",
                isWarning: true
            )
        }
        self.begin(due, jobs)
    }

    private mutating func begin(_ due: Timestamp, _ jobs: [BatchV1.Job]) {
        if let seconds = self.cron.spec.startingDeadlineSeconds,
            due.advanced(by: .seconds(seconds)) < self.now
        {
            self.tell(
                "MissSchedule",
                "Missed scheduled time to start a job: \(due.text(as: .time))",
                isWarning: true
            )
            return
        }
        let name = Self.name(self.cron, at: due)
        if self.status.active.contains(where: { $0.name == name })
            || jobs.contains(where: { $0.metadata.name == name })
            || self.cron.status.lastScheduleTime?.timestamp == due
        {
            return
        }
        if !self.status.active.isEmpty {
            switch self.cron.spec.concurrencyPolicy {
            case "Forbid":
                self.tell(
                    "JobAlreadyActive",
                    "Not starting job because prior execution is running and concurrency policy"
                        + " is Forbid"
                )
                return
            case "Replace":
                let active = Set(self.status.active.map(\.uid))
                self.replaced = jobs.filter { active.contains($0.metadata.uid) }
                self.status.active.removeAll()
            default: break
            }
        }
        self.start = due
    }

    /// The Job of a time.
    package static func job(_ cron: BatchV1.CronJob, at time: Timestamp) -> BatchV1.Job {
        let template = cron.spec.jobTemplate
        return BatchV1.Job.with {
            $0.metadata.name = self.name(cron, at: time)
            $0.metadata.namespace = cron.metadata.namespace
            $0.metadata.labels = template.metadata.labels
            $0.metadata.annotations = template.metadata.annotations
            $0.metadata.annotations[self.scheduledAnnotation] = time.text(as: .time)
            $0.metadata.creationTimestamp = MetaV1.Time(time)
            $0.metadata.ownerReferences = [.controller(cron)]
            $0.spec = template.spec
        }
    }
}
