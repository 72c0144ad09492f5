// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf

/// The ReplicaSets of a Deployment: the one of its template, and those before.
package struct DeploymentSets {
    /// Has the Deployment's template; nil when it is still to be made.
    package var new: AppsV1.ReplicaSet?
    package var old: [AppsV1.ReplicaSet]

    package static let hashLabel = "pod-template-hash"

    package init(_ deployment: AppsV1.Deployment, _ sets: [AppsV1.ReplicaSet]) {
        let sorted = sets.sorted(by: Self.isOlder)
        let template = Self.withoutHash(deployment.spec.template)
        let index = sorted.firstIndex { Self.withoutHash($0.spec.template) == template }
        self.new = index.map { sorted[$0] }
        self.old = sorted
        if let index { self.old.remove(at: index) }
    }

    package var all: [AppsV1.ReplicaSet] { self.old + (self.new.map { [$0] } ?? []) }

    /// Old ones that still have pods, or shall.
    var activeOld: [AppsV1.ReplicaSet] { self.old.filter { $0.size > 0 } }

    /// The number that the next newest ReplicaSet gets.
    var nextRevision: Int {
        (self.old.map { RevisionAnnotations.revision(of: $0.metadata) }.max() ?? 0) + 1
    }

    /// A template as it was before the hash was added to its labels.
    package static func withoutHash(
        _ template: CoreV1.PodTemplateSpec
    ) -> CoreV1.PodTemplateSpec {
        guard template.metadata.labels[self.hashLabel] != nil else { return template }
        var template = template
        template.metadata.labels[self.hashLabel] = nil
        if template.metadata.labels.isEmpty { template.metadata.labels = MapField() }
        return template
    }

    static func isOlder(_ left: AppsV1.ReplicaSet, _ right: AppsV1.ReplicaSet) -> Bool {
        let created = (
            left.metadata.creationTimestamp.seconds ?? 0,
            right.metadata.creationTimestamp.seconds ?? 0
        )
        return created.0 == created.1
            ? left.metadata.name < right.metadata.name : created.0 < created.1
    }
}

extension AppsV1.ReplicaSet {
    /// The number of pods it shall have.
    var size: Int { Int(self.spec.replicas ?? 1) }
}
