// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// The kernel's links, addresses and routes, as far as Apus changes them: only what it has made
/// itself is ever taken away. Not for use by two tasks at once.
public final class RouteTable {
    private let socket: NetlinkSocket

    private enum Kind {
        static let getLink: UInt16 = 18
        static let newAddress: UInt16 = 20
        static let deleteAddress: UInt16 = 21
        static let getAddress: UInt16 = 22
        static let newRoute: UInt16 = 24
        static let deleteRoute: UInt16 = 25
        static let getRoute: UInt16 = 26
    }

    public init() throws(NetlinkError) {
        self.socket = try NetlinkSocket(.route)
    }

    /// The routes that we have made.
    public func routes() throws(NetlinkError) -> [IPRoute] {
        var found: [IPRoute] = []
        for family in [AddressFamilyNumber.ipv4, AddressFamilyNumber.ipv6] {
            let answers = try self.socket.request(
                "list routes",
                type: Kind.getRoute,
                flags: NetlinkSocket.Flags.dump,
                [family] + [UInt8](repeating: 0, count: 11)
            )
            found += answers.filter { $0.type == Kind.newRoute }.compactMap {
                IPRoute($0.payload)
            }
        }
        return found
    }

    /// Adds a route; one that somebody else has made to the same range is left, and an error.
    public func add(_ route: IPRoute) throws(NetlinkError) {
        try self.socket.request(
            "add route \(Self.text(route))",
            type: Kind.newRoute,
            flags: NetlinkSocket.Flags.create | NetlinkSocket.Flags.exclusive,
            route.message
        )
    }

    /// Takes a route away; it may be gone.
    public func remove(_ route: IPRoute) throws(NetlinkError) {
        do throws(NetlinkError) {
            try self.socket.request(
                "remove route \(Self.text(route))",
                type: Kind.deleteRoute,
                route.message
            )
        } catch  where error.errno == ESRCH || error.errno == ENODEV {}
    }

    /// Every address of this machine.
    public func addresses() throws(NetlinkError) -> [InterfaceAddress] {
        try self.socket.request(
            "list addresses",
            type: Kind.getAddress,
            flags: NetlinkSocket.Flags.dump,
            [UInt8](repeating: 0, count: 8)
        ).filter { $0.type == Kind.newAddress }.compactMap { InterfaceAddress($0.payload) }
    }

    /// Adds an address to an interface; it may be there.
    public func add(_ address: InterfaceAddress) throws(NetlinkError) {
        do throws(NetlinkError) {
            try self.socket.request(
                "add address \(Self.text(address.address))",
                type: Kind.newAddress,
                flags: NetlinkSocket.Flags.create | NetlinkSocket.Flags.exclusive,
                address.message
            )
        } catch  where error.errno == EEXIST {}
    }

    /// Takes an address away; it may be gone.
    public func remove(_ address: InterfaceAddress) throws(NetlinkError) {
        do throws(NetlinkError) {
            try self.socket.request(
                "remove address \(Self.text(address.address))",
                type: Kind.deleteAddress,
                address.message
            )
        } catch  where error.errno == EADDRNOTAVAIL || error.errno == ENODEV {}
    }

    /// The hardware address of an interface; nil when it has none of six bytes.
    public func hardwareAddress(of interface: UInt32) throws(NetlinkError) -> [UInt8]? {
        let address = try self.link(interface)[1]
        return address.flatMap { $0.count == 6 ? $0 : nil }
    }

    /// The largest packet that an interface sends, in bytes.
    public func largestPacket(of interface: UInt32) throws(NetlinkError) -> UInt32? {
        try self.link(interface)[4].flatMap { bytes in
            var reader = NetlinkReader(bytes)
            return reader.uint32()
        }
    }

    /// The attributes of an interface (`IFLA_*`).
    private func link(_ interface: UInt32) throws(NetlinkError) -> [UInt16: [UInt8]] {
        var writer = NetlinkWriter()
        // struct ifinfomsg: family, padding, type, number, flags, change.
        writer.append(UInt32(0))
        writer.append(interface)
        writer.append(UInt64(0))
        let answers = try self.socket.request(
            "look at interface \(interface)",
            type: Kind.getLink,
            writer.bytes
        )
        guard let answer = answers.first, answer.payload.count >= 16 else { return [:] }
        return NetlinkReader.attributes(Array(answer.payload.dropFirst(16)))
    }

    private static func text(_ route: IPRoute) -> String {
        "\(Self.text(route.destination))/\(route.prefixLength) via \(Self.text(route.gateway))"
    }

    private static func text(_ address: [UInt8]) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = address.count == 4 ? AF_INET : AF_INET6
        guard address.count == 4 || address.count == 16,
            inet_ntop(family, address, &buffer, socklen_t(buffer.count)) != nil
        else { return "\(address)" }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }
}
