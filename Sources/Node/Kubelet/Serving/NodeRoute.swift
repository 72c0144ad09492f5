// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP

/// What a request asks the kubelet for. Access is decided about the same value that is served.
///
/// Source: upstream `pkg/kubelet/server/server.go`, `auth.go`.
enum NodeRoute: Sendable, Equatable {
    /// A container, as a path names it; its pod's uid is empty when the path does not say.
    struct Container: Sendable, Equatable {
        var namespace: String
        var pod: String
        var uid = ""
        var name: String
    }

    case healthz
    case syncloop
    case configz
    case pods
    case summary
    case metrics
    case resourceMetrics
    case containerMetrics
    case probeMetrics
    case logs(Container)
    case exec(Container)
    case attach(Container)
    case portForward(namespace: String, pod: String, uid: String)
    /// A path that nothing is at.
    case unknown

    /// - Parameter path: without the query. Nothing in it is decoded or cleaned: names of objects
    ///   need neither.
    init(path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.first == "" else {
            self = .unknown
            return
        }
        switch path {
        case "/healthz", "/healthz/ping": self = .healthz
        case "/healthz/syncloop": self = .syncloop
        case "/configz": self = .configz
        case "/pods": self = .pods
        case "/stats/summary": self = .summary
        case "/metrics": self = .metrics
        case "/metrics/resource": self = .resourceMetrics
        case "/metrics/cadvisor": self = .containerMetrics
        case "/metrics/probes": self = .probeMetrics
        default: self = Self.object(parts.dropFirst().map { $0 })
        }
    }

    private static func object(_ parts: [String]) -> NodeRoute {
        guard parts.count >= 3, !parts.contains(where: { ["", ".", ".."].contains($0) }) else {
            return .unknown
        }
        if parts[0] == "portForward", parts.count <= 4 {
            return .portForward(
                namespace: parts[1],
                pod: parts[2],
                uid: parts.count == 4 ? parts[3] : ""
            )
        }
        guard parts.count == 4 || parts.count == 5 else { return .unknown }
        var container = Container(namespace: parts[1], pod: parts[2], name: parts[3])
        if parts.count == 5 {
            container.uid = parts[3]
            container.name = parts[4]
        }
        switch parts[0] {
        case "containerLogs": return parts.count == 4 ? .logs(container) : .unknown
        case "exec": return .exec(container)
        case "attach": return .attach(container)
        default: return .unknown
        }
    }

    /// Whether what is asked for are streams.
    var isStream: Bool {
        switch self {
        case .exec, .attach, .portForward: true
        default: false
        }
    }

    /// What somebody needs a right for. Streams are created whatever the method is: a WebSocket
    /// comes as a GET, which would otherwise run commands for those who may only read.
    func access(_ method: HTTPMethod) -> NodeAccess.Request {
        let verb = self.isStream || method == .post ? "create" : "get"
        return NodeAccess.Request(verb: verb, subresources: self.subresources)
    }

    /// Parts of the resource `nodes`; a right for one of them is enough.
    private var subresources: [String] {
        switch self {
        case .healthz, .syncloop: ["healthz", "proxy"]
        case .configz: ["configz", "proxy"]
        case .pods: ["pods", "proxy"]
        case .summary: ["stats"]
        case .metrics, .resourceMetrics, .containerMetrics, .probeMetrics: ["metrics"]
        case .logs, .exec, .attach, .portForward, .unknown: ["proxy"]
        }
    }

    /// Whether a method is served there.
    func allows(_ method: HTTPMethod) -> Bool {
        method == .get || (self.isStream ? method == .post : method == .head)
    }
}
