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

    /// The place among all of them; a look-up in a table, since it is asked for at every refusal.
    package var number: UInt32 {
        switch self {
        case .schedulingGates: 0
        case .prioritySort: 1
        case .nodeUnschedulable: 2
        case .nodeName: 3
        case .taintToleration: 4
        case .nodeAffinity: 5
        case .nodePorts: 6
        case .nodeResourcesFit: 7
        case .volumeRestrictions: 8
        case .nodeVolumeLimits: 9
        case .volumeBinding: 10
        case .volumeZone: 11
        case .podTopologySpread: 12
        case .interPodAffinity: 13
        case .dynamicResources: 14
        case .defaultPreemption: 15
        case .nodeResourcesBalancedAllocation: 16
        case .imageLocality: 17
        case .defaultBinder: 18
        }
    }
}

/// A set of plugins.
package struct PluginNames: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package init(_ name: PluginName) {
        self.init(rawValue: 1 << name.number)
    }

    /// The plugins of the set, in their usual order.
    package var names: [PluginName] {
        PluginName.allCases.filter { self.contains(PluginNames($0)) }
    }
}
