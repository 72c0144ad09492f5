// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Tells the neighbours on a link which machine has an address from now on: an ARP announcement
/// (RFC 5227 section 2.3) or an unsolicited neighbour advertisement (RFC 4861 section 7.2.6).
public enum NeighbourAnnouncement {
    /// Sends it once.
    public static func send(
        _ address: [UInt8],
        hardware: [UInt8],
        on interface: UInt32
    ) throws(NetlinkError) {
        guard let frame = self.frame(address, hardware: hardware) else { return }
        let descriptor = socket(
            AF_PACKET,
            Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue),
            0
        )
        guard descriptor >= 0 else {
            throw NetlinkError(operation: "open a packet socket", errno: errno)
        }
        defer { close(descriptor) }
        // struct sockaddr_ll: family, protocol, interface, type, packet type, length, address.
        var target = NetlinkWriter()
        target.append(UInt16(AF_PACKET))
        target.append(UInt16(0))
        target.append(interface)
        target.append([0, 0, 0, 6] + frame.prefix(6) + [0, 0])
        let sent = target.bytes.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { pointer in
                sendto(
                    descriptor,
                    frame,
                    frame.count,
                    0,
                    pointer.baseAddress,
                    socklen_t(bytes.count)
                )
            }
        }
        guard sent == frame.count else {
            throw NetlinkError(operation: "announce an address", errno: errno)
        }
    }

    /// The frame; nil for what is no address.
    static func frame(_ address: [UInt8], hardware: [UInt8]) -> [UInt8]? {
        guard hardware.count == 6 else { return nil }
        switch address.count {
        case 4:
            let everyone = [UInt8](repeating: 0xFF, count: 6)
            // Ethernet and IPv4, with six and four bytes of address; a request.
            let head: [UInt8] = [0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1]
            let nobody = [UInt8](repeating: 0, count: 6)
            return everyone + hardware + head + hardware + address + nobody + address
        case 16:
            return self.advertisement(address, hardware)
        default:
            return nil
        }
    }

    private static func advertisement(_ address: [UInt8], _ hardware: [UInt8]) -> [UInt8] {
        let allNodes: [UInt8] = [0xFF, 0x02] + [UInt8](repeating: 0, count: 13) + [1]
        // Type 136, no checksum yet, the flag Override, the address, the target's hardware address.
        var message: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0]
        message += address + [2, 1] + hardware
        let length = UInt8(message.count)
        let pseudo = address + allNodes + [0, 0, 0, length, 0, 0, 0, 58]
        let sum = self.checksum(pseudo + message)
        message[2] = UInt8(sum >> 8)
        message[3] = UInt8(sum & 0xFF)
        let header: [UInt8] = [0x60, 0, 0, 0, 0, length, 58, 255]
        let ethernet: [UInt8] = [0x33, 0x33, 0, 0, 0, 1] + hardware + [0x86, 0xDD]
        return ethernet + header + address + allNodes + message
    }

    /// RFC 1071, over an even number of bytes.
    static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count - 1, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
        }
        while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
