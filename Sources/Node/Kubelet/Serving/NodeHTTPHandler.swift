// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import HTTP
import JSON
import KubernetesAPI
import Metrics
import NIOCore
import PodLifecycle
import Protobuf
import RPCInterface

/// The kubelet's pages, with upstream's paths.
///
/// Source: upstream `pkg/kubelet/server/server.go`.
struct NodeHTTPHandler: HTTPRequestHandler {
    let services: PodServices
    let fleet: PodFleet
    let stats: StatsProvider
    let access: NodeAccess
    let metrics: KubeletMetrics

    func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        let target = request.head.path
        let path = String(target.prefix { $0 != "?" })
        let query = Self.query(target)
        guard request.head.method == .get || request.head.method == .head else {
            try await self.answer(response, .methodNotAllowed, "405 method not allowed\n")
            return
        }
        let header = request.head.fields[.authorization] ?? ""
        let decision = await self.access.decide(
            NodeAccess.Request(verb: "get", subresource: Self.subresource(path)),
            certificates: request.peer.certificates,
            token: header.hasPrefix("Bearer ") ? String(header.dropFirst(7)) : nil
        )
        switch decision {
        case .unauthorized:
            try await self.answer(response, .unauthorized, "Unauthorized")
            return
        case .forbidden(let reason):
            try await self.answer(response, .forbidden, reason)
            return
        case .allowed: break
        }
        try await self.serve(path, query, response)
    }

    /// What of the resource `nodes` a path belongs to.
    private static func subresource(_ path: String) -> String {
        if path.hasPrefix("/stats") { return "stats" }
        if path.hasPrefix("/metrics") { return "metrics" }
        if path.hasPrefix("/logs") { return "log" }
        if path == "/pods" || path == "/runningpods/" { return "pods" }
        if path.hasPrefix("/healthz") { return "healthz" }
        if path.hasPrefix("/configz") { return "configz" }
        return "proxy"
    }

    private func serve(
        _ path: String,
        _ query: [String: String],
        _ response: HTTPResponseWriter
    ) async throws {
        switch path {
        case "/healthz", "/healthz/ping":
            try await self.answer(response, .ok, "ok")
        case "/healthz/syncloop":
            let problem = self.services.observer.problem
            try await self.answer(
                response,
                problem == nil ? .ok : .internalServerError,
                problem ?? "ok"
            )
        case "/configz":
            let document: DynamicValue = ["kubeletconfig": self.services.settings.document]
            try await self.json(response, document.json())
        case "/pods":
            let list = CoreV1.PodList.with { $0.items = [] }
            var items = list
            items.items = RepeatedField(await self.stats.podsWithStatus())
            try await self.json(response, try items.json())
        case "/stats/summary":
            let isShort = query["only_cpu_and_memory"] == "true"
            let summary = await self.stats.summary(onlyCPUAndMemory: isShort)
            try await self.json(response, try summary.json())
        case "/metrics":
            await self.metrics.update(self.fleet, self.services)
            try await self.answer(
                response,
                .ok,
                self.metrics.registry.text(),
                type: Exposition.mediaType
            )
        case "/metrics/resource":
            let text = await ResourceMetrics(stats: self.stats).text()
            try await self.answer(response, .ok, text, type: Exposition.mediaType)
        case "/metrics/cadvisor":
            let text = await ContainerMetrics(stats: self.stats).text()
            try await self.answer(response, .ok, text, type: Exposition.mediaType)
        case "/metrics/probes":
            let text = await ProbeMetrics(services: self.services, fleet: self.fleet).text()
            try await self.answer(response, .ok, text, type: Exposition.mediaType)
        default:
            if path.hasPrefix("/containerLogs/") {
                try await self.logs(path, query, response)
            } else {
                try await self.answer(response, .notFound, "404 page not found\n")
            }
        }
    }

    private func answer(
        _ response: HTTPResponseWriter,
        _ status: HTTPStatus,
        _ text: String,
        type: String = "text/plain; charset=utf-8"
    ) async throws {
        let fields: HeaderFields = [
            .contentType: type, .contentLength: String(text.utf8.count),
        ]
        try await response.send(
            HTTPResponseHead(status: status, fields: fields),
            body: ByteBuffer(string: text)
        )
    }

    private func json(_ response: HTTPResponseWriter, _ bytes: [UInt8]) async throws {
        let fields: HeaderFields = [
            .contentType: "application/json", .contentLength: String(bytes.count),
        ]
        try await response.send(
            HTTPResponseHead(status: .ok, fields: fields),
            body: ByteBuffer(bytes: bytes)
        )
    }

    // MARK: - Logs

    /// `/containerLogs/NAMESPACE/POD/CONTAINER`.
    private func logs(
        _ path: String,
        _ query: [String: String],
        _ response: HTTPResponseWriter
    ) async throws {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count == 4,
            let pod = await self.fleet.pod(namespace: parts[1], name: parts[2])
        else {
            try await self.answer(response, .notFound, "pod does not exist\n")
            return
        }
        let uid = pod.metadata.uid
        let runtime = self.services.observer.known(uid)
        let isPrevious = query["previous"] == "true"
        let found =
            isPrevious
            ? runtime.previousContainer(named: parts[3]) : runtime.container(named: parts[3])
        guard pod.containerSpec(named: parts[3]) != nil, let record = found else {
            try await self.answer(
                response,
                .notFound,
                "container \"\(parts[3])\" not found in pod \"\(parts[2])\"\n"
            )
            return
        }
        var options = LogReader.Options()
        options.follows = query["follow"] == "true" && !isPrevious
        options.tail = query["tailLines"].flatMap { Int64($0) }
        options.limitBytes = query["limitBytes"].flatMap { Int64($0) }
        options.showsTimestamps = query["timestamps"] == "true"
        if let seconds = query["sinceSeconds"].flatMap({ Int64($0) }) {
            options.since = WallClock.now - seconds * 1_000_000_000
        } else if let time = query["sinceTime"] {
            options.since = LogTime.nanoseconds(time)
        }
        let fields: HeaderFields = [.contentType: "text/plain; charset=utf-8"]
        try await response.send(HTTPResponseHead(status: .ok, fields: fields))
        let observer = self.services.observer
        let id = record.id
        try await LogReader(path: record.logPath, options: options).run {
            let containers = observer.known(uid).containers
            return containers.first { $0.id == id }?.state == .running
        } _: { bytes in
            try await response.write(ByteBuffer(bytes: bytes))
        }
        try await response.finish()
    }

    private static func query(_ target: String) -> [String: String] {
        guard let mark = target.firstIndex(of: "?") else { return [:] }
        var result: [String: String] = [:]
        for pair in target[target.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard let key = parts.first else { continue }
            result[key] = parts.count > 1 ? parts[1].replacing("%3A", with: ":") : ""
        }
        return result
    }
}
