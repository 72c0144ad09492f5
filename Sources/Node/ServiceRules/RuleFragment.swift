// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What one Service adds to the table: chains with their rules, and elements of the maps and sets.
public struct RuleFragment: Sendable, Hashable {
    /// Chains by name, each with its rules in order.
    public internal(set) var chains: [String: [String]] = [:]
    /// Sets of clients that keep their endpoint, by name, with their time in seconds.
    public internal(set) var affinitySets: [String: Int] = [:]
    /// Elements by map or set and key; the value is empty in a set.
    public internal(set) var elements: [Collection: [String: String]] = [:]

    /// The maps and sets of the table that packets are looked up in.
    public enum Collection: String, Sendable, Hashable, CaseIterable {
        /// Address, protocol and port, to the chain of a Service.
        case services = "services"
        /// Protocol and port of this node, to the chain of a Service.
        case nodePorts = "node-ports"
        /// As `services`, for those that are refused or dropped.
        case refused = "refused"
        /// As `nodePorts`, for those that are refused or dropped.
        case refusedNodePorts = "refused-node-ports"
        /// Pairs of an endpoint with itself: it reached itself through a Service.
        case hairpins = "hairpins"
    }

    public init() {}

    mutating func add(_ collection: Collection, _ key: String, _ value: String = "") {
        self.elements[collection, default: [:]][key] = value
    }
}

/// What the rules of every Service depend on.
public struct RuleContext: Sendable, Hashable {
    public var family: AddressFamily
    /// The range of the cluster's pods; traffic to a Service from elsewhere is masqueraded. Empty
    /// when it is not known: nothing is then.
    public var clusterRange: String
    /// The zone of this node; empty for none.
    public var zone: String

    public init(family: AddressFamily, clusterRange: String = "", zone: String = "") {
        self.family = family
        self.clusterRange = clusterRange
        self.zone = zone
    }
}
