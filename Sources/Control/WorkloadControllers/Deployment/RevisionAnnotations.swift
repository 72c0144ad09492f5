// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// What a Deployment writes on its ReplicaSets: their place in its history, and the sizes they were
/// made for.
package enum RevisionAnnotations {
    package static let revision = "deployment.kubernetes.io/revision"
    package static let history = "deployment.kubernetes.io/revision-history"
    package static let desired = "deployment.kubernetes.io/desired-replicas"
    package static let maximum = "deployment.kubernetes.io/max-replicas"
    private static let maximumHistoryBytes = 2000
    private static let ownAnnotations: Set<String> = [
        "kubectl.kubernetes.io/last-applied-configuration", revision, history, desired, maximum,
        "deprecated.deployment.rollback.to",
    ]

    package static func revision(of metadata: MetaV1.ObjectMeta) -> Int {
        metadata.annotations[self.revision].flatMap { Int($0) } ?? 0
    }

    static func value(_ name: String, of set: AppsV1.ReplicaSet) -> Int? {
        set.metadata.annotations[name].flatMap { Int($0) }
    }

    /// Notes the sizes that a ReplicaSet was made for.
    ///
    /// - Returns: whether anything changed.
    @discardableResult
    static func setSizes(_ set: inout AppsV1.ReplicaSet, _ numbers: DeploymentNumbers) -> Bool {
        var changed = false
        for (name, value) in [
            (self.desired, String(numbers.replicas)), (self.maximum, String(numbers.maxTotal)),
        ] where set.metadata.annotations[name] != value {
            set.metadata.annotations[name] = value
            changed = true
        }
        return changed
    }

    /// Brings the annotations of the newest ReplicaSet up to date.
    ///
    /// - Returns: whether anything changed.
    static func update(
        _ set: inout AppsV1.ReplicaSet,
        of deployment: AppsV1.Deployment,
        revision: Int,
        isNew: Bool
    ) -> Bool {
        var changed = false
        for (name, value) in deployment.metadata.annotations
        where !self.ownAnnotations.contains(name) && set.metadata.annotations[name] != value {
            set.metadata.annotations[name] = value
            changed = true
        }
        let old = set.metadata.annotations[self.revision]
        if self.revision(of: set.metadata) < revision {
            set.metadata.annotations[self.revision] = String(revision)
            changed = true
            if let old, !old.isEmpty { self.remember(old, in: &set) }
        }
        if isNew, self.setSizes(&set, DeploymentNumbers(deployment)) { changed = true }
        return changed
    }

    /// A ReplicaSet that becomes current again keeps the revisions that it had.
    private static func remember(_ revision: String, in set: inout AppsV1.ReplicaSet) {
        var revisions =
            set.metadata.annotations[self.history]?.split(separator: ",").map(String.init) ?? []
        revisions.append(revision)
        while revisions.joined(separator: ",").utf8.count > self.maximumHistoryBytes {
            revisions.removeFirst()
        }
        set.metadata.annotations[self.history] = revisions.joined(separator: ",")
    }
}
