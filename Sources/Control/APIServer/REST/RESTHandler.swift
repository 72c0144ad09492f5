// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP
import KubernetesAPI
import MediaTypes
import NIOCore
import NameRules
import ObjectModel
import Protobuf
import RPCInterface
import Registry
import RequestInfo
import ResourceTable

/// The REST face: reads a request, lets the server's core answer it, and writes the answer.
struct RESTHandler: HTTPRequestHandler {
    let core: ServerCore

    func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        let exchange: RESTExchange
        do throws(StatusError) {
            exchange = try RESTExchange(request, response)
        } catch {
            return try await RESTExchange.refuse(error, request, response)
        }
        do throws(StatusError) {
            try await self.serve(exchange)
        } catch {
            try await exchange.send(error)
        }
    }

    private func serve(_ exchange: RESTExchange) async throws(StatusError) {
        let user = try await self.core.access.authenticate(exchange)
        let info = exchange.info
        try await self.core.access.authorize(user, info)
        if info.isResourceRequest {
            try await self.serveResource(exchange, user)
        } else {
            try await self.core.serveOther(exchange, user)
        }
    }

    private func serveResource(
        _ exchange: RESTExchange,
        _ user: CallerIdentity
    ) async throws(StatusError) {
        let info = exchange.info
        guard let call = try self.core.route(info, user) else {
            throw ServerCore.pageNotFound
        }
        guard call.isAllowedMethod(info, exchange.method) else {
            throw .methodNotSupportedAtAll
        }
        switch info.verb {
        case "get": try await self.get(exchange, call)
        case "list": try await self.list(exchange, call)
        case "watch": try await self.watch(exchange, call)
        case "create": try await self.create(exchange, call)
        case "update": try await self.update(exchange, call)
        case "patch": try await self.patch(exchange, call)
        case "delete": try await self.delete(exchange, call)
        case "deletecollection": try await self.deleteCollection(exchange, call)
        default: throw .methodNotSupportedAtAll
        }
    }
}

extension StatusError {
    /// A method that the path does not know.
    static let methodNotSupportedAtAll = StatusError(
        .methodNotAllowed,
        code: 405,
        "the server does not allow this method on the requested resource"
    )
}
