// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A way to a range of addresses through another machine.
public struct IPRoute: Sendable, Hashable {
    /// Four or sixteen bytes.
    public var destination: [UInt8]
    public var prefixLength: UInt8
    /// As long as the destination.
    public var gateway: [UInt8]

    public init(destination: [UInt8], prefixLength: UInt8, gateway: [UInt8]) {
        self.destination = destination
        self.prefixLength = prefixLength
        self.gateway = gateway
    }

    /// What the kernel notes as the maker of our routes (rtnetlink(7), `rtm_protocol`): a number
    /// that no program in iproute2's list has.
    public static let ownProtocol: UInt8 = 0x61

    private static let destinationAttribute: UInt16 = 1
    private static let gatewayAttribute: UInt16 = 5
    private static let mainTable: UInt8 = 254
    private static let unicast: UInt8 = 1

    /// The payload that names the route.
    var message: [UInt8] {
        var writer = NetlinkWriter()
        writer.append(AddressFamilyNumber.of(self.destination))
        writer.append([self.prefixLength, 0, 0, Self.mainTable, Self.ownProtocol])
        // The scope of what is reached through another machine, and no flags.
        writer.append([0, Self.unicast])
        writer.append(UInt32(0))
        writer.attribute(Self.destinationAttribute, self.destination)
        writer.attribute(Self.gatewayAttribute, self.gateway)
        return writer.bytes
    }

    /// Reads the payload of a message; nil when it is not a route of ours through a gateway.
    init?(_ payload: [UInt8]) {
        var reader = NetlinkReader(payload)
        guard let header = reader.take(12), header[4] == Self.mainTable,
            header[5] == Self.ownProtocol, header[7] == Self.unicast
        else { return nil }
        let attributes = reader.attributes()
        guard let destination = attributes[Self.destinationAttribute],
            let gateway = attributes[Self.gatewayAttribute],
            destination.count == AddressFamilyNumber.byteCount(header[0]),
            gateway.count == destination.count
        else { return nil }
        self.init(destination: destination, prefixLength: header[1], gateway: gateway)
    }
}

/// The numbers of address families in messages.
enum AddressFamilyNumber {
    static let ipv4: UInt8 = 2
    static let ipv6: UInt8 = 10

    static func of(_ address: [UInt8]) -> UInt8 { address.count == 4 ? self.ipv4 : self.ipv6 }

    static func byteCount(_ family: UInt8) -> Int {
        switch family {
        case self.ipv4: 4
        case self.ipv6: 16
        default: 0
        }
    }
}
