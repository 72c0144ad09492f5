// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// A level of the Pod Security Standards.
///
/// Source: k8s.io/pod-security-admission `policy/registry.go`.
enum SecurityStandard: String {
    case privileged
    case baseline
    case restricted

    /// Why a pod is not allowed at a level.
    struct Violations {
        /// Reason and detail of each check that failed, in the order of their names.
        var list: [(reason: String, detail: String)] = []

        var isEmpty: Bool { self.list.isEmpty }
        var reasons: [String] { self.list.map(\.reason) }

        /// `reason (detail), reason (detail)`
        var text: String {
            self.list.map { $0.detail.isEmpty ? $0.reason : "\($0.reason) (\($0.detail))" }
                .joined(separator: ", ")
        }

        mutating func add(_ violation: (reason: String, detail: String)?) {
            if let violation { self.list.append(violation) }
        }
    }

    /// Checks a pod, or the template of pods.
    static func violations(
        of metadata: MetaV1.ObjectMeta,
        _ spec: CoreV1.PodSpec,
        _ level: SecurityStandard
    ) -> Violations {
        let subject = SecuritySubject(metadata, spec)
        var found = Violations()
        if level == .privileged { return found }
        // The checks of each level in the order of their names; where a stricter one stands for a
        // laxer one, the laxer is left out.
        let isRestricted = level == .restricted
        found.add(subject.appArmor)
        if !isRestricted { found.add(subject.capabilitiesBaseline) }
        found.add(subject.hostNamespaces)
        if !isRestricted { found.add(subject.hostPathVolumes) }
        found.add(subject.hostPorts)
        found.add(subject.hostProbes)
        found.add(subject.privileged)
        found.add(subject.procMount)
        found.add(subject.seLinux)
        if !isRestricted { found.add(subject.seccompBaseline) }
        found.add(subject.sysctls)
        found.add(subject.windowsHostProcess)
        guard isRestricted else { return found }
        found.add(subject.allowPrivilegeEscalation)
        found.add(subject.capabilitiesRestricted)
        found.add(subject.restrictedVolumes)
        found.add(subject.runAsNonRoot)
        found.add(subject.runAsUser)
        found.add(subject.seccompRestricted)
        return found
    }
}
