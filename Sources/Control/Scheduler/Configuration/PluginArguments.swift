// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI

/// The arguments of all plugins of a profile.
struct PluginArguments: Sendable {
    var preemption = PreemptionArguments()
    var affinity = InterPodAffinityPlugin()
    var nodeAffinity = NodeAffinityPlugin()
    var fit = NodeResourcesFitPlugin()
    var balance = BalancedAllocationPlugin()
    var spread = PodTopologySpreadPlugin()
    /// How long claims may take to be bound.
    var bindTimeout: Duration = .seconds(600)

    /// The plugin of a name; nil for one that neither filters, scores nor keeps pods back.
    func plugin(_ name: PluginName) -> (any Plugin)? {
        switch name {
        case .schedulingGates: SchedulingGatesPlugin()
        case .nodeUnschedulable: NodeUnschedulablePlugin()
        case .nodeName: NodeNamePlugin()
        case .taintToleration: TaintTolerationPlugin()
        case .nodeAffinity: self.nodeAffinity
        case .nodePorts: NodePortsPlugin()
        case .nodeResourcesFit: self.fit
        case .podTopologySpread: self.spread
        case .interPodAffinity: self.affinity
        case .nodeResourcesBalancedAllocation: self.balance
        case .imageLocality: ImageLocalityPlugin()
        case .volumeRestrictions: VolumeRestrictionsPlugin()
        case .nodeVolumeLimits: NodeVolumeLimitsPlugin()
        case .volumeBinding: VolumeBindingPlugin()
        case .volumeZone: VolumeZonePlugin()
        case .prioritySort, .dynamicResources, .defaultPreemption, .defaultBinder: nil
        }
    }

    /// Reads the arguments of a plugin.
    mutating func read(
        _ name: PluginName,
        _ reader: inout StrictReader
    ) throws(ConfigurationError) {
        _ = try reader.string("apiVersion")
        _ = try reader.string("kind")
        switch name {
        case .defaultPreemption: try self.readPreemption(&reader)
        case .interPodAffinity: try self.readAffinity(&reader)
        case .nodeAffinity:
            self.nodeAffinity = NodeAffinityPlugin(
                addedAffinity: try reader.message("addedAffinity")
            )
        case .nodeResourcesFit: try self.readFit(&reader)
        case .nodeResourcesBalancedAllocation:
            if let resources = try Self.resources(&reader) {
                self.balance = BalancedAllocationPlugin(resources: resources)
            }
        case .podTopologySpread: try self.readSpread(&reader)
        case .volumeBinding:
            let seconds = try reader.integer("bindTimeoutSeconds") ?? 600
            guard seconds >= 0 else {
                throw .invalid(
                    path: reader.path("bindTimeoutSeconds"),
                    "\(seconds): invalid BindTimeoutSeconds, should not be a negative value"
                )
            }
            self.bindTimeout = .seconds(seconds)
            // Of a score that is off by default upstream, and is not there here.
            _ = try Self.shape(&reader)
        case .dynamicResources:
            _ = try reader.duration("filterTimeout")
            _ = try reader.duration("bindingTimeout")
        case .schedulingGates, .prioritySort, .nodeUnschedulable, .nodeName, .taintToleration,
            .nodePorts, .volumeRestrictions, .nodeVolumeLimits, .volumeZone, .imageLocality,
            .defaultBinder:
            throw .invalid(path: reader.path, "\(name.rawValue) has no arguments")
        }
    }

    private mutating func readPreemption(
        _ reader: inout StrictReader
    ) throws(ConfigurationError) {
        let percentage = try reader.integer("minCandidateNodesPercentage") ?? 10
        let absolute = try reader.integer("minCandidateNodesAbsolute") ?? 100
        guard (0...100).contains(percentage) else {
            throw .invalid(
                path: reader.path("minCandidateNodesPercentage"),
                "\(percentage): not in valid range [0, 100]"
            )
        }
        guard absolute >= 0 else {
            throw .invalid(
                path: reader.path("minCandidateNodesAbsolute"),
                "\(absolute): not in valid range [0, inf)"
            )
        }
        guard percentage > 0 || absolute > 0 else {
            throw .invalid(
                path: reader.path,
                "minCandidateNodesPercentage and minCandidateNodesAbsolute can not be 0 at the "
                    + "same time"
            )
        }
        self.preemption = PreemptionArguments(
            minimumCandidatePercentage: Int(percentage),
            minimumCandidates: Int(absolute)
        )
    }

    private mutating func readAffinity(_ reader: inout StrictReader) throws(ConfigurationError) {
        let weight = try reader.integer("hardPodAffinityWeight") ?? 1
        guard (0...100).contains(weight) else {
            throw .invalid(
                path: reader.path("hardPodAffinityWeight"),
                "\(weight): not in valid range [0, 100]"
            )
        }
        self.affinity = InterPodAffinityPlugin(
            hardPodAffinityWeight: weight,
            ignoresPreferencesOfExistingPods:
                try reader.bool("ignorePreferredTermsOfExistingPods") ?? false
        )
    }

    private mutating func readSpread(_ reader: inout StrictReader) throws(ConfigurationError) {
        let constraints: [CoreV1.TopologySpreadConstraint] =
            try reader.messages("defaultConstraints") ?? []
        let kind = try reader.string("defaultingType") ?? "System"
        switch kind {
        case "System":
            guard constraints.isEmpty else {
                throw .invalid(
                    path: reader.path("defaultingType"),
                    "when .defaultConstraints are specified, defaultingType must be List"
                )
            }
        case "List":
            self.spread = PodTopologySpreadPlugin(
                defaults: SpreadDefaults(constraints: constraints, isSystem: false)
            )
        default:
            throw .invalid(
                path: reader.path("defaultingType"),
                "Unsupported value: \"\(kind)\": supported values: \"System\", \"List\""
            )
        }
    }

    private mutating func readFit(_ reader: inout StrictReader) throws(ConfigurationError) {
        let strategy = try reader.object("scoringStrategy") { item throws(ConfigurationError) in
            try Self.strategy(&item)
        }
        self.fit = NodeResourcesFitPlugin(
            ignoredResources: Set(try reader.strings("ignoredResources") ?? []),
            ignoredGroups: Set(try reader.strings("ignoredResourceGroups") ?? []),
            strategy: strategy ?? self.fit.strategy
        )
    }

    private static func strategy(
        _ reader: inout StrictReader
    ) throws(ConfigurationError) -> ScoringStrategy {
        let type = try reader.string("type") ?? "LeastAllocated"
        let resources = try self.resources(&reader) ?? ScoringStrategy.defaultResources
        let shape = try reader.object("requestedToCapacityRatio") {
            item throws(ConfigurationError) in
            try self.shape(&item)
        }
        switch type {
        case "LeastAllocated": return .leastAllocated(resources)
        case "MostAllocated": return .mostAllocated(resources)
        case "RequestedToCapacityRatio":
            guard let points = shape ?? nil else {
                throw .invalid(
                    path: reader.path("requestedToCapacityRatio.shape"),
                    "at least one point must be specified"
                )
            }
            return .requestedToCapacityRatio(resources, shape: points)
        default:
            throw .invalid(path: reader.path("type"), "\"\(type)\": unknown scoring strategy")
        }
    }

    private static func resources(
        _ reader: inout StrictReader
    ) throws(ConfigurationError) -> [ScoringStrategy.Weighted]? {
        let resources = try reader.objects("resources") { item throws(ConfigurationError) in
            let weight = try item.integer("weight") ?? 1
            guard (1...100).contains(weight) else {
                throw .invalid(
                    path: item.path("weight"),
                    "\(weight): resource weight not in valid range [1, 100]"
                )
            }
            return ScoringStrategy.Weighted(try item.string("name") ?? "", weight)
        }
        guard let resources, !resources.isEmpty else { return nil }
        return resources
    }

    /// Points in the order of their utilization.
    private static func shape(
        _ reader: inout StrictReader
    ) throws(ConfigurationError) -> [ScoringStrategy.Point]? {
        let points = try reader.objects("shape") { item throws(ConfigurationError) in
            let utilization = try item.integer("utilization") ?? 0
            let score = try item.integer("score") ?? 0
            guard (0...100).contains(utilization), (0...10).contains(score) else {
                throw .invalid(
                    path: item.path,
                    "utilization must be in [0, 100] and score in [0, 10]"
                )
            }
            return ScoringStrategy.Point(utilization: utilization, score: score)
        }
        guard let points, !points.isEmpty else { return nil }
        for (left, right) in zip(points, points.dropFirst())
        where left.utilization >= right.utilization {
            throw .invalid(
                path: reader.path("shape"),
                "utilization values must be sorted in increasing order"
            )
        }
        return points
    }
}
