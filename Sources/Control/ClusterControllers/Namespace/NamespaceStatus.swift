// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import KubernetesAPI
import Protobuf
package import Scalars

/// What is left in a namespace that is being deleted, as its conditions tell it. Pure.
///
/// Source: upstream `pkg/controller/namespace/deletion/status_condition_utils.go`.
package struct NamespaceRemains {
    /// Objects by `resource.group`.
    package var resources: [String: Int] = [:]
    /// Objects by the finalizer that they wait for.
    package var finalizers: [String: Int] = [:]
    /// Failures to delete, in words.
    package var failures: [String] = []

    package init() {}

    package var isEmpty: Bool { self.resources.isEmpty && self.failures.isEmpty }

    /// The conditions of the namespace.
    package func conditions(
        _ old: [CoreV1.NamespaceCondition],
        now: Timestamp
    ) -> [CoreV1.NamespaceCondition] {
        var conditions = old
        func set(_ type: String, _ isTrue: Bool, _ yes: (String, String), _ no: (String, String)) {
            let status = isTrue ? "True" : "False"
            let (reason, message) = isTrue ? yes : no
            let index = conditions.firstIndex { $0.type == type }
            let current = index.map { conditions[$0] }
            if current?.status == status, current?.reason == reason, current?.message == message {
                return
            }
            let condition = CoreV1.NamespaceCondition.with {
                $0.type = type
                $0.status = status
                $0.reason = reason
                $0.message = message
                $0.lastTransitionTime =
                    current?.status == status
                    ? current?.lastTransitionTime ?? MetaV1.Time(now) : MetaV1.Time(now)
            }
            if let index {
                conditions[index] = condition
            } else {
                conditions.append(condition)
            }
        }
        set(
            "NamespaceDeletionDiscoveryFailure",
            false,
            ("", ""),
            ("ResourcesDiscovered", "All resources successfully discovered")
        )
        set(
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            ("", ""),
            ("ParsedGroupVersions", "All legacy kube types successfully parsed")
        )
        set(
            "NamespaceDeletionContentFailure",
            !self.failures.isEmpty,
            (
                "ContentDeletionFailed",
                "Failed to delete all resource types, \(self.failures.count) remaining: "
                    + self.failures.sorted().joined(separator: ", ")
            ),
            (
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization"
            )
        )
        set(
            "NamespaceContentRemaining",
            !self.resources.isEmpty,
            (
                "SomeResourcesRemain",
                "Some resources are remaining: "
                    + Self.list(self.resources) { "\($0) has \($1) resource instances" }
            ),
            ("ContentRemoved", "All content successfully removed")
        )
        set(
            "NamespaceFinalizersRemaining",
            !self.finalizers.isEmpty,
            (
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: "
                    + Self.list(self.finalizers) { "\($0) in \($1) resource instances" }
            ),
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished")
        )
        return conditions
    }

    private static func list(_ counts: [String: Int], _ text: (String, Int) -> String) -> String {
        counts.sorted { $0.key < $1.key }.map { text($0.key, $0.value) }.joined(separator: ", ")
    }
}
