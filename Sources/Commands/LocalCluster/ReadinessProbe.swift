// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import TLS

/// Asks a component whether it works.
struct ReadinessProbe: Sendable {
    let eventLoop: any EventLoop

    /// What one question may take.
    static let timeout = Duration.seconds(2)

    /// Whether the component answers as it should.
    func isReady(_ readiness: Component.Readiness) async -> Bool {
        switch readiness {
        case .running:
            return true
        case .socket(let path):
            return Self.accepts(socket: path)
        case .port(let host, let port):
            return await self.accepts(host, port)
        case .http(let port, let path):
            return await self.answers(port, path, tls: nil)
        case .https(let port, let path, let authority):
            var configuration = TLSClientConfiguration(authorityPath: authority)
            configuration.verifiesServer = authority != nil
            guard let source = try? TLSContextSource(client: configuration) else { return false }
            return await self.answers(port, path, tls: source)
        }
    }

    /// What a connection may take. An address that nobody has yet may swallow what is sent to it,
    /// and a new attempt finds it sooner than TCP does.
    private static let connectTimeout = TimeAmount.milliseconds(100)

    private func accepts(_ host: String, _ port: Int) async -> Bool {
        let connecting = ClientBootstrap(group: self.eventLoop)
            .connectTimeout(Self.connectTimeout)
            .connect(host: host, port: port)
        guard let channel = try? await connecting.get() else { return false }
        channel.close(promise: nil)
        return true
    }

    private func answers(_ port: Int, _ path: String, tls: TLSContextSource?) async -> Bool {
        var limits = HTTPLimits()
        limits.handshakeTimeout = Self.timeout
        limits.idleTimeout = Self.timeout
        let connecting = HTTPClientConnection.connect(
            to: .tcp(host: "127.0.0.1", port: port),
            tls: tls,
            version: tls == nil ? .http1 : .automatic,
            limits: limits,
            on: self.eventLoop
        )
        guard let connection = try? await connecting.get() else { return false }
        defer { connection.eventLoop.execute { connection.close() } }
        let head = HTTPRequestHead(
            method: .get,
            scheme: tls == nil ? "http" : "https",
            authority: "127.0.0.1:\(port)",
            path: path
        )
        guard let response = try? await connection.send(head) else { return false }
        return response.head.status == .ok
    }

    /// Whether somebody listens on a unix socket.
    static func accepts(socket path: String) -> Bool {
        let descriptor = socket(
            AF_UNIX,
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
            0
        )
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
