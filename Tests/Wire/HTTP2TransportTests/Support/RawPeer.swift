// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// A plain blocking TCP socket to a loopback port, for peers that do not follow the rules.
final class RawPeer {
    private let socket: Int32

    /// - Parameter receiveBuffer: the size of the socket's receive buffer; small for slow readers.
    init(port: Int, receiveBuffer: Int32? = nil) throws {
        self.socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard self.socket >= 0 else { throw ToolError.failed("socket", errno) }
        var time = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            self.socket,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &time,
            socklen_t(MemoryLayout<timeval>.size)
        )
        time.tv_sec = 3
        setsockopt(
            self.socket,
            SOL_SOCKET,
            SO_SNDTIMEO,
            &time,
            socklen_t(MemoryLayout<timeval>.size)
        )
        if var size = receiveBuffer {
            setsockopt(
                self.socket,
                SOL_SOCKET,
                SO_RCVBUF,
                &size,
                socklen_t(MemoryLayout<Int32>.size)
            )
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw ToolError.failed("connect", errno) }
    }

    deinit { close(self.socket) }

    /// Sends all bytes; false when the other end does not take them.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.send(self.socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            done += count
        }
        return true
    }

    func send(_ text: String) { self.send(Array(text.utf8)) }

    /// What comes next; empty at the end, nil when nothing comes in time.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(self.socket, &buffer, buffer.count, 0)
        if count < 0 { return errno == ECONNRESET ? [] : nil }
        return Array(buffer[..<count])
    }

    /// All that comes until the other end closes, or nothing comes any more.
    func receiveAll(
        until isEnough: ([UInt8]) -> Bool = { _ in false }
    ) -> (bytes: [UInt8], closed: Bool) {
        var all: [UInt8] = []
        while !isEnough(all) {
            guard let more = self.receive() else { return (all, false) }
            if more.isEmpty { return (all, true) }
            all += more
        }
        return (all, false)
    }

    /// Waits for the other end to close.
    func waitForClose() -> Bool { self.receiveAll().closed }
}
