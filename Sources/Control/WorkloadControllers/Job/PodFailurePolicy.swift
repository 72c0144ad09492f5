// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
import KubernetesAPI
import Protobuf

/// What a Job's failure policy says about a pod that failed. Pure.
///
/// Source: upstream `pkg/controller/job/pod_failure_policy.go`.
enum FailureVerdict: Equatable {
    /// Counts towards the limit.
    case count
    /// Does not count.
    case ignore
    /// Its index is not tried again.
    case failIndex
    /// The Job is over.
    case failJob(String)

    /// The action of the rule that fits; nil when none does.
    static func action(for pod: CoreV1.Pod, _ job: BatchV1.Job) -> String? {
        guard let policy = job.spec.podFailurePolicy, pod.status.phase == "Failed" else {
            return nil
        }
        for (index, rule) in policy.rules.enumerated() {
            if self.match(rule, pod, index) != nil { return rule.action }
        }
        return nil
    }

    static func of(_ pod: CoreV1.Pod, _ job: BatchV1.Job) -> FailureVerdict {
        guard let policy = job.spec.podFailurePolicy, pod.status.phase == "Failed" else {
            return .count
        }
        for (index, rule) in policy.rules.enumerated() {
            guard let reason = self.match(rule, pod, index) else { continue }
            switch rule.action {
            case "Ignore": return .ignore
            case "FailIndex": return .failIndex
            case "FailJob": return .failJob(reason)
            default: return .count
            }
        }
        return .count
    }

    private static func match(
        _ rule: BatchV1.PodFailurePolicyRule,
        _ pod: CoreV1.Pod,
        _ index: Int
    ) -> String? {
        let key = "\(pod.metadata.namespace)/\(pod.metadata.name)"
        if let codes = rule.onExitCodes {
            let statuses =
                Array(pod.status.initContainerStatuses) + Array(pod.status.containerStatuses)
            for status in statuses {
                if let name = codes.containerName, name != status.name { continue }
                guard let code = status.state.terminated?.exitCode, code != 0 else { continue }
                let isListed = codes.values.contains(code)
                guard codes.operator == "In" ? isListed : !isListed else { continue }
                return "Container \(status.name) for pod \(key) failed with exit code \(code)"
                    + " matching \(rule.action) rule at index \(index)"
            }
        }
        for pattern in rule.onPodConditions {
            let isMet = pod.status.conditions.contains {
                $0.type == pattern.type && $0.status == pattern.status
            }
            if isMet {
                return "Pod \(key) has condition \(pattern.type) matching \(rule.action) rule"
                    + " at index \(index)"
            }
        }
        return nil
    }
}
