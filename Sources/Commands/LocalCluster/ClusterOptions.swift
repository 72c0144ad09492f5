// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What can be chosen about a cluster on this machine.
public struct ClusterOptions: Sendable, Hashable {
    public var layout: ClusterLayout
    /// The name of this node.
    public var nodeName: String
    /// The address by which others reach this machine; empty on a node that joined and finds its
    /// address itself.
    public var nodeAddress: String
    /// The range of Service addresses; its first is the API server's, its tenth the DNS server's.
    public var serviceRange: IPv4Range
    /// The range that nodes get their pods' addresses from.
    public var podRange: IPv4Range
    public var clusterDomain: String
    /// The control plane alone, which needs no root.
    public var controlPlaneOnly: Bool
    /// etcd servers that are used in place of our own store; empty for our own.
    public var etcdServers: [String]
    /// Components that are not started.
    public var disabled: Set<String>
    /// Further arguments of components, by name: the last words of their command lines.
    public var extraArguments: [String: [String]]
    /// How much components log.
    public var verbosity: Int
    /// The API server of the cluster that this machine has joined as a node; nil for a cluster of
    /// its own.
    public var server: String?

    public init(
        layout: ClusterLayout,
        nodeName: String,
        nodeAddress: String,
        serviceRange: IPv4Range = .defaultServices,
        podRange: IPv4Range = .defaultPods,
        clusterDomain: String = "cluster.local",
        controlPlaneOnly: Bool = false,
        etcdServers: [String] = [],
        disabled: Set<String> = [],
        extraArguments: [String: [String]] = [:],
        verbosity: Int = 0
    ) {
        self.layout = layout
        self.nodeName = nodeName
        self.nodeAddress = nodeAddress
        self.serviceRange = serviceRange
        self.podRange = podRange
        self.clusterDomain = clusterDomain
        self.controlPlaneOnly = controlPlaneOnly
        self.etcdServers = etcdServers
        self.disabled = disabled
        self.extraArguments = extraArguments
        self.verbosity = verbosity
    }
}

/// A range of IPv4 addresses, as in `10.96.0.0/12`.
public struct IPv4Range: Sendable, Hashable, CustomStringConvertible {
    public let base: UInt32
    public let prefixLength: Int

    /// Reads `10.96.0.0/12`; nil when it is none, or has bits behind its prefix.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let length = Int(parts[1]), (0...32).contains(length) else {
            return nil
        }
        let octets = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard octets.count == 4 else { return nil }
        var base: UInt32 = 0
        for octet in octets {
            guard let value = UInt8(octet), String(value) == octet else { return nil }
            base = base << 8 | UInt32(value)
        }
        let mask = length == 0 ? 0 : UInt32.max << UInt32(32 - length)
        guard base & ~mask == 0 else { return nil }
        self.init(base: base, prefixLength: length)
    }

    private init(base: UInt32, prefixLength: Int) {
        self.base = base
        self.prefixLength = prefixLength
    }

    /// kubeadm's and upstream's usual ranges.
    public static let defaultServices = IPv4Range(base: 10 << 24 | 96 << 16, prefixLength: 12)
    public static let defaultPods = IPv4Range(base: 10 << 24 | 244 << 16, prefixLength: 16)

    /// The address at an index from the start of the range.
    public func address(_ index: UInt32) -> String {
        let value = self.base &+ index
        return [24, 16, 8, 0].map { String((value >> UInt32($0)) & 0xFF) }.joined(separator: ".")
    }

    public var description: String { "\(self.address(0))/\(self.prefixLength)" }
}
