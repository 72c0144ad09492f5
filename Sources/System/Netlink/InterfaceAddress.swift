// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// An address of an interface of this machine.
public struct InterfaceAddress: Sendable, Hashable {
    /// The interface's number.
    public var interface: UInt32
    /// Four or sixteen bytes.
    public var address: [UInt8]
    public var prefixLength: UInt8
    /// Whether we have put it there: the kernel keeps a note of who did (`IFA_PROTO`, Linux 5.18).
    public var isOwn: Bool

    public init(interface: UInt32, address: [UInt8], prefixLength: UInt8, isOwn: Bool = true) {
        self.interface = interface
        self.address = address
        self.prefixLength = prefixLength
        self.isOwn = isOwn
    }

    private static let peerAttribute: UInt16 = 1
    private static let localAttribute: UInt16 = 2
    private static let flagsAttribute: UInt16 = 8
    private static let protocolAttribute: UInt16 = 11
    private static let ownProtocol: UInt8 = 0x61
    /// Without the wait for another machine that may have the address.
    private static let withoutDetection: UInt32 = 0x02

    var message: [UInt8] {
        var writer = NetlinkWriter()
        writer.append(AddressFamilyNumber.of(self.address))
        writer.append([self.prefixLength, 0, 0])
        writer.append(self.interface)
        writer.attribute(Self.localAttribute, self.address)
        writer.attribute(Self.peerAttribute, self.address)
        writer.attribute(Self.flagsAttribute, Self.withoutDetection)
        writer.attribute(Self.protocolAttribute, [Self.ownProtocol])
        return writer.bytes
    }

    init?(_ payload: [UInt8]) {
        var reader = NetlinkReader(payload)
        guard let header = reader.take(4), let interface = reader.uint32() else { return nil }
        let attributes = reader.attributes()
        guard let address = attributes[Self.localAttribute] ?? attributes[Self.peerAttribute],
            !address.isEmpty, address.count == AddressFamilyNumber.byteCount(header[0])
        else { return nil }
        self.init(
            interface: interface,
            address: address,
            prefixLength: header[1],
            isOwn: attributes[Self.protocolAttribute] == [Self.ownProtocol]
        )
    }

    /// Whether an address is of the same range, so that neighbours ask for it on this interface.
    public func isNeighbour(_ other: [UInt8]) -> Bool {
        guard other.count == self.address.count else { return false }
        let whole = min(Int(self.prefixLength) / 8, other.count)
        guard other.prefix(whole).elementsEqual(self.address.prefix(whole)) else { return false }
        let rest = self.prefixLength % 8
        guard rest != 0, whole < other.count else { return true }
        return (other[whole] ^ self.address[whole]) >> (8 - rest) == 0
    }
}
