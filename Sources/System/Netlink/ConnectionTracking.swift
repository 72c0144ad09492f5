// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// The connections that the kernel remembers (linux/netfilter/nfnetlink_conntrack.h): packets of a
/// known one go where its first went, whatever the rules say by now. Not for use by two tasks at
/// once.
public final class ConnectionTracking {
    /// A connection: what its first packet asked for, and who answers.
    public struct Entry: Sendable, Hashable {
        /// Four or sixteen bytes.
        public var destination: [UInt8]
        public var destinationPort: UInt16
        public var answering: [UInt8]
        public var answeringPort: UInt16
        /// IANA's number of the protocol.
        public var transport: UInt8
        /// The attribute that names it to the kernel.
        fileprivate var tuple: [UInt8]
    }

    public static let udp: UInt8 = 17

    private enum Kind {
        static let get: UInt16 = 0x101
        static let delete: UInt16 = 0x102
    }

    private let socket: NetlinkSocket

    public init() throws(NetlinkError) {
        self.socket = try NetlinkSocket(.netfilter)
    }

    /// The connections of a family (four bytes or sixteen an address) and a protocol.
    public func entries(addressBytes: Int, transport: UInt8) throws(NetlinkError) -> [Entry] {
        try self.socket.request(
            "list connections",
            type: Kind.get,
            flags: NetlinkSocket.Flags.dump,
            Self.header(addressBytes)
        ).compactMap { Self.entry($0.payload) }.filter {
            $0.transport == transport && $0.destination.count == addressBytes
        }
    }

    /// Forgets a connection; it may be forgotten.
    public func remove(_ entry: Entry) throws(NetlinkError) {
        var writer = NetlinkWriter()
        writer.append(Self.header(entry.destination.count))
        writer.attribute(Attribute.original | NetlinkWriter.nested, entry.tuple)
        do throws(NetlinkError) {
            try self.socket.request("forget a connection", type: Kind.delete, writer.bytes)
        } catch  where error.errno == ENOENT {}
    }

    /// struct nfgenmsg: family, version, number of a resource.
    private static func header(_ addressBytes: Int) -> [UInt8] {
        [addressBytes == 4 ? AddressFamilyNumber.ipv4 : AddressFamilyNumber.ipv6, 0, 0, 0]
    }

    private enum Attribute {
        static let original: UInt16 = 1
        static let reply: UInt16 = 2
        static let addresses: UInt16 = 1
        static let transport: UInt16 = 2
    }

    /// Reads the payload of a message; nil when it has not what a connection has.
    static func entry(_ payload: [UInt8]) -> Entry? {
        guard payload.count >= 4 else { return nil }
        let attributes = NetlinkReader.attributes(Array(payload.dropFirst(4)))
        guard let tuple = attributes[Attribute.original], let original = Self.tuple(tuple),
            let reply = attributes[Attribute.reply].flatMap(Self.tuple)
        else { return nil }
        return Entry(
            destination: original.destination,
            destinationPort: original.destinationPort,
            answering: reply.source,
            answeringPort: reply.sourcePort,
            transport: original.transport,
            tuple: tuple
        )
    }

    private struct Tuple {
        var source: [UInt8]
        var destination: [UInt8]
        var transport: UInt8
        var sourcePort: UInt16
        var destinationPort: UInt16
    }

    private static func tuple(_ payload: [UInt8]) -> Tuple? {
        let parts = NetlinkReader.attributes(payload)
        guard let addresses = parts[Attribute.addresses].map(NetlinkReader.attributes),
            let transport = parts[Attribute.transport].map(NetlinkReader.attributes),
            let number = transport[1]?.first,
            // Sources are 1 and 3, destinations 2 and 4.
            let source = addresses[1] ?? addresses[3],
            let destination = addresses[2] ?? addresses[4],
            source.count == 4 || source.count == 16, destination.count == source.count
        else { return nil }
        func port(_ type: UInt16) -> UInt16 {
            guard let bytes = transport[type], bytes.count == 2 else { return 0 }
            return UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        }
        return Tuple(
            source: source,
            destination: destination,
            transport: number,
            sourcePort: port(2),
            destinationPort: port(3)
        )
    }
}
