// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ServiceRules

extension KubeProxy {
    public struct Configuration: Sendable {
        public var nodeName: String
        /// The range of all pods; empty when it is not known; one of each family, with a comma.
        public var clusterRange = ""
        /// The folder that the CNI configuration is written to; nil to leave it alone, and the
        /// routes to other nodes with it.
        public var networkDirectory: String?
        /// Where the addresses of pods are kept.
        public var networkData = "/var/lib/cni/networks"
        public var bridge = "apus0"
        public var families: [AddressFamily] = AddressFamily.allCases
        /// Which addresses of the node serve node ports.
        public var nodePortAddresses = NodePortAddresses.primary
        public var masqueradesAll = false
        public var masqueradeBit = 14
        /// What the kernel is to remember of connections; nil leaves it alone.
        public var connections: ConnectionLimits?

        public init(nodeName: String) {
            self.nodeName = nodeName
        }

        /// The part of the cluster's range that is of a family.
        func clusterRange(_ family: AddressFamily) -> String {
            self.clusterRange.split(separator: ",").map(String.init)
                .first { family.accepts(range: $0) } ?? ""
        }
    }

    /// Which addresses of the node serve node ports: upstream's `--nodeport-addresses`.
    public enum NodePortAddresses: Sendable, Hashable {
        /// The first internal address of each family: the default.
        case primary
        /// Those in any of the ranges.
        case ranges([String])

        public init(_ texts: [String]) {
            self = texts.isEmpty || texts == ["primary"] ? .primary : .ranges(texts)
        }

        /// Whether they are all addresses of a family.
        func isEverything(_ family: AddressFamily) -> Bool {
            guard case .ranges(let ranges) = self else { return false }
            return ranges.contains(family == .ipv4 ? "0.0.0.0/0" : "::/0")
        }
    }
}
