// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import Bytes
import HTTP
import JSON
import KubernetesAPI
import MediaTypes
import Metrics
import NIOCore
import ObjectModel
import Protobuf
import RequestInfo
import ResourceTable
import YAML

extension ServerCore {
    /// Answers a request for anything but a resource.
    func serveOther(_ exchange: RESTExchange, _ user: UserInfo) async throws(StatusError) {
        var segments = exchange.target.segments[...]
        guard exchange.method == "GET" || exchange.method == "HEAD" else {
            throw .methodNotSupportedAtAll
        }
        if segments.last?.isEmpty == true { segments.removeLast() }
        switch (segments.first, segments.count) {
        case (nil, _):
            try await self.send(exchange, paths: self.rootPaths)
        case ("api", 1):
            if try await self.sendAggregated(exchange, isCore: true) { return }
            try await self.send(exchange, APIObject(self.discovery.legacyVersions))
        case ("api", 2):
            try await self.sendResources(exchange, segments[1])
        case ("apis", 1):
            if try await self.sendAggregated(exchange, isCore: false) { return }
            try await self.send(exchange, APIObject(self.discovery.groups))
        case ("apis", 2):
            guard let group = self.discovery.group(segments[1]) else { throw Self.pageNotFound }
            try await self.send(exchange, APIObject(group))
        case ("apis", 3):
            try await self.sendResources(exchange, "\(segments[1])/\(segments[2])")
        case ("version", 1):
            try await self.sendVersion(exchange)
        case ("metrics", 1):
            await exchange.send(
                .ok,
                contentType: "text/plain; version=0.0.4; charset=utf-8",
                ByteBuffer(string: self.metrics.registry.text())
            )
        case ("livez", _): await self.sendHealth(exchange, .livez, segments)
        case ("readyz", _): await self.sendHealth(exchange, .readyz, segments)
        case ("healthz", _): await self.sendHealth(exchange, .healthz, segments)
        default:
            throw Self.pageNotFound
        }
    }

    // MARK: - Discovery

    private var rootPaths: [String] {
        var paths = ["/api", "/api/v1", "/apis"]
        for group in self.discovery.table.groups where !group.name.isEmpty {
            guard let document = self.discovery.group(group.name) else { continue }
            paths.append("/apis/\(group.name)")
            paths += document.versions.map { "/apis/\($0.groupVersion)" }
        }
        return
            (paths + [
                "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz",
                "/version",
            ]).sorted()
    }

    private func send(_ exchange: RESTExchange, paths: [String]) async throws(StatusError) {
        let tree: DynamicValue = ["paths": DynamicValue(paths.map { DynamicValue($0) })]
        try await self.send(exchange, json: tree.json())
    }

    private func sendResources(
        _ exchange: RESTExchange,
        _ apiVersion: String
    ) async throws(StatusError) {
        guard let list = self.discovery.resources(apiVersion: apiVersion) else {
            throw Self.pageNotFound
        }
        try await self.send(exchange, APIObject(list))
    }

    /// Sends the aggregated document to a client that asks for it.
    private func sendAggregated(
        _ exchange: RESTExchange,
        isCore: Bool
    ) async throws(StatusError) -> Bool {
        guard
            let representation = try? AcceptNegotiation.discovery.negotiate(
                exchange.field(.accept)
            ), representation.target != nil
        else { return false }
        let document = APIObject(self.discovery.aggregated(isCore: isCore))
        let body: [UInt8]
        switch representation.mediaType {
        case .protobuf: body = document.sealed()
        case .json: body = try ObjectEncoder.json(document) + [0x0A]
        case .yaml:
            let json = try ObjectEncoder.json(document)
            body = (try? YAML.text(fromJSON: json)) ?? []
        }
        let tag = ContentHash.tag(try ObjectEncoder.json(document))
        var head = exchange.head(.ok, contentType: representation.contentTypeWithTarget)
        head.fields.append(.etag, tag)
        head.fields.append(.vary, "Accept")
        if exchange.field(.ifNoneMatch) == tag {
            head.status = .notModified
            try? await exchange.response.send(head, body: ByteBuffer())
            return true
        }
        head.fields.append(.contentLength, "\(body.count)")
        try? await exchange.response.send(head, body: ByteBuffer(bytes: body))
        return true
    }

    // MARK: - Version and health

    private func sendVersion(_ exchange: RESTExchange) async throws(StatusError) {
        let json: [UInt8]
        do {
            json = try ServerVersion.info.json()
        } catch {
            throw .internalError("\(error)")
        }
        await exchange.send(
            .ok,
            contentType: MediaType.json.rawValue,
            ByteBuffer(bytes: JSONIndenter.indent(json))
        )
    }

    private func sendHealth(
        _ exchange: RESTExchange,
        _ endpoint: HealthChecks.Endpoint,
        _ segments: ArraySlice<String>
    ) async {
        let rest = segments.dropFirst().joined(separator: "/")
        let query = exchange.target.query
        let answer = self.health.answer(
            endpoint,
            check: rest.isEmpty ? nil : rest,
            isVerbose: query.first("verbose") != nil,
            excluded: query.all("exclude")
        )
        await exchange.send(
            HTTPStatus(rawValue: answer.code),
            contentType: "text/plain; charset=utf-8",
            ByteBuffer(string: answer.text)
        )
    }

    // MARK: - Objects

    private func send(_ exchange: RESTExchange, _ object: APIObject) async throws(StatusError) {
        try await PlainWriter(exchange).send(.ok, object)
    }

    private func send(_ exchange: RESTExchange, json: [UInt8]) async throws(StatusError) {
        let writer = try PlainWriter(exchange)
        await writer.send(.ok, json: Bytes(json), [])
    }
}
