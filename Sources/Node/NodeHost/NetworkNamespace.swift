// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CLinux
import Glibc

/// Connections from inside another network namespace.
package enum NetworkNamespace {
    /// A connection to a port of the loopback interface of a namespace: IPv4, else IPv6. Blocks.
    ///
    /// The socket belongs to the namespace for its life; the calling thread is back in its own
    /// before this returns.
    ///
    /// - Parameter path: nil for the namespace of this process.
    /// - Returns: the socket, which the caller closes.
    package static func connect(port: UInt16, in path: String?) throws(HostError) -> Int32 {
        guard let path else { return try Self.connect(port) }
        let own = "/proc/thread-self/ns/net"
        let home = open(own, O_RDONLY | O_CLOEXEC)
        guard home >= 0 else { throw HostError("open", own) }
        defer { close(home) }
        let other = open(path, O_RDONLY | O_CLOEXEC)
        guard other >= 0 else { throw HostError("open", path) }
        defer { close(other) }
        guard apus_setns(other, apus_clone_newnet) == 0 else { throw HostError("setns", path) }
        let result: Result<Int32, HostError>
        do throws(HostError) { result = .success(try Self.connect(port)) } catch {
            result = .failure(error)
        }
        // A thread that cannot come back must not serve anything else.
        precondition(apus_setns(home, apus_clone_newnet) == 0, "lost in a network namespace")
        return try result.get()
    }

    private static func connect(_ port: UInt16) throws(HostError) -> Int32 {
        let place = "127.0.0.1:\(port)"
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let first = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard first >= 0 else { throw HostError("socket", place) }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(first, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if isConnected { return first }
        let problem = HostError("connect", place)
        close(first)
        var address6 = sockaddr_in6()
        address6.sin6_family = sa_family_t(AF_INET6)
        address6.sin6_port = port.bigEndian
        address6.sin6_addr = in6addr_loopback
        let second = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard second >= 0 else { throw problem }
        let isConnected6 = withUnsafePointer(to: &address6) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(second, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
        if isConnected6 { return second }
        close(second)
        throw problem
    }
}
