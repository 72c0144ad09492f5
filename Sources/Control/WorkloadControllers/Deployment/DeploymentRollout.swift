// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Clocks
import ControllerKit
import EventRecording
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Scalars
import Selectors

/// One look at a Deployment: does the next step, and says when to look again.
struct DeploymentRollout {
    let controller: DeploymentController
    var deployment: AppsV1.Deployment
    var sets: DeploymentSets
    let now: Timestamp

    private var numbers: DeploymentNumbers { DeploymentNumbers(self.deployment) }

    /// - Parameter pods: the pods of a ReplicaSet.
    /// - Returns: when to look again without an event; nil for never.
    mutating func run(
        pods: (AppsV1.ReplicaSet) -> [CoreV1.Pod]
    ) async throws(StatusError) -> Duration? {
        if self.deployment.metadata.deletionTimestamp != nil {
            return try await self.writeStatus(isRollout: false)
        }
        try await self.notePause()
        if self.deployment.spec.paused || DeploymentScaling.isDue(self.numbers, self.sets) {
            try await self.syncNewSet(creating: false)
            for change in DeploymentScaling.proportional(self.deployment, self.sets) {
                try await self.scale(change)
            }
            if self.deployment.spec.paused { try await self.cleanUp() }
            return try await self.writeStatus(isRollout: false)
        }
        if self.deployment.isRolling {
            try await self.roll()
        } else {
            try await self.recreate(pods)
        }
        if DeploymentProgress.isComplete(self.deployment, self.deployment.status) {
            try await self.cleanUp()
        }
        return try await self.writeStatus(isRollout: true)
    }

    // MARK: Strategies

    private mutating func roll() async throws(StatusError) {
        try await self.syncNewSet(creating: true)
        guard let new = self.sets.new else { return }
        let size =
            new.size > self.numbers.replicas
            ? self.numbers.replicas
            : DeploymentScaling.newSize(self.deployment, current: new.size, all: self.sets.all)
        if size != new.size { return try await self.scale(.init(new, size)) }
        for change in DeploymentScaling.shrinkOld(
            self.deployment,
            new: new,
            old: self.sets.activeOld
        ) {
            try await self.scale(change)
        }
    }

    private mutating func recreate(
        _ pods: (AppsV1.ReplicaSet) -> [CoreV1.Pod]
    ) async throws(StatusError) {
        try await self.syncNewSet(creating: false)
        let active = self.sets.activeOld
        for set in active { try await self.scale(.init(set, 0)) }
        guard active.isEmpty else { return }
        let isRunning = self.sets.old.contains { set in
            set.status.replicas > 0 || pods(set).contains { !$0.isTerminal }
        }
        if isRunning { return }
        if self.sets.new == nil { try await self.syncNewSet(creating: true) }
        if let new = self.sets.new, new.size != self.numbers.replicas {
            try await self.scale(.init(new, self.numbers.replicas))
        }
    }

    // MARK: ReplicaSets

    /// Gives a ReplicaSet a size, and notes the Deployment's.
    private mutating func scale(_ change: DeploymentScaling.Change) async throws(StatusError) {
        var set = change.set
        let old = set.size
        set.spec.replicas = Int32(change.size)
        let isNoted = RevisionAnnotations.setSizes(&set, self.numbers)
        guard old != change.size || isNoted else { return }
        let stored = try await self.controller.setClient.update(set)
        self.controller.wrote(stored, of: self.deployment)
        self.replace(stored)
        guard old != change.size else { return }
        let direction = old < change.size ? "up" : "down"
        self.controller.context.recorder.record(
            .normal,
            "ScalingReplicaSet",
            "Scaled \(direction) replica set \(set.metadata.name) from \(old) to \(change.size)",
            about: self.deployment
        )
    }

    private mutating func replace(_ set: AppsV1.ReplicaSet) {
        if self.sets.new?.metadata.uid == set.metadata.uid {
            self.sets.new = set
        } else if let index = self.sets.old.firstIndex(where: {
            $0.metadata.uid == set.metadata.uid
        }) {
            self.sets.old[index] = set
        }
    }

    /// Brings the newest ReplicaSet's annotations up to date, or makes it.
    private mutating func syncNewSet(creating: Bool) async throws(StatusError) {
        let revision = self.sets.nextRevision
        if var new = self.sets.new {
            var changed = RevisionAnnotations.update(
                &new,
                of: self.deployment,
                revision: revision,
                isNew: false
            )
            if new.spec.minReadySeconds != self.deployment.spec.minReadySeconds {
                new.spec.minReadySeconds = self.deployment.spec.minReadySeconds
                changed = true
            }
            if changed {
                new = try await self.controller.setClient.update(new)
                self.controller.wrote(new, of: self.deployment)
                self.sets.new = new
            }
            try await self.setRevision(RevisionAnnotations.revision(of: new.metadata))
            if self.deployment.hasProgressDeadline,
                self.deployment.status.condition("Progressing") == nil
            {
                try await self.note(
                    "True",
                    "FoundNewReplicaSet",
                    "Found new replica set \"\(new.metadata.name)\""
                )
            }
        } else if creating {
            try await self.createNewSet(revision)
        }
    }

    private func newSet(_ revision: Int) -> AppsV1.ReplicaSet {
        let deployment = self.deployment
        let hash = TemplateHash.of(
            deployment.spec.template,
            collisions: deployment.status.collisionCount
        )
        var set = AppsV1.ReplicaSet.with {
            $0.metadata.name = "\(deployment.metadata.name)-\(hash)"
            $0.metadata.namespace = deployment.metadata.namespace
            $0.metadata.ownerReferences = [.controller(deployment)]
            $0.spec.minReadySeconds = deployment.spec.minReadySeconds
            $0.spec.template = deployment.spec.template
            $0.spec.template.metadata.labels[DeploymentSets.hashLabel] = hash
            $0.metadata.labels = $0.spec.template.metadata.labels
            var selector = deployment.spec.selector ?? MetaV1.LabelSelector()
            selector.matchLabels[DeploymentSets.hashLabel] = hash
            $0.spec.selector = selector
        }
        set.spec.replicas = Int32(
            DeploymentScaling.newSize(deployment, current: 0, all: self.sets.old)
        )
        _ = RevisionAnnotations.update(&set, of: deployment, revision: revision, isNew: true)
        return set
    }

    private mutating func createNewSet(_ revision: Int) async throws(StatusError) {
        let set = self.newSet(revision)
        let created: AppsV1.ReplicaSet
        var isNew = true
        do throws(StatusError) {
            created = try await self.controller.setClient.create(set)
        } catch {
            if error.isAlreadyExists {
                guard let known = try await self.existing(set) else { throw error }
                created = known
                isNew = false
            } else {
                if error.isNamespaceTerminating { return }
                try await self.noteFailure(set, error)
                throw error
            }
        }
        self.controller.wrote(created, of: self.deployment)
        self.sets.new = created
        if isNew, created.size > 0 {
            self.controller.context.recorder.record(
                .normal,
                "ScalingReplicaSet",
                "Scaled up replica set \(created.metadata.name) from 0 to \(created.size)",
                about: self.deployment
            )
        }
        try await self.setRevision(revision)
        if isNew, self.deployment.hasProgressDeadline {
            try await self.note(
                "True",
                "NewReplicaSetCreated",
                "Created new replica set \"\(created.metadata.name)\""
            )
        }
    }

    /// The ReplicaSet that has the name already: ours if it has our template, else the hash has
    /// collided and the next one takes that into account.
    private mutating func existing(
        _ set: AppsV1.ReplicaSet
    ) async throws(StatusError) -> AppsV1.ReplicaSet? {
        let known = try await self.controller.setClient.get(
            set.metadata.name,
            in: set.metadata.namespace
        )
        let template = DeploymentSets.withoutHash(self.deployment.spec.template)
        if known.metadata.isControlled(by: self.deployment.metadata.uid),
            DeploymentSets.withoutHash(known.spec.template) == template
        {
            return known
        }
        self.deployment.status.collisionCount = (self.deployment.status.collisionCount ?? 0) + 1
        self.deployment = try await self.controller.store(self.deployment)
        return nil
    }

    /// Deletes the oldest ReplicaSets beyond the history that is wanted.
    private mutating func cleanUp() async throws(StatusError) {
        guard let limit = self.deployment.spec.revisionHistoryLimit, limit != .max else { return }
        let candidates = self.sets.old.filter { $0.metadata.deletionTimestamp == nil }
        let excess = candidates.count - Int(limit)
        guard excess > 0 else { return }
        let sorted = candidates.sorted {
            let revisions = (
                RevisionAnnotations.revision(of: $0.metadata),
                RevisionAnnotations.revision(of: $1.metadata)
            )
            return revisions.0 == revisions.1
                ? DeploymentSets.isOlder($0, $1) : revisions.0 < revisions.1
        }
        for set in sorted.prefix(excess)
        where set.status.replicas == 0 && set.size == 0
            && set.metadata.generation <= set.status.observedGeneration
        {
            do throws(StatusError) {
                try await self.controller.setClient.delete(
                    set.metadata.name,
                    in: set.metadata.namespace,
                    DeleteOptions(uid: set.metadata.uid)
                )
            } catch {
                if !error.isNotFound { throw error }
            }
        }
    }

    // MARK: Status

    private mutating func writeStatus(isRollout: Bool) async throws(StatusError) -> Duration? {
        let status =
            isRollout
            ? DeploymentProgress.rolloutStatus(self.deployment, self.sets, now: self.now)
            : DeploymentProgress.status(self.deployment, self.sets, now: self.now)
        if status != self.deployment.status {
            self.deployment.status = status
            self.deployment = try await self.controller.store(self.deployment)
        }
        guard isRollout else { return nil }
        return DeploymentProgress.nextCheck(self.deployment, status, now: self.now)
    }

    /// A pause stops the clock of the progress deadline.
    private mutating func notePause() async throws(StatusError) {
        guard self.deployment.hasProgressDeadline else { return }
        let condition = self.deployment.status.condition("Progressing")
        if condition?.reason == "ProgressDeadlineExceeded" { return }
        let isNoted = condition?.reason == "DeploymentPaused"
        if self.deployment.spec.paused, !isNoted {
            try await self.note("Unknown", "DeploymentPaused", "Deployment is paused")
        } else if !self.deployment.spec.paused, isNoted {
            try await self.note("Unknown", "DeploymentResumed", "Deployment is resumed")
        }
    }

    private mutating func note(
        _ status: String,
        _ reason: String,
        _ message: String
    ) async throws(StatusError) {
        self.deployment.status.set("Progressing", status, reason, message, self.now)
        self.deployment = try await self.controller.store(self.deployment)
    }

    private mutating func noteFailure(
        _ set: AppsV1.ReplicaSet,
        _ error: StatusError
    ) async throws(StatusError) {
        let message =
            "Failed to create new replica set \"\(set.metadata.name)\": \(error.message)"
        if self.deployment.hasProgressDeadline {
            try await self.note("False", "ReplicaSetCreateError", message)
        }
        self.controller.context.recorder.record(
            .warning,
            "ReplicaSetCreateError",
            message,
            about: self.deployment
        )
    }

    /// Notes the current revision on the Deployment, where kubectl looks for it.
    private mutating func setRevision(_ revision: Int) async throws(StatusError) {
        let text = String(revision)
        guard self.deployment.metadata.annotations[RevisionAnnotations.revision] != text else {
            return
        }
        let status = self.deployment.status
        // An update, as upstream's: the controller's role has no patch of Deployments.
        var changed = self.deployment
        changed.metadata.annotations[RevisionAnnotations.revision] = text
        self.deployment = try await self.controller.client.update(changed)
        self.controller.wrote(self.deployment)
        self.deployment.status = status
    }
}
