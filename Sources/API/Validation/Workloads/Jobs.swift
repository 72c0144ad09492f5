// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import NameRules
import Protobuf

extension FieldErrors {
    mutating func validateJob(_ spec: BatchV1.JobSpec) {
        self.nonnegative("parallelism", spec.parallelism)
        self.nonnegative("completions", spec.completions)
        self.nonnegative("activeDeadlineSeconds", spec.activeDeadlineSeconds)
        self.nonnegative("backoffLimit", spec.backoffLimit)
        self.nonnegative("ttlSecondsAfterFinished", spec.ttlSecondsAfterFinished)
        self.nonnegative("backoffLimitPerIndex", spec.backoffLimitPerIndex)
        self.nonnegative("maxFailedIndexes", spec.maxFailedIndexes)
        self.ifPresent("managedBy", spec.managedBy) { errors, name in
            errors.add(Formats.domainPrefixedPath(errors.path, name))
            if name.utf8.count > APILimits.jobManagedByMaxLength {
                errors.tooLong(limit: APILimits.jobManagedByMaxLength)
            }
        }
        self.validateCompletionMode(spec)
        self.ifPresent("podFailurePolicy", spec.podFailurePolicy) {
            $0.validateFailurePolicy($1, spec)
        }
        self.ifPresent("successPolicy", spec.successPolicy) { errors, policy in
            if spec.completionMode != "Indexed" {
                errors.invalid(.message(policy), "requires indexed completion mode")
                return
            }
            if policy.rules.isEmpty {
                errors.required(
                    at: "rules",
                    "at least one rules must be specified when the successPolicy is specified"
                )
            }
            if policy.rules.count > APILimits.jobSuccessPolicyRulesMax {
                errors.tooMany(
                    at: "rules",
                    count: policy.rules.count,
                    limit: APILimits.jobSuccessPolicyRulesMax
                )
            }
            errors.forEach("rules", in: policy.rules) { errors, rule in
                if rule.succeededCount == nil && rule.succeededIndexes == nil {
                    errors.required(
                        "at least one of succeededCount or succeededIndexes must be specified"
                    )
                }
                errors.nonnegative("succeededCount", rule.succeededCount)
                if let count = rule.succeededCount, let all = spec.completions, count > all {
                    errors.invalid(
                        at: "succeededCount",
                        .number(count),
                        "must be less than or equal to \(all) (the number of specified completions)"
                    )
                }
            }
        }
        self.oneOf(
            "podReplacementPolicy",
            spec.podReplacementPolicy,
            ifPresent: ["Failed", "TerminatingOrFailed"]
        )
        if spec.podFailurePolicy != nil, let policy = spec.podReplacementPolicy,
            policy != "Failed"
        {
            self.notSupported(
                at: "podReplacementPolicy",
                .string(policy),
                supported: ["Failed"]
            )
        }
        self.ifPresent("selector", spec.selector) { $0.validateSelector($1) }
        if let selector = spec.selector, !selector.matches(spec.template.metadata.labels) {
            self.within("template") {
                $0.invalid(
                    at: "metadata.labels",
                    .map(spec.template.metadata.labels),
                    "`selector` does not match template `labels`"
                )
            }
        }
        self.within("template") { errors in
            errors.validateTemplate(spec.template)
            errors.within("spec") { $0.validateJobRestartPolicy(spec) }
        }
    }

    private mutating func validateJobRestartPolicy(_ spec: BatchV1.JobSpec) {
        let policy = spec.template.spec.restartPolicy
        switch policy {
        case "Always", "":
            self.required(
                at: "restartPolicy",
                "valid values: \"OnFailure\", \"Never\""
            )
        case "OnFailure", "Never": break
        default:
            self.notSupported(
                at: "restartPolicy",
                .string(policy),
                supported: ["OnFailure", "Never"]
            )
        }
        if spec.podFailurePolicy != nil && policy != "Never" {
            self.invalid(
                at: "restartPolicy",
                .string(policy),
                "only \"Never\" is supported when podFailurePolicy is specified"
            )
        }
    }

    private mutating func validateCompletionMode(_ spec: BatchV1.JobSpec) {
        if let mode = spec.completionMode {
            if mode != "NonIndexed" && mode != "Indexed" {
                self.notSupported(
                    at: "completionMode",
                    .string(mode),
                    supported: ["NonIndexed", "Indexed"]
                )
            }
            if mode == "Indexed" {
                if spec.completions == nil {
                    self.required(at: "completions", "when completion mode is Indexed")
                }
                let most = Int32(APILimits.jobIndexedParallelismMax)
                if let parallelism = spec.parallelism, parallelism > most {
                    self.invalid(
                        at: "parallelism",
                        .number(parallelism),
                        "must be less than or equal to \(most) when completion mode is Indexed"
                    )
                }
            }
        }
        if spec.completionMode != "Indexed" {
            let words = "requires indexed completion mode"
            if let limit = spec.backoffLimitPerIndex {
                self.invalid(at: "backoffLimitPerIndex", .number(limit), words)
            }
            if let limit = spec.maxFailedIndexes {
                self.invalid(at: "maxFailedIndexes", .number(limit), words)
            }
        }
    }

    private mutating func validateFailurePolicy(
        _ policy: BatchV1.PodFailurePolicy,
        _ spec: BatchV1.JobSpec
    ) {
        let containers = Set(
            spec.template.spec.containers.map(\.name)
                + spec.template.spec.initContainers.map(\.name)
        )
        if policy.rules.count > APILimits.jobPodFailurePolicyRulesMax {
            self.tooMany(
                at: "rules",
                count: policy.rules.count,
                limit: APILimits.jobPodFailurePolicyRulesMax
            )
        }
        self.forEach("rules", in: policy.rules) { errors, rule in
            if rule.action == "FailIndex" && spec.backoffLimitPerIndex == nil {
                errors.invalid(
                    at: "action",
                    .string(rule.action),
                    "requires the backoffLimitPerIndex to be set"
                )
            }
            errors.oneOf(
                "action",
                rule.action,
                ["Count", "FailIndex", "FailJob", "Ignore"]
            )
            switch (rule.onExitCodes, rule.onPodConditions.isEmpty) {
            case (nil, true):
                errors.required(
                    "must specify one of `onExitCodes` and `onPodConditions`"
                )
            case (_?, false):
                errors.invalid(
                    .string(""),
                    "specifying both OnExitCodes and OnPodConditions is not supported"
                )
            default: break
            }
            errors.ifPresent("onExitCodes", rule.onExitCodes) { errors, codes in
                errors.oneOf("operator", codes.operator, ["In", "NotIn"])
                if let name = codes.containerName, !containers.contains(name) {
                    errors.invalid(
                        at: "containerName",
                        .string(name),
                        "must be one of the container or initContainer names in the pod template"
                    )
                }
                let values = codes.values
                if values.isEmpty {
                    errors.invalid(
                        at: "values",
                        .json("[]"),
                        "at least one value is required"
                    )
                } else if values.count > APILimits.jobPodFailurePolicyExitCodesMax {
                    errors.tooMany(
                        at: "values",
                        count: values.count,
                        limit: APILimits.jobPodFailurePolicyExitCodesMax
                    )
                }
                var isOrdered = true
                var known: Set<Int32> = []
                for (index, value) in values.enumerated() {
                    errors.within("values", index: index) { errors in
                        if codes.operator == "In" && value == 0 {
                            errors.invalid(
                                .number(value),
                                "must not be 0 for the In operator"
                            )
                        }
                        if !known.insert(value).inserted { errors.duplicate(.number(value)) }
                    }
                    if index > 0 && values[index - 1] > value { isOrdered = false }
                }
                if !isOrdered {
                    errors.invalid(
                        at: "values",
                        .json("[" + values.map { String($0) }.joined(separator: ",") + "]"),
                        "must be ordered"
                    )
                }
            }
            errors.forEach("onPodConditions", in: rule.onPodConditions) { errors, pattern in
                errors.invalid(
                    at: "type",
                    .string(pattern.type),
                    Formats.labelKey(pattern.type)
                )
                errors.oneOf("status", pattern.status, ["False", "True", "Unknown"])
            }
        }
    }

    // MARK: - Updates

    mutating func validateJobUpdate(_ new: BatchV1.Job, old: BatchV1.Job) {
        self.within("spec") { errors in
            errors.validateJob(new.spec)
            errors.validateCompletionsUpdate(new.spec, old: old.spec)
            errors.immutable(at: "selector", new.spec.selector, old.spec.selector)
            errors.validateTemplateUpdate(new, old: old)
            if new.spec.completionMode != old.spec.completionMode {
                errors.immutable(at: "completionMode", .init(new.spec.completionMode))
            }
            errors.immutable(
                at: "podFailurePolicy",
                new.spec.podFailurePolicy,
                old.spec.podFailurePolicy
            )
            if new.spec.backoffLimitPerIndex != old.spec.backoffLimitPerIndex {
                errors.immutable(
                    at: "backoffLimitPerIndex",
                    .optional(new.spec.backoffLimitPerIndex)
                )
            }
            if new.spec.managedBy != old.spec.managedBy {
                errors.immutable(at: "managedBy", .init(new.spec.managedBy))
            }
            errors.immutable(
                at: "successPolicy",
                new.spec.successPolicy,
                old.spec.successPolicy
            )
        }
    }

    /// The completions of an indexed job may change together with its parallelism.
    private mutating func validateCompletionsUpdate(
        _ new: BatchV1.JobSpec,
        old: BatchV1.JobSpec
    ) {
        guard new.completions != old.completions else { return }
        if new.completionMode == "Indexed" {
            if new.completions != new.parallelism {
                self.invalid(
                    at: "completions",
                    .optional(new.completions),
                    "can only be modified in tandem with parallelism"
                )
            }
            return
        }
        self.immutable(at: "completions", .optional(new.completions))
    }

    /// While a job that has not started is suspended, its pods may be told where to go and what
    /// they get.
    private mutating func validateTemplateUpdate(_ new: BatchV1.Job, old: BatchV1.Job) {
        var munged = old.spec.template
        if old.spec.suspend == true && old.status.startTime == nil {
            let template = new.spec.template
            munged.spec.nodeSelector = template.spec.nodeSelector
            munged.spec.tolerations = template.spec.tolerations
            munged.spec.schedulingGates = template.spec.schedulingGates
            munged.metadata.annotations = template.metadata.annotations
            munged.metadata.labels = template.metadata.labels
            if let affinity = template.spec.affinity?.nodeAffinity {
                munged.spec.affinity = munged.spec.affinity ?? .init()
                munged.spec.affinity?.nodeAffinity = affinity
            } else if munged.spec.affinity != nil {
                munged.spec.affinity?.nodeAffinity = nil
                if template.spec.affinity == nil { munged.spec.affinity = nil }
            }
            if munged.spec.containers.count == template.spec.containers.count {
                for index in munged.spec.containers.indices {
                    munged.spec.containers[index].resources =
                        template.spec.containers[index].resources
                }
            }
        }
        if new.spec.template != munged {
            self.immutable(at: "template", .message(new.spec.template))
        }
    }

    mutating func validateStatus(_ new: BatchV1.Job, old: BatchV1.Job) {
        let status = new.status
        self.nonnegative("active", status.active)
        self.nonnegative("succeeded", status.succeeded)
        self.nonnegative("failed", status.failed)
        self.nonnegative("ready", status.ready)
        self.nonnegative("terminating", status.terminating)
        if let counted = status.uncountedTerminatedPods {
            self.within("uncountedTerminatedPods") { errors in
                var seen: Set<String> = []
                for (name, list) in [
                    ("succeeded", counted.succeeded), ("failed", counted.failed),
                ] {
                    errors.forEach(name, in: list) { errors, uid in
                        if uid.isEmpty {
                            errors.invalid(.string(uid), "must not be empty")
                        } else if !seen.insert(uid).inserted {
                            errors.duplicate(.string(uid))
                        }
                    }
                }
            }
        }
        func isTrue(_ type: String, _ status: BatchV1.JobStatus) -> Bool {
            status.conditions.contains { $0.type == type && $0.status == "True" }
        }
        if isTrue("Complete", status) && isTrue("Failed", status) {
            self.invalid(
                at: "conditions",
                .list(status.conditions),
                "cannot set Complete=True and Failed=true conditions"
            )
        }
        for type in ["Complete", "Failed"]
        where isTrue(type, old.status) && !isTrue(type, status) {
            self.invalid(
                at: "conditions",
                .list(status.conditions),
                "cannot disable the terminal \(type)=True condition"
            )
        }
        if let end = status.completionTime, let start = status.startTime,
            (end.seconds ?? 0) < (start.seconds ?? 0)
        {
            self.invalid(
                at: "completionTime",
                .message(end),
                "cannot be set before startTime"
            )
        }
    }

    // MARK: - Cron jobs

    mutating func validateCronJob(_ spec: BatchV1.CronJobSpec) {
        if spec.schedule.isEmpty {
            self.required(at: "schedule")
        } else {
            self.add(
                Formats.cronSchedule(
                    self.path.child("schedule"),
                    spec.schedule,
                    allowsTimeZone: false,
                    hasTimeZone: spec.timeZone != nil,
                    isKnown: TimeZones.isKnown
                )
            )
        }
        self.nonnegative("startingDeadlineSeconds", spec.startingDeadlineSeconds)
        self.add(
            Formats.timeZone(
                self.path.child("timeZone"),
                spec.timeZone,
                isKnown: TimeZones.isKnown
            )
        )
        self.oneOf("concurrencyPolicy", spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"])
        self.within("jobTemplate") { errors in
            errors.within("metadata") { errors in
                errors.validateLabels(at: "labels", spec.jobTemplate.metadata.labels)
                errors.validateAnnotations(spec.jobTemplate.metadata.annotations)
            }
            errors.within("spec") { errors in
                errors.validateJob(spec.jobTemplate.spec)
                if let selector = spec.jobTemplate.spec.selector {
                    errors.invalid(
                        at: "selector",
                        .message(selector),
                        "`selector` will be auto-generated"
                    )
                }
                if spec.jobTemplate.spec.manualSelector == true {
                    errors.notSupported(
                        at: "manualSelector",
                        true,
                        supported: ["nil", "false"]
                    )
                }
            }
        }
        self.nonnegative("successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit)
        self.nonnegative("failedJobsHistoryLimit", spec.failedJobsHistoryLimit)
    }
}

/// The time zones of the system's database.
enum TimeZones {
    /// Whether the database has a file of the name; ``Formats/timeZone(_:_:isKnown:)`` has seen
    /// that the name does not climb.
    static func isKnown(_ name: String) -> Bool {
        guard !name.isEmpty, !name.hasPrefix("/"), !name.split(separator: "/").contains("..")
        else { return false }
        var information = stat()
        return stat("/usr/share/zoneinfo/\(name)", &information) == 0
            && information.st_mode & S_IFMT == S_IFREG
    }
}
