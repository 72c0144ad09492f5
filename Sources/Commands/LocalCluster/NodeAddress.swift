// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// The addresses of this machine.
public enum NodeAddress {
    /// The IPv4 address that this machine uses to reach others: that of the interface with the
    /// default route, found by asking the kernel where a packet would leave (nothing is sent); else
    /// the first address that is not loopback; else loopback.
    public static func primary() -> String {
        self.routed(to: "192.0.2.1") ?? self.firstOfInterfaces() ?? "127.0.0.1"
    }

    /// The name that this machine has, in lower case as node names are.
    public static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let name = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let text = String(decoding: name, as: UTF8.self).lowercased()
        return text.isEmpty ? "localhost" : text
    }

    private static func routed(to destination: String) -> String? {
        let descriptor = socket(
            AF_INET,
            Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
            0
        )
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(9).bigEndian
        inet_pton(AF_INET, destination, &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isRouted = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        return isRouted ? self.text(address.sin_addr) : nil
    }

    private static func firstOfInterfaces() -> String? {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return nil }
        defer { freeifaddrs(list) }
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr,
                address.pointee.sa_family == sa_family_t(AF_INET),
                entry.pointee.ifa_flags & UInt32(IFF_LOOPBACK) == 0
            else { continue }
            let internet = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                $0.pointee
            }
            return self.text(internet.sin_addr)
        }
        return nil
    }

    private static func text(_ address: in_addr) -> String? {
        var address = address
        var buffer = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
        guard inet_ntop(AF_INET, &address, &buffer, socklen_t(buffer.count)) != nil else {
            return nil
        }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
