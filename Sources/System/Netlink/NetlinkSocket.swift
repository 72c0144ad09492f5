// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// A socket to the kernel's network configuration. Not for use by two tasks at once.
public final class NetlinkSocket {
    /// Whom a socket talks to.
    public enum Family: Int32, Sendable {
        /// Links, addresses and routes: rtnetlink(7).
        case route = 0
        /// Connections that the kernel tracks.
        case netfilter = 12
    }

    /// Flags of requests (linux/netlink.h).
    public enum Flags {
        static let request: UInt16 = 0x1
        static let acknowledge: UInt16 = 0x4
        public static let dump: UInt16 = 0x300
        public static let exclusive: UInt16 = 0x200
        public static let create: UInt16 = 0x400
    }

    private static let error: UInt16 = 2
    private static let done: UInt16 = 3
    /// Larger than any datagram of the kernel's: it fills at most 32 KiB.
    private static let bufferBytes = 64 << 10

    let descriptor: Int32
    private var sequence: UInt32 = 0

    /// - Parameter groups: the kinds of changes that the kernel is to tell of.
    public init(_ family: Family, groups: UInt32 = 0) throws(NetlinkError) {
        let descriptor = socket(
            AF_NETLINK,
            Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue),
            family.rawValue
        )
        guard descriptor >= 0 else { throw NetlinkError(operation: "open a socket", errno: errno) }
        self.descriptor = descriptor
        // struct sockaddr_nl: family, padding, address (0: the kernel's choice), groups.
        var address = (UInt16(AF_NETLINK), UInt16(0), UInt32(0), groups)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 12) }
        }
        // `self` is whole: a throw here runs deinit, which closes the socket.
        guard result == 0 else { throw NetlinkError(operation: "bind a socket", errno: errno) }
    }

    deinit { close(self.descriptor) }

    /// Sends a request and gives what the kernel answers, without its acknowledgement.
    ///
    /// - Parameter operation: what it is, for errors.
    @discardableResult
    public func request(
        _ operation: @autoclosure () -> String,
        type: UInt16,
        flags: UInt16 = 0,
        _ payload: [UInt8]
    ) throws(NetlinkError) -> [NetlinkMessage] {
        self.sequence &+= 1
        // The flags of a dump and those of something new have a bit in common.
        let isDump = flags & Flags.dump == Flags.dump
        var writer = NetlinkWriter()
        writer.append(UInt32(NetlinkMessage.headerBytes + payload.count))
        writer.append(type)
        writer.append(flags | Flags.request | (isDump ? 0 : Flags.acknowledge))
        writer.append(self.sequence)
        writer.append(UInt32(0))
        writer.append(payload)
        let bytes = writer.bytes
        guard send(self.descriptor, bytes, bytes.count, 0) == bytes.count else {
            throw NetlinkError(operation: operation(), errno: errno)
        }
        var answers: [NetlinkMessage] = []
        while true {
            for message in try self.receive(operation()) where message.sequence == self.sequence {
                switch message.type {
                case Self.done:
                    return answers
                case Self.error:
                    var reader = NetlinkReader(message.payload)
                    let code = reader.uint32().map { Int32(bitPattern: $0) } ?? -EPROTO
                    if code == 0 { return answers }
                    throw NetlinkError(operation: operation(), errno: -code)
                default:
                    answers.append(message)
                }
            }
        }
    }

    /// The messages of the next datagram. Blocks until there is one.
    func receive(_ operation: String) throws(NetlinkError) -> [NetlinkMessage] {
        var count = 0
        let buffer = [UInt8](unsafeUninitializedCapacity: Self.bufferBytes) { buffer, used in
            repeat {
                count = recv(self.descriptor, buffer.baseAddress, buffer.count, 0)
            } while count < 0 && errno == EINTR
            used = max(0, count)
        }
        guard count >= 0 else { throw NetlinkError(operation: operation, errno: errno) }
        return NetlinkMessage.parse(buffer)
    }
}
