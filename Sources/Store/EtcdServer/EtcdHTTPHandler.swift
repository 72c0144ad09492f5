// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import Engine
package import HTTP
internal import KeyValueStore
package import Metrics
internal import NIOCore

/// What etcd answers besides RPC: health, version and metrics.
///
/// Source: etcd 3.6 `server/etcdserver/api/etcdhttp`.
package struct EtcdHTTPHandler: HTTPRequestHandler {
    private let store: EmbeddedStore
    private let metrics: MetricRegistry
    private let healthy: Counter
    private let unhealthy: Counter

    package init(store: EmbeddedStore, metrics: MetricRegistry) {
        self.store = store
        self.metrics = metrics
        self.healthy = metrics.counter(
            "etcd_server_health_success",
            help: "The total number of successful health checks"
        )
        self.unhealthy = metrics.counter(
            "etcd_server_health_failures",
            help: "The total number of failed health checks"
        )
    }

    package func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        let target = request.head.path.split(
            separator: "?",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let path = target.first.map(String.init) ?? "/"
        let query = Query(target.count > 1 ? target[1] : "")
        let answer = await self.answer(path, query, isRead: request.head.method == .get)
        var fields = HeaderFields()
        fields.append(.contentType, answer.mediaType)
        if answer.status == .methodNotAllowed { fields.append(.allow, "GET") }
        try await response.send(
            HTTPResponseHead(status: answer.status, fields: fields),
            body: ByteBuffer(string: answer.body)
        )
    }

    struct Answer {
        var status: HTTPStatus = .ok
        var mediaType = "text/plain; charset=utf-8"
        var body: String
    }

    func answer(_ path: String, _ query: Query, isRead: Bool) async -> Answer {
        switch path {
        case "/health", "/version", "/metrics", "/livez", "/readyz",
            "/livez/serializable_read", "/readyz/serializable_read",
            "/readyz/data_corruption", "/readyz/linearizable_read", "/readyz/non_learner":
            if !isRead { return Answer(status: .methodNotAllowed, body: "Method Not Allowed\n") }
        default:
            return Answer(status: .notFound, body: "404 page not found\n")
        }
        switch path {
        case "/health": return await self.health(query)
        case "/metrics":
            return Answer(mediaType: Exposition.mediaType, body: self.metrics.text())
        case "/version":
            let series = EtcdServices.clusterVersion
            return Answer(
                mediaType: "application/json",
                body: "{\"etcdserver\":\"\(EmbeddedStore.etcdVersion)\","
                    + "\"etcdcluster\":\"\(series)\",\"storage\":\"\(series)\"}"
            )
        default: return await self.checks(path, query)
        }
    }

    // MARK: - Health

    private func health(_ query: Query) async -> Answer {
        let excluded = query.values("exclude")
        var reason = ""
        do throws(StoreError) {
            let alarms = try await self.store.alarm(AlarmRequest()).alarms
            let names = alarms.map { Self.name($0.alarm) }
            if let name = names.first(where: { !excluded.contains($0) }) {
                reason = "ALARM \(name)"
            } else {
                _ = try await self.store.range(RangeRequest(key: "health", keysOnly: true))
            }
        } catch {
            reason = "RANGE ERROR:\(error.message)"
        }
        let isHealthy = reason.isEmpty
        (isHealthy ? self.healthy : self.unhealthy).increment()
        return Answer(
            status: isHealthy ? .ok : .serviceUnavailable,
            mediaType: "application/json",
            body: "{\"health\":\"\(isHealthy)\",\"reason\":\"\(reason)\"}"
        )
    }

    private static func name(_ alarm: AlarmType) -> String {
        switch alarm {
        case .none: "NONE"
        case .noSpace: "NOSPACE"
        case .corrupt: "CORRUPT"
        }
    }

    // MARK: - Checks

    /// The checks of `/livez` and `/readyz`, all or one of them.
    private func checks(_ path: String, _ query: Query) async -> Answer {
        let parts = path.split(separator: "/")
        let isReady = parts.first == "readyz"
        let all =
            isReady
            ? ["data_corruption", "serializable_read", "linearizable_read", "non_learner"]
            : ["serializable_read"]
        let wanted = parts.count > 1 ? [String(parts[1])] : all
        let excluded = parts.count > 1 ? [] : query.values("exclude")
        var text = ""
        var isGood = true
        for check in wanted where !excluded.contains(check) {
            if let problem = await self.problem(check) {
                text += "[-]\(check) failed: \(problem)\n"
                isGood = false
            } else {
                text += "[+]\(check) ok\n"
            }
        }
        if isGood {
            let isVerbose = query.has("verbose")
            return Answer(body: isVerbose ? text + "ok\n" : "ok\n")
        }
        return Answer(
            status: .serviceUnavailable,
            body: text + "\(parts.first ?? "") check failed\n"
        )
    }

    /// What is wrong; nil if nothing.
    private func problem(_ check: String) async -> String? {
        do throws(StoreError) {
            switch check {
            case "data_corruption":
                let alarms = try await self.store.alarm(AlarmRequest()).alarms
                return alarms.contains { $0.alarm == .corrupt } ? "alarm activated: CORRUPT" : nil
            case "serializable_read", "linearizable_read":
                _ = try await self.store.range(
                    RangeRequest(
                        key: "a",
                        limit: 1,
                        serializable: check == "serializable_read",
                        keysOnly: true
                    )
                )
                return nil
            default: return nil
            }
        } catch {
            return error.message
        }
    }
}

/// The query of a request. Values are taken as they stand: none that matters needs escaping.
struct Query: Sendable {
    private let pairs: [(name: Substring, value: Substring)]

    init(_ text: Substring) {
        self.pairs = text.split(separator: "&").map { pair in
            let parts = pair.split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
    }

    func has(_ name: String) -> Bool { self.pairs.contains { $0.name == name } }

    func values(_ name: String) -> [String] {
        self.pairs.filter { $0.name == name }.map { String($0.value) }
    }
}
