// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI

/// A profile as it is written in the configuration.
struct ProfileConfiguration: Sendable {
    var schedulerName = "default-scheduler"
    var percentageOfNodesToScore: Int64 = 0
    var sets: [ExtensionPoint: PluginSet] = [:]
    var arguments = PluginArguments()

    init(_ reader: inout StrictReader) throws(ConfigurationError) {
        self.schedulerName = try reader.string("schedulerName") ?? self.schedulerName
        self.percentageOfNodesToScore = try reader.integer("percentageOfNodesToScore") ?? 0
        let sets = try reader.object("plugins") { item throws(ConfigurationError) in
            var sets: [ExtensionPoint: PluginSet] = [:]
            for point in ExtensionPoint.allCases {
                sets[point] = try item.object(point.rawValue) { set throws(ConfigurationError) in
                    try PluginSet(&set)
                }
            }
            return sets
        }
        self.sets = sets ?? [:]
        var known: Set<String> = []
        var arguments = PluginArguments()
        _ = try reader.objects("pluginConfig") { item throws(ConfigurationError) in
            let name = try item.string("name") ?? ""
            guard known.insert(name).inserted else {
                throw .invalid(path: item.path, "Duplicate value: \"\(name)\"")
            }
            let plugin = try PluginSet.known(name, item.path)
            _ = try item.object("args") { args throws(ConfigurationError) in
                try arguments.read(plugin, &args)
            }
        }
        self.arguments = arguments
    }

    /// The plugins that are on unless the configuration says otherwise, with their weights.
    ///
    /// Source: upstream `pkg/scheduler/apis/config/v1/default_plugins.go`.
    static let defaults: [PluginSet.Enabled] = PluginName.allCases.map { name in
        let weight: Int64 =
            switch name {
            case .taintToleration: 3
            case .nodeAffinity, .podTopologySpread, .interPodAffinity: 2
            case .nodeResourcesFit, .nodeResourcesBalancedAllocation, .imageLocality: 1
            default: 0
            }
        return PluginSet.Enabled(name: name, weight: weight)
    }

    /// The plugins at a point: what stands there in the configuration first, then those of all
    /// points.
    ///
    /// Source: upstream `pkg/scheduler/framework/runtime/framework.go`, expandMultiPointPlugins.
    private func plugins(at point: ExtensionPoint) -> [PluginSet.Enabled] {
        let own = self.sets[point] ?? PluginSet()
        let all = (self.sets[.multiPoint] ?? PluginSet()).merged(over: Self.defaults)
        var overridden: [PluginSet.Enabled] = []
        var rest: [PluginSet.Enabled] = []
        for plugin in all {
            if let explicit = own.enabled.first(where: { $0.name == plugin.name }) {
                overridden.append(explicit)
            } else if !own.disables(plugin.name) {
                rest.append(plugin)
            }
        }
        let explicit = own.enabled.filter { plugin in
            !overridden.contains { $0.name == plugin.name }
        }
        return overridden + explicit + rest
    }

    /// The profile that the configuration describes.
    func build(path: String) throws(ConfigurationError) -> Profile {
        guard (0...100).contains(self.percentageOfNodesToScore) else {
            throw .invalid(
                path: "\(path).percentageOfNodesToScore",
                "\(self.percentageOfNodesToScore): not in valid range [0-100]"
            )
        }
        guard !self.schedulerName.isEmpty else {
            throw .invalid(path: "\(path).schedulerName", "required value")
        }
        guard self.plugins(at: .queueSort).contains(where: { $0.name == .prioritySort }) else {
            throw .invalid(path: "\(path).plugins", "no queue sort plugin is enabled")
        }
        guard self.plugins(at: .bind).contains(where: { $0.name == .defaultBinder }) else {
            throw .invalid(path: "\(path).plugins", "at least one bind plugin is needed")
        }
        var profile = Profile()
        profile.name = self.schedulerName
        profile.percentageOfNodesToScore = self.percentageOfNodesToScore
        profile.bindTimeout = self.arguments.bindTimeout
        if self.plugins(at: .preEnqueue).contains(where: { $0.name == .schedulingGates }) {
            profile.preEnqueue = [SchedulingGatesPlugin()]
        }
        profile.filters = self.plugins(at: .filter).compactMap {
            self.arguments.plugin($0.name) as? any FilterPlugin
        }
        profile.scores = self.plugins(at: .score).compactMap { enabled in
            (self.arguments.plugin(enabled.name) as? any ScorePlugin).map { plugin in
                Profile.Weighted(plugin, enabled.weight == 0 ? 1 : enabled.weight)
            }
        }
        let after = self.plugins(at: .postFilter)
        profile.preemption =
            after.contains { $0.name == .defaultPreemption } ? self.arguments.preemption : nil
        profile.mentionsClaims = after.contains { $0.name == .dynamicResources }
        return profile
    }
}
