// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What one Service adds to the table: elements of the maps and sets, and, where the shared chains
/// cannot do, chains of its own.
public struct RuleFragment: Sendable, Hashable {
    /// Chains by name, each with its rules in order.
    public internal(set) var chains: [String: [String]] = [:]
    /// Sets of clients that keep their endpoint, by name, with their time in seconds.
    public internal(set) var affinitySets: [String: Int] = [:]
    /// Elements by map or set and key.
    public internal(set) var elements: [Collection: [String: Element]] = [:]

    /// The maps and sets of the table that packets are looked up in.
    public enum Collection: String, Sendable, Hashable, CaseIterable {
        /// Address, protocol and port, to what is done with the packet.
        case services = "services"
        /// Protocol and port of this node, to what is done with the packet.
        case nodePorts = "node-ports"
        /// As `services`, for those that are refused or dropped.
        case refused = "refused"
        /// As `nodePorts`, for those that are refused or dropped.
        case refusedNodePorts = "refused-node-ports"
        /// Cluster addresses in use: their other ports are refused.
        case clusterAddresses = "cluster-addresses"
        /// Pairs of an endpoint of this node with itself: it reached itself through a Service.
        case hairpins = "hairpins"

        /// The map with the endpoints of the keys of this one.
        var endpoints: String? {
            switch self {
            case .services: "endpoints"
            case .nodePorts: "node-port-endpoints"
            case .refused, .refusedNodePorts, .clusterAddresses, .hairpins: nil
            }
        }
    }

    /// What stands behind a key.
    public struct Element: Sendable, Hashable {
        public var verdict: Verdict
        /// The endpoints as `address . port`, in order: those that a shared chain chooses from, or
        /// that a chain of the Service's leads to.
        public var places: [String]

        /// How many elements of the map of endpoints there are for the key.
        var count: Int {
            switch self.verdict {
            case .shared, .guarded: self.places.count
            case .none, .chain, .refuse, .drop: 0
            }
        }
    }

    /// What is done with a packet.
    public enum Verdict: Sendable, Hashable {
        /// In sets, where being there is all.
        case none
        /// To one of a number of endpoints, by a chain that all Services share.
        case shared(SharedChain)
        /// To a chain of the Service's own.
        case chain(String)
        /// The same, to one that leads on to a shared chain.
        case guarded(String)
        case refuse
        case drop

        var text: String {
            switch self {
            case .none: ""
            case .shared(let chain): "goto \(chain.name)"
            case .chain(let name), .guarded(let name): "goto \(name)"
            case .refuse: "goto refuse"
            case .drop: "drop"
            }
        }
    }

    public init() {}

    /// The shared chains that this fragment needs.
    var sharedChains: Set<SharedChain> {
        var found: Set<SharedChain> = []
        for elements in self.elements.values {
            for element in elements.values {
                if case .shared(let chain) = element.verdict { found.insert(chain) }
            }
        }
        // A firewall leads to one as well.
        return found.union(self.firewallChains)
    }

    /// Shared chains that chains of this fragment lead to.
    var firewallChains: Set<SharedChain> = []

    /// 1 when packets to the cluster's address are dropped, since this node has no endpoint.
    var lacksInner: Int { self.dropped { self.isOwnAddress($0) } ? 1 : 0 }
    /// 1 when packets from outside are dropped for that reason.
    var lacksOuter: Int {
        let ports = self.elements[.refusedNodePorts]?.values.contains { $0.verdict == .drop }
        return ports ?? false || self.dropped { !self.isOwnAddress($0) } ? 1 : 0
    }

    private func dropped(_ matches: (String) -> Bool) -> Bool {
        self.elements[.refused]?.contains { $0.value.verdict == .drop && matches($0.key) } ?? false
    }

    private func isOwnAddress(_ key: String) -> Bool {
        self.elements[.clusterAddresses]?.keys.contains { key.hasPrefix("\($0) ") } ?? false
    }

    mutating func add(
        _ collection: Collection,
        _ key: String,
        _ verdict: Verdict = .none,
        _ places: [String] = []
    ) {
        self.elements[collection, default: [:]][key] = Element(verdict: verdict, places: places)
    }
}

/// A chain that sends a packet to one of so many endpoints, each as likely as the others.
///
/// The endpoints are found in a map by what the packet asks for and a random number, so that one
/// chain serves every Service with the same number of endpoints: the kernel's work for a change
/// grows with the change, not with the number of Services.
public struct SharedChain: Sendable, Hashable, Comparable {
    public enum Entrance: String, Sendable, Hashable, CaseIterable {
        /// By the cluster's address: packets from outside of the pods' range are masqueraded.
        case inner
        /// By an address outside of the cluster: every packet is masqueraded.
        case outer
        /// By a port of the node: every packet is masqueraded.
        case port
    }

    public var entrance: Entrance
    public var count: Int

    var name: String { "\(self.entrance.rawValue)-\(self.count)" }

    /// The most endpoints for which there are chains from the start.
    static let usualCount = 16

    /// The chains that there are from the start.
    static let usual = Set(
        Entrance.allCases.flatMap { entrance in
            (1...SharedChain.usualCount).map { SharedChain(entrance: entrance, count: $0) }
        }
    )

    public static func < (left: SharedChain, right: SharedChain) -> Bool {
        (left.entrance.rawValue, left.count) < (right.entrance.rawValue, right.count)
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
