// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf

/// Sizes that the ReplicaSets of a Deployment get. Pure.
///
/// Source: upstream `pkg/controller/deployment/sync.go`, `rolling.go`.
package enum DeploymentScaling {
    /// A ReplicaSet and the size that it gets.
    package struct Change: Equatable {
        package var set: AppsV1.ReplicaSet
        package var size: Int

        package init(_ set: AppsV1.ReplicaSet, _ size: Int) {
            self.set = set
            self.size = size
        }
    }

    /// Whether the Deployment's size was changed since its ReplicaSets were sized.
    package static func isDue(_ numbers: DeploymentNumbers, _ sets: DeploymentSets) -> Bool {
        sets.all.contains { set in
            guard set.size > 0,
                let desired = RevisionAnnotations.value(RevisionAnnotations.desired, of: set)
            else { return false }
            return desired != numbers.replicas
        }
    }

    /// Spreads a new size of the Deployment over its ReplicaSets in the proportion that they have.
    package static func proportional(
        _ deployment: AppsV1.Deployment,
        _ sets: DeploymentSets
    ) -> [Change] {
        let numbers = DeploymentNumbers(deployment)
        let active = sets.all.filter { $0.size > 0 }
        if active.count <= 1 {
            let latest = sets.old.max(by: DeploymentSets.isOlder)
            guard let only = active.first ?? sets.new ?? latest else { return [] }
            return only.size == numbers.replicas ? [] : [Change(only, numbers.replicas)]
        }
        if let new = sets.new, self.isSaturated(new, numbers) {
            return sets.activeOld.map { Change($0, 0) }
        }
        guard deployment.isRolling else { return [] }
        let allowed = numbers.replicas > 0 ? numbers.maxTotal : 0
        let toAdd = allowed - active.reduce(0) { $0 + $1.size }
        // The largest takes the most; among equals the newest grows and the oldest shrinks first.
        let sorted = active.sorted { left, right in
            if left.size != right.size { return left.size > right.size }
            return toAdd > 0
                ? DeploymentSets.isOlder(right, left) : DeploymentSets.isOlder(left, right)
        }
        var added = 0
        var changes = sorted.map { set in
            let share = self.share(set, numbers, deployment, toAdd: toAdd, added: added)
            added += share
            return Change(set, set.size + share)
        }
        // Rounding leaves some over.
        changes[0].size = max(changes[0].size + toAdd - added, 0)
        return changes
    }

    private static func isSaturated(
        _ set: AppsV1.ReplicaSet,
        _ numbers: DeploymentNumbers
    ) -> Bool {
        RevisionAnnotations.value(RevisionAnnotations.desired, of: set) == numbers.replicas
            && set.size == numbers.replicas
            && Int(set.status.availableReplicas) == numbers.replicas
    }

    private static func share(
        _ set: AppsV1.ReplicaSet,
        _ numbers: DeploymentNumbers,
        _ deployment: AppsV1.Deployment,
        toAdd: Int,
        added: Int
    ) -> Int {
        if toAdd == 0 || toAdd == added { return 0 }
        var fraction = -set.size
        if numbers.replicas > 0 {
            var before =
                RevisionAnnotations.value(RevisionAnnotations.maximum, of: set) ?? 0
            if before == 0 { before = Int(deployment.status.replicas) }
            if before == 0 {
                fraction = 0
            } else {
                let exact = Double(set.size * numbers.maxTotal) / Double(before)
                fraction = Int(exact.rounded()) - set.size
            }
        }
        let left = toAdd - added
        return toAdd > 0 ? min(fraction, left) : max(fraction, left)
    }

    // MARK: Rolling update

    /// The size that the newest ReplicaSet gets next.
    package static func newSize(
        _ deployment: AppsV1.Deployment,
        current: Int,
        all: [AppsV1.ReplicaSet]
    ) -> Int {
        let numbers = DeploymentNumbers(deployment)
        guard deployment.isRolling else { return numbers.replicas }
        // Pods that their set is still to delete are there, too.
        let total = all.reduce(0) { $0 + max($1.size, Int($1.status.replicas)) }
        guard total < numbers.maxTotal else { return current }
        return current + min(numbers.maxTotal - total, numbers.replicas - current)
    }

    /// Smaller sizes for the old ReplicaSets: as far as availability allows, the broken pods first.
    package static func shrinkOld(
        _ deployment: AppsV1.Deployment,
        new: AppsV1.ReplicaSet,
        old: [AppsV1.ReplicaSet]
    ) -> [Change] {
        let numbers = DeploymentNumbers(deployment)
        var sizes = old.sorted(by: DeploymentSets.isOlder).map { Change($0, $0.size) }
        let oldTotal = sizes.reduce(0) { $0 + $1.size }
        guard oldTotal > 0 else { return [] }
        let newUnavailable = new.size - Int(new.status.availableReplicas)
        let maxCleanup = oldTotal + new.size - numbers.minAvailable - newUnavailable
        guard maxCleanup > 0 else { return [] }
        // Pods that are not available cost nothing.
        var cleaned = 0
        for index in sizes.indices where cleaned < maxCleanup && sizes[index].size > 0 {
            let broken = sizes[index].size - Int(sizes[index].set.status.availableReplicas)
            let count = min(maxCleanup - cleaned, max(broken, 0))
            sizes[index].size -= count
            cleaned += count
        }
        // Pods beyond the size of their set are going already, though its status counts them still.
        let available =
            sizes.reduce(min(Int(new.status.availableReplicas), new.size)) {
                $0 + min(Int($1.set.status.availableReplicas), $1.set.size)
            }
        var spare = available - numbers.minAvailable
        for index in sizes.indices where spare > 0 && sizes[index].size > 0 {
            let count = min(sizes[index].size, spare)
            sizes[index].size -= count
            spare -= count
        }
        return sizes.filter { $0.size != $0.set.size }
    }
}
