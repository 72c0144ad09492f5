// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import ObjectModel

/// Which header fields pass through a proxy.
///
/// Source: RFC 9110 section 7.6.1; upstream apimachinery `pkg/util/proxy`.
enum ProxyFields {
    /// Fields of one connection.
    private static let hops: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// Fields that are for this server: credentials go no further.
    private static func isOurs(_ name: String) -> Bool {
        name == "authorization" || name == "host" || name.hasPrefix("impersonate-")
            || name.hasPrefix("x-forwarded-")
    }

    /// The fields of a request as the backend gets them.
    static func forward(_ request: HTTPRequest, uri: String) -> HeaderFields {
        var fields = self.passing(request.head.fields) { !self.isOurs($0) }
        let peer = request.peer
        self.append("x-forwarded-for", peer.remoteAddress?.ipAddress ?? "", to: &fields)
        self.append("x-forwarded-host", request.head.authority, to: &fields)
        self.append("x-forwarded-proto", peer.isSecure ? "https" : "http", to: &fields)
        self.append("x-forwarded-uri", uri, to: &fields)
        return fields
    }

    /// The fields of an answer as the client gets them.
    ///
    /// - Parameter prefix: the path of the proxy, which leads to the backend's root.
    /// - Throws: for a redirect to another server (CVE-2018-1002102, CVE-2022-3172).
    static func answer(
        _ head: HTTPResponseHead,
        from authority: String,
        prefix: String
    ) throws(StatusError) -> HeaderFields {
        var fields = self.passing(head.fields) { _ in true }
        guard (300..<400).contains(head.status.rawValue), let location = fields[.location] else {
            return fields
        }
        guard let path = self.localPath(location, authority) else {
            throw StatusError(
                .unknown,
                code: 502,
                "the backend attempted to redirect this request, which is not permitted"
            )
        }
        // What is relative to the request's path is right as it is.
        fields.set(.location, path.hasPrefix("/") ? prefix + path : path)
        return fields
    }

    /// The path and query of a location on the server itself; nil for another server.
    private static func localPath(_ location: String, _ authority: String) -> String? {
        for scheme in ["http://", "https://"] where location.hasPrefix(scheme) {
            let rest = location.dropFirst(scheme.count)
            let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) ?? rest.endIndex
            guard rest[..<end] == authority else { return nil }
            return rest[end...].hasPrefix("/") ? String(rest[end...]) : "/\(rest[end...])"
        }
        // `//host/path` and `scheme:…` are other servers too; browsers take `\` for `/`.
        let head = location.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !location.hasPrefix("//"), !location.contains("\\"), !head.contains(":") else {
            return nil
        }
        return location
    }

    private static func passing(
        _ fields: HeaderFields,
        _ isWanted: (String) -> Bool
    ) -> HeaderFields {
        // Fields that `Connection` names are of the connection too.
        var named: Set<String> = []
        for value in fields.values(of: .connection) {
            for token in value.split(separator: ",") {
                named.insert(token.filter { $0 != " " && $0 != "\t" }.lowercased())
            }
        }
        var passing = HeaderFields()
        for (name, value) in fields {
            let text = name.text
            guard !self.hops.contains(text), !named.contains(text), isWanted(text) else { continue }
            passing.append(name, value)
        }
        return passing
    }

    private static func append(_ name: String, _ value: String, to fields: inout HeaderFields) {
        guard !value.isEmpty, let name = HeaderName(name) else { return }
        fields.append(name, value)
    }
}
