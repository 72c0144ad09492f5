// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// The scheduler without its surroundings: events of the cluster go in, decisions come out.
///
/// Does no I/O, reads no clock and starts nothing; the time is a parameter and chance comes from a
/// seed. Not thread-safe: whoever feeds it owns it.
package final class SchedulerCore {
    /// What became of an attempt.
    package enum Decision {
        /// The pod shall run on the node, and counts as running there from now on. What its claims
        /// need is to be done before.
        case bind(PodInfo, node: String, VolumePlan?)
        /// There is no node for the pod.
        case unschedulable(Refused)
    }

    /// A pod without a node.
    package struct Refused {
        package let pod: PodInfo
        /// The message of the event and of the condition.
        package let message: String
        /// The node on which room will be made; empty when there is none, nil to leave it as it is.
        package let nominatedNode: String?
        /// The pods that must go.
        package let victims: [PodInfo]
        /// Pods of lower priority that lose their claim to that node.
        package let displaced: [PodInfo]
    }

    package let cluster = Cluster()
    package let queue: PodQueue
    let profiles: [String: Profile]
    var random: SeededGenerator
    /// Where the next pod starts to look, so that all nodes are looked at in turn.
    var nextPosition = 0
    /// Pods that were given a node and are not yet seen there, by uid.
    package internal(set) var assumed: Set<String> = []
    /// The volumes that are kept for pods that are being bound, by uid.
    var plans: [String: VolumePlan] = [:]
    /// Times attempts; nil when nobody measures.
    package var watch: CycleWatch?
    private let interest: [(plugin: any Plugin, kinds: ChangeKinds)]

    package init(
        profiles: [Profile] = [.standard],
        queue: PodQueue = PodQueue(),
        seed: UInt64 = 0
    ) {
        self.profiles = Dictionary(
            profiles.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        self.queue = queue
        self.random = SeededGenerator(seed: seed)
        // Hints depend on plugins, hardly on their arguments: the first profile that has one
        // answers for all.
        var known: PluginNames = []
        self.interest = profiles.flatMap(\.plugins)
            .filter { known.insert(PluginNames($0.name)).inserted }
            .map { ($0, $0.interest) }
    }

    /// The profile that a pod asks for; nil when it is another scheduler's.
    package func profile(of pod: PodInfo) -> Profile? {
        self.profiles[pod.schedulerName]
    }

    /// Wakes the pods that a change may help.
    func react(to change: ClusterChange, now: Duration) {
        let kind = change.kind
        guard self.queue.count(.unschedulable) > 0 else { return }
        var interested: PluginNames = []
        for (plugin, kinds) in self.interest where kinds.contains(kind) {
            interested.insert(PluginNames(plugin.name))
        }
        guard !interested.isEmpty else { return }
        self.queue.wake(interested: interested, because: kind.event, now: now) { name, pod in
            self.interest.contains { plugin, kinds in
                plugin.name == name && plugin.mayHelp(change, pod.info, self.cluster)
            }
        }
    }
}
