// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Netlink

/// Routes and announced addresses of this machine: compares what the kernel has with what is wanted.
///
/// Only what Apus has made is ever looked at, so that what people and programs have set up stays.
struct NodeNetwork {
    private let table: RouteTable

    init() throws(NetlinkError) {
        self.table = try RouteTable()
    }

    /// What could not be done; to be tried again.
    func keep(routes wanted: Set<IPRoute>) -> [NetlinkError] {
        self.collect { () throws(NetlinkError) in
            let present = Set(try self.table.routes())
            // First away, so that a range that moves to another node has room.
            var failures = self.each(present.subtracting(wanted), self.table.remove)
            failures += self.each(wanted.subtracting(present), self.table.add)
            return failures
        }
    }

    /// Gives this machine the addresses and tells the neighbours.
    ///
    /// - Parameters:
    ///   - node: the node's own addresses, whose interface is taken for an address that is in no
    ///     interface's range.
    ///   - again: whether the neighbours are told of those that are there as well.
    func keep(
        addresses wanted: Set<[UInt8]>,
        node: [[UInt8]],
        again: Bool
    ) -> [NetlinkError] {
        self.collect { () throws(NetlinkError) in
            let all = try self.table.addresses()
            let present = all.filter(\.isOwn)
            var failures = self.each(
                present.filter { !wanted.contains($0.address) },
                self.table.remove
            )
            let there = Set(present.map(\.address))
            for address in wanted where again || !there.contains(address) {
                let others = all.filter { !$0.isOwn }
                let neighbour =
                    others.first { $0.isNeighbour(address) && $0.prefixLength > 0 }
                    ?? others.first { node.contains($0.address) }
                guard let interface = neighbour?.interface else { continue }
                failures += self.collect { () throws(NetlinkError) in
                    try self.table.add(
                        InterfaceAddress(
                            interface: interface,
                            address: address,
                            prefixLength: UInt8(address.count * 8)
                        )
                    )
                    if let hardware = try self.table.hardwareAddress(of: interface) {
                        try NeighbourAnnouncement.send(address, hardware: hardware, on: interface)
                    }
                    return []
                }
            }
            return failures
        }
    }

    private func each<Item>(
        _ items: some Collection<Item>,
        _ body: (Item) throws(NetlinkError) -> Void
    ) -> [NetlinkError] {
        var failures: [NetlinkError] = []
        for item in items {
            do throws(NetlinkError) { try body(item) } catch { failures.append(error) }
        }
        return failures
    }

    private func collect(
        _ body: () throws(NetlinkError) -> [NetlinkError]
    ) -> [NetlinkError] {
        do throws(NetlinkError) { return try body() } catch { return [error] }
    }
}
