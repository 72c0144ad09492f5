// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Informers
import KubernetesAPI
import Logging
import ObjectModel
import PodLifecycle
import Protobuf
import ResourceClient

/// Writes pods' statuses to the API server as they change, and deletes pods of which nothing is
/// left.
///
/// Source: upstream `pkg/kubelet/status/status_manager.go`.
struct StatusReporter: Sendable {
    /// Writes at once.
    private static let concurrency = 8
    /// Between attempts to write what could not be written.
    private static let retryInterval: Duration = .seconds(2)

    let cluster: APICluster
    let statuses: StatusBoard
    let changes: ChangeQueue
    let logger: Logger

    private var client: Client<CoreV1.Pod> { Client(self.cluster.channel) }

    /// Reports until the task is cancelled.
    func run() async {
        self.cluster.pods.addHandler { event in
            // The pods of a node that was cut off are said not to be ready: not by us.
            guard case .updated(_, let pod) = event,
                let entry = self.statuses.entry(pod.metadata.uid),
                Self.isContradicted(entry.status, by: pod.status)
            else { return }
            self.changes.insert(pod.metadata.uid)
        }
        while !Task.isCancelled {
            let uids = await self.changes.take()
            let failed = await withTaskGroup(of: String?.self, returning: [String].self) { group in
                var running = 0
                var failed: [String] = []
                for uid in uids {
                    if running == Self.concurrency {
                        if let uid = await group.next() ?? nil { failed.append(uid) }
                        running -= 1
                    }
                    group.addTask { await self.report(uid) ? nil : uid }
                    running += 1
                }
                for await uid in group { if let uid { failed.append(uid) } }
                return failed
            }
            guard !failed.isEmpty else { continue }
            // Owned by nobody: puts keys back after a pause.
            Task {
                try? await Task.sleep(for: Self.retryInterval)
                for uid in failed { self.changes.insert(uid) }
            }
        }
    }

    /// Writes one pod's status.
    ///
    /// - Returns: whether nothing is left to do.
    private func report(_ uid: String) async -> Bool {
        guard let entry = self.statuses.entry(uid) else { return true }
        let name = entry.pod.metadata.name
        let namespace = entry.pod.metadata.namespace
        var current = self.cluster.pods.get(name, in: namespace)
        if current == nil, !entry.pod.isStatic { current = entry.pod }
        for attempt in 0..<5 {
            guard let found = current else { return true }
            if entry.pod.isStatic {
                guard found.isMirror else { return true }
            } else if found.metadata.uid != uid {
                return true
            }
            do throws(StatusError) {
                var pod = found
                pod.status = Self.merged(entry.status, into: found.status)
                if pod.status != found.status || attempt > 0 {
                    pod = try await self.client.updateStatus(pod)
                }
                guard entry.isFinished, pod.isDeleted else { return true }
                try await self.client.delete(
                    name,
                    in: namespace,
                    DeleteOptions(gracePeriodSeconds: 0, uid: pod.metadata.uid)
                )
                return true
            } catch {
                if error.isNotFound { return true }
                guard error.isConflict else {
                    self.logger.warning(
                        "a status cannot be written",
                        metadata: ["pod": "\(entry.pod.key)", "error": "\(error.message)"]
                    )
                    return false
                }
                current = try? await self.client.get(name, in: namespace)
            }
        }
        return false
    }

    /// What nobody but the kubelet knows.
    private static let ownConditions: Set = [
        "PodScheduled", "Ready", "Initialized", "ContainersReady", "PodReadyToStartContainers",
    ]

    /// Whether the API server has one of the kubelet's conditions otherwise.
    static func isContradicted(_ own: CoreV1.PodStatus, by other: CoreV1.PodStatus) -> Bool {
        own.conditions.contains { condition in
            Self.ownConditions.contains(condition.type)
                && other.conditions.contains {
                    $0.type == condition.type && $0.status != condition.status
                }
        }
    }

    /// The kubelet's status with the conditions that others keep in it.
    private static func merged(
        _ status: CoreV1.PodStatus,
        into current: CoreV1.PodStatus
    ) -> CoreV1.PodStatus {
        var result = status
        var own = Self.ownConditions
        // Why the kubelet ended the pod.
        let disruption = "DisruptionTarget"
        if status.conditions.contains(where: {
            $0.type == disruption && $0.reason == "TerminationByKubelet"
        }) {
            own.insert(disruption)
        }
        result.conditions = RepeatedField(status.conditions.filter { own.contains($0.type) })
        for condition in current.conditions where !own.contains(condition.type) {
            result.conditions.append(condition)
        }
        result.nominatedNodeName = current.nominatedNodeName
        result.resourceClaimStatuses = current.resourceClaimStatuses
        return result
    }
}
