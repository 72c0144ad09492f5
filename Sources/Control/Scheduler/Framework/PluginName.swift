// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The plugins that there are, by upstream's names.
package enum PluginName: String, Sendable, Hashable, CaseIterable {
    case schedulingGates = "SchedulingGates"
    case prioritySort = "PrioritySort"
    case nodeUnschedulable = "NodeUnschedulable"
    case nodeName = "NodeName"
    case taintToleration = "TaintToleration"
    case nodeAffinity = "NodeAffinity"
    case nodePorts = "NodePorts"
    case nodeResourcesFit = "NodeResourcesFit"
    case volumeRestrictions = "VolumeRestrictions"
    case nodeVolumeLimits = "NodeVolumeLimits"
    case volumeBinding = "VolumeBinding"
    case volumeZone = "VolumeZone"
    case podTopologySpread = "PodTopologySpread"
    case interPodAffinity = "InterPodAffinity"
    case dynamicResources = "DynamicResources"
    case defaultPreemption = "DefaultPreemption"
    case nodeResourcesBalancedAllocation = "NodeResourcesBalancedAllocation"
    case imageLocality = "ImageLocality"
    case defaultBinder = "DefaultBinder"
}

/// A set of plugins.
package struct PluginNames: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package init(_ name: PluginName) {
        let index = PluginName.allCases.firstIndex(of: name) ?? 0
        self.init(rawValue: 1 << UInt32(index))
    }

    /// The plugins of the set, in their usual order.
    package var names: [PluginName] {
        PluginName.allCases.filter { self.contains(PluginNames($0)) }
    }
}
