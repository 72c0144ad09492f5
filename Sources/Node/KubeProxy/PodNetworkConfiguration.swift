// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The CNI configuration of a node's pods, from the node's range: a bridge, addresses given out on
/// the node, host ports, and the bandwidth that annotations of pods ask for.
public struct PodNetworkConfiguration: Sendable, Hashable {
    /// The node's ranges, at most one of each family.
    public var ranges: [String]
    /// The name of the bridge: at most 15 characters.
    public var bridge: String
    /// Where the addresses that are in use are kept.
    public var dataDirectory: String
    /// The largest packet of the link between nodes, in bytes; nil for the kernel's 1,500. Pods that
    /// sent larger ones to other nodes would have to be told, and not every network tells.
    public var largestPacket: UInt32?

    public init(ranges: [String], bridge: String = "apus0", dataDirectory: String) {
        self.ranges = ranges
        self.bridge = bridge
        self.dataDirectory = dataDirectory
    }

    /// Masquerading is ours, in nftables; host ports are the portmap plugin's.
    public var json: String {
        let ranges = self.ranges.map { "[{\"subnet\": \"\($0)\"}]" }.joined(separator: ", ")
        let routes = self.ranges.map { range in
            range.utf8.contains(UInt8(ascii: ":")) ? #"{"dst": "::/0"}"# : #"{"dst": "0.0.0.0/0"}"#
        }.joined(separator: ", ")
        let mtu = self.largestPacket.map { "\n      \"mtu\": \($0)," } ?? ""
        return """
            {
              "cniVersion": "0.4.0",
              "name": "apus",
              "plugins": [
                {
                  "type": "bridge",
                  "bridge": "\(self.bridge)",
                  "isGateway": true,
                  "ipMasq": false,
                  "hairpinMode": true,\(mtu)
                  "ipam": {
                    "type": "host-local",
                    "ranges": [\(ranges)],
                    "routes": [\(routes)],
                    "dataDir": "\(self.dataDirectory)"
                  }
                },
                {"type": "portmap", "capabilities": {"portMappings": true}},
                {"type": "bandwidth", "capabilities": {"bandwidth": true}}
              ]
            }

            """
    }
}
