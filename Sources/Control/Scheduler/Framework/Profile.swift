// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A scheduler by name: which plugins it uses, in which order and with what weight.
package struct Profile: Sendable {
    /// A plugin that scores, and how much its scores count.
    package struct Weighted: Sendable {
        package let plugin: any ScorePlugin
        package let weight: Int64

        package init(_ plugin: any ScorePlugin, _ weight: Int64) {
            self.plugin = plugin
            self.weight = weight
        }
    }

    /// What pods name in `spec.schedulerName`.
    package var name = "default-scheduler"
    package var preEnqueue: [any PreEnqueuePlugin] = []
    package var filters: [any FilterPlugin] = []
    package var scores: [Weighted] = []
    /// Nil when preemption is switched off.
    package var preemption: PreemptionArguments? = PreemptionArguments()
    /// Whether upstream's DynamicResources would have its say after a pod found no node.
    package var mentionsClaims = true
    /// How long claims may take to be bound before the pod is tried again.
    package var bindTimeout: Duration = .seconds(600)
    /// How many of the nodes that will do are scored, in percent; 0 leaves it to the scheduler.
    package var percentageOfNodesToScore: Int64 = 0

    package init() {}

    /// Whether claims that wait for a pod get their volumes with it.
    var bindsVolumes: Bool { self.filters.contains { $0.name == .volumeBinding } }

    /// All plugins, each once.
    package var plugins: [any Plugin] {
        var known: PluginNames = []
        let all: [any Plugin] =
            self.preEnqueue.map { $0 } + self.filters.map { $0 } + self.scores.map(\.plugin)
        return all.filter { known.insert(PluginNames($0.name)).inserted }
    }

    /// The plugins and weights of upstream's `default-scheduler`.
    package static var standard: Profile {
        var profile = Profile()
        let taints = TaintTolerationPlugin()
        let affinity = NodeAffinityPlugin()
        let fit = NodeResourcesFitPlugin()
        let spread = PodTopologySpreadPlugin()
        let pods = InterPodAffinityPlugin()
        profile.preEnqueue = [SchedulingGatesPlugin()]
        profile.filters = [
            NodeUnschedulablePlugin(), NodeNamePlugin(), taints, affinity, NodePortsPlugin(), fit,
            VolumeRestrictionsPlugin(), NodeVolumeLimitsPlugin(), VolumeBindingPlugin(),
            VolumeZonePlugin(), spread, pods,
        ]
        profile.scores = [
            Weighted(taints, 3), Weighted(affinity, 2), Weighted(fit, 1), Weighted(spread, 2),
            Weighted(pods, 2), Weighted(BalancedAllocationPlugin(), 1),
            Weighted(ImageLocalityPlugin(), 1),
        ]
        return profile
    }
}

/// How many nodes preemption tries.
package struct PreemptionArguments: Sendable, Hashable {
    /// The least share of the nodes that might do, in percent.
    package var minimumCandidatePercentage: Int
    /// The least number of them.
    package var minimumCandidates: Int

    package init(minimumCandidatePercentage: Int = 10, minimumCandidates: Int = 100) {
        self.minimumCandidatePercentage = minimumCandidatePercentage
        self.minimumCandidates = minimumCandidates
    }

    /// How many candidates to look for among a number of nodes.
    func candidates(of nodes: Int) -> Int {
        min(
            max(nodes * self.minimumCandidatePercentage / 100, self.minimumCandidates),
            nodes
        )
    }
}
