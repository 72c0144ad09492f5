// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GRPCServices
import HTTP
import HTTP2Transport
import KubernetesAPI
import NIOCore
import NIOPosix
import NodeAPI
import PodLifecycle
import Protobuf
import RPC
import RPCInterface
import TLS

/// Asks a container once how it is.
///
/// Source: upstream `pkg/probe`.
struct Prober: Sendable {
    /// The answer, and in words why.
    struct Answer: Sendable, Equatable {
        var isHealthy: Bool
        var output: String
    }

    /// The most of a body that is looked at.
    static let bodyLimit = 10 << 10

    let client: RuntimeClient

    /// Runs one probe.
    func run(
        _ probe: CoreV1.Probe,
        _ spec: ContainerSpec,
        id: String,
        address: String
    ) async -> Answer {
        let timeout = Duration.seconds(max(1, Int(probe.timeoutSeconds)))
        if let exec = probe.handler.exec {
            return await self.exec(Array(exec.command), id, timeout)
        }
        if let get = probe.handler.httpGet {
            guard let port = Self.port(get.port, spec) else {
                return Answer(isHealthy: false, output: "invalid port number")
            }
            return await Self.get(get, port, address, timeout)
        }
        if let socket = probe.handler.tcpSocket {
            guard let port = Self.port(socket.port, spec) else {
                return Answer(isHealthy: false, output: "invalid port number")
            }
            let host = socket.host.isEmpty ? address : socket.host
            return await Self.connect(host, port, timeout)
        }
        if let call = probe.handler.grpc {
            return await Self.check(call, address, timeout)
        }
        return Answer(isHealthy: false, output: "missing probe handler")
    }

    // MARK: - Commands

    func exec(_ command: [String], _ id: String, _ timeout: Duration) async -> Answer {
        do throws(RPCError) {
            let answer = try await self.client.execSync(id, command: command, timeout: timeout)
            let output = String(
                decoding: Array(answer.stdout) + Array(answer.stderr),
                as: UTF8.self
            )
            return Answer(isHealthy: answer.exitCode == 0, output: String(output.prefix(10_240)))
        } catch {
            if error.code == .deadlineExceeded || error.message.contains("timeout") {
                return Answer(
                    isHealthy: false,
                    output: "command timed out: \"\(command.joined(separator: " "))\" timed out "
                        + "after \(timeout.goText)"
                )
            }
            return Answer(isHealthy: false, output: error.message)
        }
    }

    // MARK: - HTTP

    static func get(
        _ action: CoreV1.HTTPGetAction,
        _ port: Int,
        _ address: String,
        _ timeout: Duration
    ) async -> Answer {
        let host = action.host.isEmpty ? address : action.host
        let isSecure = action.scheme.uppercased() == "HTTPS"
        let scheme = isSecure ? "https" : "http"
        let path = action.path.hasPrefix("/") ? action.path : "/" + action.path
        let authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let url = "\(scheme)://\(authority)\(path)"
        var fields = HeaderFields()
        var named = authority
        for header in action.httpHeaders {
            if header.name.lowercased() == "host" {
                named = header.value
            } else if let name = HeaderName(header.name) {
                fields.append(name, header.value)
            }
        }
        if !fields.contains(.userAgent) { fields.append(.userAgent, "kube-probe/1.36") }
        if !fields.contains(.accept) { fields.append(.accept, "*/*") }
        fields.append(.connection, "close")
        let head = HTTPRequestHead(
            method: .get,
            scheme: scheme,
            authority: named,
            path: path,
            fields: fields
        )
        let answer = await Self.within(timeout) { () -> Answer in
            do {
                var tls: TLSContextSource?
                if isSecure {
                    var configuration = TLSClientConfiguration()
                    configuration.verifiesServer = false
                    configuration.applicationProtocols = ["http/1.1"]
                    tls = try TLSContextSource(client: configuration)
                }
                let connection = try await HTTPClientConnection.connect(
                    to: .tcp(host: host, port: port),
                    tls: tls,
                    version: .http1,
                    on: MultiThreadedEventLoopGroup.singleton.next()
                ).get()
                defer { connection.eventLoop.execute { connection.close() } }
                let response = try await connection.send(head)
                let code = response.head.status.rawValue
                if (200..<400).contains(code) { return Answer(isHealthy: true, output: "") }
                return Answer(
                    isHealthy: false,
                    output: "HTTP probe failed with statuscode: \(code)"
                )
            } catch {
                let reason = Self.dialError(error, host: authority)
                return Answer(isHealthy: false, output: "Get \"\(url)\": \(reason)")
            }
        }
        return answer
            ?? Answer(
                isHealthy: false,
                output: "Get \"\(url)\": context deadline exceeded (Client.Timeout exceeded while "
                    + "awaiting headers)"
            )
    }

    // MARK: - TCP

    static func connect(_ host: String, _ port: Int, _ timeout: Duration) async -> Answer {
        let authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.nanoseconds(timeout.nanoseconds))
                .connect(host: host, port: port).get()
            channel.close(promise: nil)
            return Answer(isHealthy: true, output: "")
        } catch {
            return Answer(isHealthy: false, output: Self.dialError(error, host: authority))
        }
    }

    private static func dialError(_ error: any Error, host: String) -> String {
        let text = "\(error)"
        if text.contains("refused") { return "dial tcp \(host): connect: connection refused" }
        if text.contains("imeout") || text.contains("timed out") {
            return "dial tcp \(host): i/o timeout"
        }
        if text.contains("unreachable") || text.contains("No route") {
            return "dial tcp \(host): connect: no route to host"
        }
        return text
    }

    // MARK: - gRPC

    static func check(
        _ action: CoreV1.GRPCAction,
        _ address: String,
        _ timeout: Duration
    ) async -> Answer {
        let client = RPCClient(
            to: .tcp(host: address, port: Int(action.port)),
            group: MultiThreadedEventLoopGroup.singleton
        )
        defer { client.close(gracefully: false) }
        let request = Health.HealthCheckRequest.with { $0.service = action.service ?? "" }
        do throws(RPCError) {
            let answer = try await Health.HealthClient(channel: client).check(
                request,
                options: CallOptions(timeout: timeout)
            )
            if answer.status == .serving { return Answer(isHealthy: true, output: "") }
            let word = Health.HealthCheckResponse.ServingStatus.schema.name(
                of: answer.status.rawValue
            )
            return Answer(
                isHealthy: false,
                output: "service unhealthy (responded with \"\(word ?? "UNKNOWN")\")"
            )
        } catch {
            let place = "\(address):\(action.port)"
            switch error.code {
            case .unimplemented:
                return Answer(
                    isHealthy: false,
                    output: "error: this server does not implement the grpc health protocol "
                        + "(grpc.health.v1.Health): \(error.message)"
                )
            case .deadlineExceeded:
                return Answer(
                    isHealthy: false,
                    output: "timeout: health rpc did not complete within \(timeout.goText)"
                )
            case .unavailable:
                return Answer(
                    isHealthy: false,
                    output: "timeout: failed to connect service \"\(place)\" within "
                        + "\(timeout.goText): \(error.message)"
                )
            default:
                return Answer(isHealthy: false, output: "error: health rpc probe failed: \(error)")
            }
        }
    }

    // MARK: - Parts

    /// The number of a port; names are looked up among the container's ports.
    static func port(_ value: IntStr.IntOrString, _ spec: ContainerSpec) -> Int? {
        switch value.value {
        case .int(let number): return (1...65_535).contains(number) ? Int(number) : nil
        case .string(let name):
            if let port = spec.container.ports.first(where: { $0.name == name }) {
                return Int(port.containerPort)
            }
            return Int(name).flatMap { (1...65_535).contains($0) ? $0 : nil }
        }
    }

    /// The result of `body`; nil when it is not there in time.
    static func within<T: Sendable>(
        _ limit: Duration,
        _ body: @escaping @Sendable () async -> T
    ) async -> T? {
        await withTaskGroup(of: T?.self) { group in
            group.addTask { await body() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
