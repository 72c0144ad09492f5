// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Builds the payload of a netlink message: a header of the protocol and attributes, in the byte
/// order of the machine (netlink(7), linux/netlink.h).
public struct NetlinkWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    /// Says that an attribute holds attributes.
    static let nested: UInt16 = 0x8000

    public init() {}

    public mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { self.bytes += $0 }
    }

    public mutating func append(_ bytes: some Sequence<UInt8>) { self.bytes += bytes }

    /// An attribute: its length and type, the payload, and bytes up to a multiple of four.
    public mutating func attribute(_ type: UInt16, _ payload: some Collection<UInt8>) {
        self.append(UInt16(truncatingIfNeeded: payload.count + 4))
        self.append(type)
        self.bytes += payload
        while self.bytes.count % 4 != 0 { self.bytes.append(0) }
    }

    public mutating func attribute(_ type: UInt16, _ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { self.attribute(type, Array($0)) }
    }

    /// An attribute that holds attributes.
    public mutating func nested(_ type: UInt16, _ body: (inout NetlinkWriter) -> Void) {
        var inner = NetlinkWriter()
        body(&inner)
        self.attribute(type | Self.nested, inner.bytes)
    }
}
