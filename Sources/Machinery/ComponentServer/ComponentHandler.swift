// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import PKI

/// Answers the requests of a ``ComponentServer``.
struct ComponentHandler: HTTPRequestHandler {
    private let configuration: ComponentServer.Configuration

    init(_ configuration: ComponentServer.Configuration) {
        self.configuration = configuration
    }

    func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        let (path, query) = Self.split(request.head.path)
        let answer: Answer
        switch request.head.method {
        case .get, .head: answer = await self.answer(path, query, request)
        default: answer = Answer(.methodNotAllowed, "405 method not allowed\n")
        }
        var fields: HeaderFields = [
            .contentType: answer.contentType,
            .contentLength: String(answer.body.count),
            .cacheControl: "no-cache, private",
        ]
        if let header = HeaderName("x-content-type-options") { fields.append(header, "nosniff") }
        let head = HTTPResponseHead(status: answer.status, fields: fields)
        let isHead = request.head.method == .head
        try await response.send(head, body: ByteBuffer(bytes: isHead ? [] : answer.body))
    }

    private struct Answer {
        var status: HTTPStatus
        var contentType = "text/plain; charset=utf-8"
        var body: [UInt8]

        init(_ status: HTTPStatus, _ text: String) {
            self.status = status
            self.body = Array(text.utf8)
        }
    }

    private func answer(_ path: String, _ query: String, _ request: HTTPRequest) async -> Answer {
        let health = self.configuration.healthChecks
        switch path {
        case "/healthz": return self.check("healthz", health, query)
        case "/livez": return self.check("livez", health, query)
        case "/readyz":
            return self.check("readyz", health + self.configuration.readyChecks, query)
        default: break
        }
        guard let page = self.configuration.pages[path] else {
            return Answer(.notFound, "404 page not found\n")
        }
        switch await self.configuration.access.decide(Self.accessRequest(path, request)) {
        case .unauthorized: return Answer(.unauthorized, "Unauthorized\n")
        case .forbidden(let reason): return Answer(.forbidden, "Forbidden: \(reason)\n")
        case .allow:
            var answer = Answer(.ok, "")
            answer.contentType = page.contentType
            answer.body = page.body()
            return answer
        }
    }

    /// Runs checks; the details are shown when one fails or `verbose` is asked for, as upstream.
    private func check(_ name: String, _ checks: [ComponentServer.Check], _ query: String) -> Answer
    {
        let parameters = query.split(separator: "&")
        let excluded = parameters.compactMap { parameter in
            parameter.hasPrefix("exclude=") ? String(parameter.dropFirst(8)) : nil
        }
        var lines = "[+]ping ok\n"
        var isHealthy = true
        for check in checks {
            if excluded.contains(check.name) {
                lines += "[+]\(check.name) excluded: ok\n"
            } else if check.isHealthy() == nil {
                lines += "[+]\(check.name) ok\n"
            } else {
                // Why is for the log: the page is open to everybody.
                isHealthy = false
                lines += "[-]\(check.name) failed: reason withheld\n"
            }
        }
        guard isHealthy else {
            return Answer(.internalServerError, "\(lines)\(name) check failed\n")
        }
        let isVerbose = parameters.contains { $0 == "verbose" || $0.hasPrefix("verbose=") }
        return Answer(.ok, isVerbose ? "\(lines)\(name) check passed\n" : "ok")
    }

    private static func split(_ target: String) -> (path: String, query: String) {
        guard let mark = target.firstIndex(of: "?") else { return (target, "") }
        return (String(target[..<mark]), String(target[target.index(after: mark)...]))
    }

    private static func accessRequest(_ path: String, _ request: HTTPRequest) -> ComponentRequest {
        var access = ComponentRequest(
            path: path,
            verb: request.head.method == .head ? "head" : "get"
        )
        if let der = request.peer.certificates.first, let leaf = try? Certificate(der: der) {
            access.certificateUser = leaf.subject.commonName
            access.certificateGroups = leaf.subject.organizations
        }
        if let header = request.head.fields[.authorization], header.hasPrefix("Bearer ") {
            access.bearerToken = String(header.dropFirst(7))
        }
        return access
    }
}
