// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
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
import WatchCache

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
        let start = ContinuousClock.now
        let call = self.core.route(exchange.info)
        do throws(StatusError) {
            // What served the request so far is done and keeps no memory while the watch lasts. One
            // that goes on without this task counts itself at its end.
            if let watch = try await self.serve(exchange, call), try await watch.run(self.core) {
                return
            }
        } catch {
            try await exchange.send(error)
        }
        self.core.metrics.count(
            exchange.info,
            call,
            method: exchange.method,
            isDryRun: exchange.target.query.first("dryRun") != nil,
            code: exchange.sentCode.value,
            ContinuousClock.now - start
        )
    }

    /// Answers a request.
    ///
    /// - Returns: the watch that the request has started, for the caller to run.
    private func serve(
        _ exchange: RESTExchange,
        _ routed: ResourceCall?
    ) async throws(StatusError) -> StartedWatch? {
        let user = try await self.core.access.authenticate(exchange)
        try await self.core.access.authorize(user, exchange.info)
        guard exchange.info.isResourceRequest else {
            try await self.core.serveOther(exchange, user)
            return nil
        }
        let call = routed?.made(by: user)
        if exchange.info.verb == "watch", let call,
            call.isAllowedMethod(exchange.info, exchange.method)
        {
            return try await self.watch(exchange, call)
        }
        if Self.lasts(exchange.info) {
            try await self.serveResource(exchange, call, user)
            return nil
        }
        let deadline = try RequestDeadline(
            exchange.target.query,
            maximum: self.core.requestTimeout
        )
        let kind = InFlightLimits.classify(user, isReadOnly: exchange.info.isReadOnly)
        try await self.core.limits.run(kind) { () throws(StatusError) in
            try await deadline.run(self.core.registry.shared.timers) { () throws(StatusError) in
                try await self.serveResource(exchange, call, user)
            }
        }
        return nil
    }

    /// Whether a request goes on for long.
    private static func lasts(_ info: RequestInfo) -> Bool {
        if info.verb == "watch" || info.verb == "proxy" { return true }
        switch info.subresource {
        case "exec", "attach", "portforward", "log", "proxy": return true
        default: return false
        }
    }

    private func answer(
        _ exchange: RESTExchange,
        _ review: ReviewCall
    ) async throws(StatusError) {
        let options = try self.writeOptions(exchange, "CreateOptions")
        let writer = try PlainWriter(exchange)
        let (object, warnings) = try await review.answer(try await exchange.objectBody(), options)
        try await writer.send(.created, object, warnings: warnings)
    }

    private func serveResource(
        _ exchange: RESTExchange,
        _ call: ResourceCall?,
        _ user: UserInfo
    ) async throws(StatusError) {
        let info = exchange.info
        if let review = self.core.review(
            info,
            user,
            isDryRun: exchange.target.query.first("dryRun") != nil
        ) {
            return try await self.answer(exchange, review)
        }
        if info.apiGroup == Self.usageGroup { return try await self.usage(exchange) }
        guard let call else {
            if try await self.serveLegacy(exchange, user) { return }
            throw self.core.isReviewPath(info) ? .methodNotSupportedAtAll : ServerCore.pageNotFound
        }
        guard call.isAllowedMethod(info, exchange.method) else {
            throw .methodNotSupportedAtAll
        }
        switch (call.resource.plural, call.subresource) {
        case ("pods", "exec"), ("pods", "attach"):
            return try await self.stream(exchange, call)
        case ("pods", "portforward"):
            return try await self.portForward(exchange, call)
        case ("pods", "log"):
            return try await self.logs(exchange, call)
        case ("pods", "proxy"), ("services", "proxy"), ("nodes", "proxy"):
            return try await self.proxy(exchange, call)
        default: break
        }
        switch info.verb {
        case "get": try await self.get(exchange, call)
        case "list": try await self.list(exchange, call)
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
