// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Netlink

/// The messages' golden vectors are for machines with the least significant byte first, as all that
/// Apus runs on.
@Suite("Netlink messages")
struct NetlinkMessageTests {
    @Test("attributes are padded to four bytes, and read back")
    func attributes() {
        var writer = NetlinkWriter()
        writer.attribute(1, [9])
        writer.attribute(2, UInt32(7))
        writer.nested(3) { $0.attribute(4, [1, 2, 3, 4, 5]) }
        #expect(writer.bytes.prefix(8) == [5, 0, 1, 0, 9, 0, 0, 0])
        #expect(writer.bytes.count == 8 + 8 + 4 + 12)
        let found = NetlinkReader.attributes(writer.bytes)
        #expect(found[1] == [9])
        #expect(found[2] == [7, 0, 0, 0])
        #expect(found[3].map(NetlinkReader.attributes) == [4: [1, 2, 3, 4, 5]])
    }

    @Test("a route is what iproute2 sends for the same")
    func route() {
        let route = IPRoute(
            destination: [10, 244, 1, 0],
            prefixLength: 24,
            gateway: [192, 0, 2, 7]
        )
        #expect(
            route.message == [
                2, 24, 0, 0, 254, 0x61, 0, 1, 0, 0, 0, 0,
                8, 0, 1, 0, 10, 244, 1, 0,
                8, 0, 5, 0, 192, 0, 2, 7,
            ]
        )
        #expect(IPRoute(route.message) == route)
        var other = route.message
        other[5] = 4
        #expect(IPRoute(other) == nil, "somebody else's")
    }

    @Test("an address of an interface, and who made it")
    func address() {
        let address = InterfaceAddress(
            interface: 3,
            address: Array(repeating: 0xFD, count: 16),
            prefixLength: 128
        )
        #expect(InterfaceAddress(address.message) == address)
        var plain = NetlinkWriter()
        plain.append([2, 24, 0, 0])
        plain.append(UInt32(2))
        plain.attribute(2, [192, 0, 2, 1])
        #expect(InterfaceAddress(plain.bytes)?.isOwn == false)
    }

    @Test(
        "which addresses neighbours ask for on an interface",
        arguments: [
            ([192, 0, 2, 200], 24, true), ([192, 0, 3, 1], 24, false), ([192, 0, 3, 1], 23, true),
            ([192, 0, 4, 1], 23, false), ([192, 0, 2, 1], 32, true), ([192, 0, 2, 2], 32, false),
            ([1, 2, 3, 4], 0, true),
        ] as [([UInt8], UInt8, Bool)]
    )
    func neighbours(other: [UInt8], length: UInt8, expected: Bool) {
        let address = InterfaceAddress(
            interface: 1,
            address: [192, 0, 2, 1],
            prefixLength: length
        )
        #expect(address.isNeighbour(other) == expected)
        #expect(!address.isNeighbour([UInt8](repeating: 0, count: 16)))
    }

    /// A dump of two messages as the kernel sends them.
    private static var datagram: [UInt8] {
        var writer = NetlinkWriter()
        for (type, payload) in [(UInt16(24), Self.routeMessage), (3, [0, 0, 0, 0])] {
            writer.append(UInt32(16 + payload.count))
            writer.append(type)
            writer.append(UInt16(2))
            writer.append(UInt32(1))
            writer.append(UInt32(0))
            writer.append(payload)
        }
        return writer.bytes
    }

    private static let routeMessage = IPRoute(
        destination: [10, 0, 0, 0],
        prefixLength: 8,
        gateway: [192, 0, 2, 1]
    ).message

    @Test("a datagram cut at any byte gives whole messages alone")
    func truncation() {
        let whole = Self.datagram
        #expect(NetlinkMessage.parse(whole).map(\.type) == [24, 3])
        for length in whole.indices {
            let messages = NetlinkMessage.parse(Array(whole.prefix(length)))
            #expect(messages.count <= 1)
            for message in messages { #expect(message.payload == Self.routeMessage) }
        }
    }

    @Test("nothing that a peer sends is read past its end: 20,000 changed datagrams")
    func fuzz() {
        var state: UInt64 = 8
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        for _ in 0..<20_000 {
            var bytes = Self.datagram
            for _ in 0..<(next() % 6 + 1) {
                bytes[Int(next()) % bytes.count] = UInt8(truncatingIfNeeded: next())
            }
            fuzzNetlink(bytes)
        }
    }

    @Test("announcements are frames that neighbours understand")
    func frames() {
        let hardware: [UInt8] = [2, 0, 0, 0, 0, 1]
        let arp = NeighbourAnnouncement.frame([192, 0, 2, 9], hardware: hardware)
        #expect(
            arp == [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6]
                + [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192, 0, 2, 9]
                + [0, 0, 0, 0, 0, 0, 192, 0, 2, 9]
        )
        let six = [0xFD] + [UInt8](repeating: 0, count: 14) + [9]
        let advertisement = NeighbourAnnouncement.frame(six, hardware: hardware) ?? []
        #expect(advertisement.count == 14 + 40 + 32)
        // With the checksum in it the sum over everything is 0.
        let body = Array(advertisement.dropFirst(14 + 8))
        #expect(NeighbourAnnouncement.checksum(body + [0, 0, 0, 32, 0, 0, 0, 58]) == 0)
        #expect(NeighbourAnnouncement.frame([1, 2], hardware: hardware) == nil)
        #expect(NeighbourAnnouncement.frame(six, hardware: [1]) == nil)
    }

    @Test("errors say what was to be done and the kernel's reason")
    func errors() {
        let error = NetlinkError(operation: "add route 10.0.0.0/8 via 192.0.2.1", errno: 101)
        #expect("\(error)" == "add route 10.0.0.0/8 via 192.0.2.1: Network is unreachable")
    }
}

/// Reads whatever bytes come as everything that the kernel sends.
func fuzzNetlink(_ bytes: [UInt8]) {
    for message in NetlinkMessage.parse(bytes) {
        precondition(message.payload.count <= bytes.count)
        _ = IPRoute(message.payload)
        _ = InterfaceAddress(message.payload)
        _ = ConnectionTracking.entry(message.payload)
    }
}
