// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import Authentication
import Bytes
import HTTP
import JSON
import KubernetesAPI
import MediaTypes
import Metrics
import NIOCore
import ObjectModel
import OpenAPI
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
        case ("openapi", 2) where segments[1] == "v2":
            await self.sendOpenAPIv2(exchange)
        case ("openapi", _) where segments.count >= 2 && segments[1] == "v3":
            try await self.sendOpenAPIv3(exchange, segments.dropFirst(2).joined(separator: "/"))
        case (".well-known", 2) where segments[1] == "openid-configuration":
            try await self.sendIssuer(exchange) {
                $0.configuration(
                    keySetURI: "https://\(self.discovery.serverAddress)"
                        + ServiceAccountIssuer.keySetPath
                )
            }
        case ("openid", 3) where segments[1] == "v1" && segments[2] == "jwks":
            try await self.sendIssuer(exchange) { $0.keySet }
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

    // MARK: - Documents

    /// Sends the document of version 2, in protobuf to a client that asks for it.
    private func sendOpenAPIv2(_ exchange: RESTExchange) async {
        let isProtobuf =
            exchange.field(.accept)?.contains("application/com.github.proto-openapi.spec.v2")
            ?? false
        guard let document = self.openAPI.document(isProtobuf ? .v2Protobuf : .v2) else { return }
        await self.send(exchange, document)
    }

    private func sendOpenAPIv3(
        _ exchange: RESTExchange,
        _ path: String
    ) async throws(StatusError) {
        guard let document = self.openAPI.document(path.isEmpty ? .index : .v3(path)) else {
            throw Self.pageNotFound
        }
        if let hash = exchange.target.query.first("hash"), hash != document.hash {
            // The client has an old index: it is led to the document as it is now.
            var head = exchange.head(HTTPStatus(rawValue: 301), contentType: nil)
            head.fields.append(.location, "/openapi/v3/\(path)?hash=\(document.hash)")
            try? await exchange.response.send(head, body: ByteBuffer())
            return
        }
        await self.send(exchange, document)
    }

    private func send(_ exchange: RESTExchange, _ document: OpenAPIDocuments.Document) async {
        if exchange.field(.ifNoneMatch) == document.tag {
            var head = exchange.head(.notModified, contentType: nil)
            head.fields.append(.etag, document.tag)
            try? await exchange.response.send(head, body: ByteBuffer())
            return
        }
        await exchange.send(
            .ok,
            contentType: document.contentType,
            document.body.withUnsafeBytes { ByteBuffer(bytes: $0) },
            fields: [.etag: document.tag, .vary: "Accept"]
        )
    }

    /// Sends what verifiers of service accounts' tokens read.
    private func sendIssuer(
        _ exchange: RESTExchange,
        _ document: (ServiceAccountIssuer) -> DynamicValue
    ) async throws(StatusError) {
        guard let issuer = self.access.parts.issuer else { throw Self.pageNotFound }
        await exchange.send(
            .ok,
            contentType: "application/json",
            ByteBuffer(bytes: document(issuer).json())
        )
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
