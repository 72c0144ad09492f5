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
    /// The node's own service, which has the streams of containers.
    let node: ApusNode.NodeClient

    func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        let target = request.head.path
        let route = NodeRoute(path: String(target.prefix { $0 != "?" }))
        guard route.allows(request.head.method) else {
            try await self.answer(response, .methodNotAllowed, "405 method not allowed\n")
            return
        }
        let header = request.head.fields[.authorization] ?? ""
        let decision = await self.access.decide(
            route.access(request.head.method),
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
        let query = NodeQuery(target: target)
        if route.isStream {
            try await self.stream(route, query, request, response)
        } else {
            try await self.serve(route, query, response)
        }
    }

    private func serve(
        _ route: NodeRoute,
        _ query: NodeQuery,
        _ response: HTTPResponseWriter
    ) async throws {
        switch route {
        case .healthz:
            try await self.answer(response, .ok, "ok")
        case .syncloop:
            let problem = self.services.observer.problem
            try await self.answer(
                response,
                problem == nil ? .ok : .internalServerError,
                problem ?? "ok"
            )
        case .configz:
            let document: DynamicValue = ["kubeletconfig": self.services.settings.document]
            try await self.json(response, document.json())
        case .pods:
            let list = CoreV1.PodList.with { $0.items = [] }
            var items = list
            items.items = RepeatedField(await self.stats.podsWithStatus())
            try await self.json(response, try items.json())
        case .summary:
            let isShort = query["only_cpu_and_memory"] == "true"
            let summary = await self.stats.summary(onlyCPUAndMemory: isShort)
            try await self.json(response, try summary.json())
        case .metrics:
            await self.metrics.update(self.fleet, self.services)
            try await self.answer(
                response,
                .ok,
                self.metrics.registry.text(),
                type: Exposition.mediaType
            )
        case .resourceMetrics:
            let text = await ResourceMetrics(stats: self.stats).text()
            try await self.answer(response, .ok, text, type: Exposition.mediaType)
        case .containerMetrics:
            let text = await ContainerMetrics(stats: self.stats).text()
            try await self.answer(response, .ok, text, type: Exposition.mediaType)
        case .probeMetrics:
            let text = await ProbeMetrics(services: self.services, fleet: self.fleet).text()
            try await self.answer(response, .ok, text, type: Exposition.mediaType)
        case .logs(let container):
            try await self.logs(container, query, response)
        case .exec, .attach, .portForward, .unknown:
            try await self.answer(response, .notFound, "404 page not found\n")
        }
    }

    func answer(
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

    private func logs(
        _ target: NodeRoute.Container,
        _ query: NodeQuery,
        _ response: HTTPResponseWriter
    ) async throws {
        guard let pod = await self.fleet.pod(namespace: target.namespace, name: target.pod) else {
            try await self.answer(response, .notFound, "pod does not exist\n")
            return
        }
        let uid = pod.metadata.uid
        let runtime = self.services.observer.known(uid)
        let isPrevious = query["previous"] == "true"
        let found =
            isPrevious
            ? runtime.previousContainer(named: target.name) : runtime.container(named: target.name)
        guard pod.containerSpec(named: target.name) != nil, let record = found else {
            try await self.answer(
                response,
                .notFound,
                "container \"\(target.name)\" not found in pod \"\(target.pod)\"\n"
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
}
