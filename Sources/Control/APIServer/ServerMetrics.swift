// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Metrics
import ProcessMetrics
import Registry
import RequestInfo
import ResourceTable
import Synchronization

/// What the server counts, under upstream's names.
///
/// Labels come from closed sets: what is served, the verbs of the API, status codes
/// (CVE-2020-8552).
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/metrics/metrics.go`.
final class ServerMetrics: Sendable {
    let registry = MetricRegistry()
    private let requests: MetricFamily<Counter>
    private let durations: MetricFamily<Histogram>
    private let known = Mutex<[Kind: Counted]>([:])

    /// What tells the requests apart that are counted apart. There are as many as metrics.
    private struct Kind: Hashable {
        var verb: String
        var isDryRun: Bool
        var group = ""
        var version = ""
        var resource = ""
        var subresource = ""
        var scope = ""
        var code: Int

        /// The values of the labels, without the code.
        var labels: [String] {
            [
                self.verb, self.isDryRun ? "All" : "", self.group, self.version, self.resource,
                self.subresource, self.scope, "apiserver",
            ]
        }
    }

    /// The metrics of a kind of request.
    private struct Counted {
        let requests: Counter
        /// Nil for requests that last.
        let durations: Histogram?
    }

    init(_ objects: Registry, _ limits: InFlightLimits) {
        self.requests = self.registry.counter(
            "apiserver_request_total",
            help: "Counter of apiserver requests broken out for each verb, dry run value, group, "
                + "version, resource, scope, component, and HTTP response code.",
            labels: [
                "verb", "dry_run", "group", "version", "resource", "subresource", "scope",
                "component", "code",
            ]
        )
        self.durations = self.registry.histogram(
            "apiserver_request_duration_seconds",
            help: "Response latency distribution in seconds for each verb, dry run value, group, "
                + "version, resource, subresource, scope and component.",
            labels: [
                "verb", "dry_run", "group", "version", "resource", "subresource", "scope",
                "component",
            ],
            bounds: [
                0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10, 30, 60,
            ]
        )
        self.registry.callback(
            "apiserver_current_inflight_requests",
            .gauge,
            help: "Maximal number of currently used inflight request limit of this apiserver per "
                + "request kind in last second.",
            labels: ["request_kind"]
        ) {
            [
                Sample(labels: ["readOnly"], Double(limits.count(.reading))),
                Sample(labels: ["mutating"], Double(limits.count(.writing))),
            ]
        }
        self.registry.callback(
            "apiserver_resource_objects",
            .gauge,
            help: "Number of stored objects at the time of last check split by kind.",
            labels: ["group", "resource"]
        ) {
            objects.counts.map { resource, count in
                Sample(labels: [resource.group, resource.resource], Double(count))
            }
        }
        self.registry.callback(
            "kubernetes_build_info",
            .gauge,
            help: "A metric with a constant '1' value labeled by version and platform.",
            labels: ["major", "minor", "git_version", "platform"]
        ) {
            let info = ServerVersion.info
            return [Sample(labels: [info.major, info.minor, info.gitVersion, info.platform], 1)]
        }
        ProcessMetrics.register(in: self.registry)
    }

    /// Counts a request that has been answered.
    func count(
        _ info: RequestInfo,
        _ call: ResourceCall?,
        method: String,
        isDryRun: Bool,
        code: Int,
        _ duration: Duration
    ) {
        let counted = self.counted(info, call, method: method, isDryRun: isDryRun, code: code)
        counted.durations?.observe(duration)
        counted.requests.increment()
    }

    /// What counts requests of a kind.
    func requests(
        _ info: RequestInfo,
        _ call: ResourceCall?,
        method: String,
        isDryRun: Bool,
        code: Int
    ) -> Counter {
        self.counted(info, call, method: method, isDryRun: isDryRun, code: code).requests
    }

    private func counted(
        _ info: RequestInfo,
        _ call: ResourceCall?,
        method: String,
        isDryRun: Bool,
        code: Int
    ) -> Counted {
        var kind = Kind(verb: Self.verb(info, method), isDryRun: isDryRun, code: code)
        if let call {
            kind.group = call.resource.group
            kind.version = call.resource.version
            kind.resource = call.resource.plural
            kind.subresource = call.subresource
            kind.scope =
                !call.name.isEmpty
                ? "resource" : call.namespace.isEmpty ? "cluster" : "namespace"
        }
        return self.counted(kind)
    }

    private func counted(_ kind: Kind) -> Counted {
        if let counted = self.known.withLock({ $0[kind] }) { return counted }
        let labels = kind.labels
        let lasts = kind.verb == "WATCH" || kind.verb == "CONNECT"
        let counted = Counted(
            requests: self.requests.with(labels + ["\(kind.code)"]),
            durations: lasts ? nil : self.durations.with(labels)
        )
        self.known.withLock { $0[kind] = counted }
        return counted
    }

    private static func verb(_ info: RequestInfo, _ method: String) -> String {
        switch info.verb {
        case "list": return "LIST"
        case "watch": return "WATCH"
        case "deletecollection": return "DELETECOLLECTION"
        case "proxy": return "CONNECT"
        default: break
        }
        switch info.subresource {
        case "exec", "attach", "portforward", "proxy", "log": return "CONNECT"
        default: break
        }
        switch method {
        case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS": return method
        default: return "other"
        }
    }
}
