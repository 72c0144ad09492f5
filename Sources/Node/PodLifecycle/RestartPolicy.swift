// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// Whether a container that ended runs again.
package enum RestartPolicy {
    /// Whether `spec` runs again after its newest instance `record`.
    ///
    /// A container's own policy and rules come before the pod's.
    ///
    /// Source: upstream `pkg/kubelet/container/helpers.go`, KEP-5307.
    package static func restarts(
        _ spec: ContainerSpec,
        after record: ContainerRecord?,
        in pod: CoreV1.Pod
    ) -> Bool {
        if pod.isDeleted { return false }
        guard let record else { return true }
        switch record.state {
        case .running: return false
        case .created, .unknown: return true
        case .exited: return Self.restarts(spec, exitCode: record.exitCode, in: pod)
        }
    }

    /// Whether an instance that ended with `exitCode` is followed by another.
    package static func restarts(
        _ spec: ContainerSpec,
        exitCode: Int32,
        in pod: CoreV1.Pod
    ) -> Bool {
        if case .ephemeral = spec.kind { return false }
        for rule in spec.container.restartPolicyRules where rule.action == "Restart" {
            guard let codes = rule.exitCodes else { continue }
            let isListed = codes.values.contains(exitCode)
            if codes.operator == "In" ? isListed : codes.operator == "NotIn" && !isListed {
                return true
            }
        }
        switch self.policy(of: spec, in: pod) {
        case "Never": return false
        case "OnFailure": return exitCode != 0
        default: return spec.kind == .initial ? exitCode != 0 : true
        }
    }

    /// `Always`, `OnFailure` or `Never`.
    package static func policy(of spec: ContainerSpec, in pod: CoreV1.Pod) -> String {
        if let own = spec.container.restartPolicy, !own.isEmpty { return own }
        return pod.spec.restartPolicy.isEmpty ? "Always" : pod.spec.restartPolicy
    }
}
