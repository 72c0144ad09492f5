// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules
import Netlink
import ServiceRules

/// Makes the kernel forget UDP connections to Services whose endpoint is gone: it would send the
/// packets of a client that goes on there for ever.
///
/// Source: upstream `pkg/proxy/conntrack/cleanup.go`.
struct StaleConnections {
    private var tracking: ConnectionTracking?

    /// Whether a change touches Services over UDP.
    static func isNeeded(_ script: String) -> Bool { script.contains(" udp . ") }

    /// Compares the kernel's memory with the tables; how many were forgotten by family.
    mutating func forget(_ tables: [RuleTable]) throws(NetlinkError) -> [(AddressFamily, Int)] {
        let tracking: ConnectionTracking
        if let open = self.tracking { tracking = open } else { tracking = try ConnectionTracking() }
        self.tracking = tracking
        var counts: [(AddressFamily, Int)] = []
        for table in tables {
            let entries = try tracking.entries(
                addressBytes: table.family == .ipv4 ? 4 : 16,
                transport: ConnectionTracking.udp
            )
            var count = 0
            for entry in entries where Self.isStale(entry, table) {
                try tracking.remove(entry)
                count += 1
            }
            counts.append((table.family, count))
        }
        return counts
    }

    private static func isStale(_ entry: ConnectionTracking.Entry, _ table: RuleTable) -> Bool {
        guard let destination = IPAddress(bytes: entry.destination),
            let answering = IPAddress(bytes: entry.answering)
        else { return false }
        return self.isStale(
            destination: destination.description,
            port: entry.destinationPort,
            place: "\(answering) . \(entry.answeringPort)",
            table
        )
    }

    /// Whether what a packet asked for is a Service's, and who answers is none of its endpoints.
    static func isStale(
        destination: String,
        port: UInt16,
        place: String,
        _ table: RuleTable
    ) -> Bool {
        let key = "\(destination) . udp . \(port)"
        let nodeKey = "udp . \(port)"
        if let element = table.element(.services, key) { return !element.places.contains(place) }
        if table.element(.refused, key) != nil { return true }
        guard table.options.nodePortAddresses?.contains(destination) ?? true else { return false }
        if let element = table.element(.nodePorts, nodeKey) {
            return !element.places.contains(place)
        }
        return table.element(.refusedNodePorts, nodeKey) != nil
    }
}
