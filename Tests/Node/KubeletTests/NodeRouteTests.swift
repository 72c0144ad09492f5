// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import Testing

@testable import Kubelet

@Suite("Paths of the kubelet's port")
struct NodeRouteTests {
    private static let web = NodeRoute.Container(namespace: "ns", pod: "pod", name: "web")
    private static let one = NodeRoute.Container(
        namespace: "ns",
        pod: "pod",
        uid: "uid-1",
        name: "web"
    )

    @Test(
        "lead to what they name",
        arguments: [
            ("/healthz", .healthz), ("/healthz/ping", .healthz), ("/healthz/syncloop", .syncloop),
            ("/configz", .configz), ("/pods", .pods), ("/stats/summary", .summary),
            ("/metrics", .metrics), ("/metrics/resource", .resourceMetrics),
            ("/metrics/cadvisor", .containerMetrics), ("/metrics/probes", .probeMetrics),
            ("/containerLogs/ns/pod/web", .logs(Self.web)), ("/exec/ns/pod/web", .exec(Self.web)),
            ("/exec/ns/pod/uid-1/web", .exec(Self.one)), ("/attach/ns/pod/web", .attach(Self.web)),
            ("/attach/ns/pod/uid-1/web", .attach(Self.one)),
            ("/portForward/ns/pod", .portForward(namespace: "ns", pod: "pod", uid: "")),
            ("/portForward/ns/pod/uid-1", .portForward(namespace: "ns", pod: "pod", uid: "uid-1")),
        ] as [(String, NodeRoute)]
    )
    func known(path: String, route: NodeRoute) {
        #expect(NodeRoute(path: path) == route)
    }

    @Test(
        "that play tricks lead nowhere",
        arguments: [
            "", "/", "healthz", "//healthz", "/healthz/", "/./healthz", "/metrics/../pods",
            "/metrics/../exec/ns/pod/web", "/metrics%2f..%2fpods", "/stats/../configz", "/PODS",
            "/exec", "/exec/", "/exec/ns", "/exec/ns/pod", "/exec/ns/pod/", "/exec//pod/web",
            "/exec/ns/../web", "/exec/ns/./web", "/exec/ns/pod/uid-1/web/more", "/exec/ns/pod/web/",
            "/containerLogs/ns/pod", "/containerLogs/ns/pod/uid-1/web", "/containerLogs/../../etc",
            "/containerLogs/ns/pod/..", "/portForward/ns", "/portForward/ns/", "/portForward/ns/..",
            "/portForward/ns/pod/uid-1/more", "/run/ns/pod/web", "/logs/../etc/shadow", "/logs/",
        ]
    )
    func unknown(path: String) {
        #expect(NodeRoute(path: path) == .unknown)
    }

    @Test(
        "a path is served with the rights it was let in with",
        arguments: [
            ("/pods", ["pods", "proxy"]), ("/healthz", ["healthz", "proxy"]),
            ("/configz", ["configz", "proxy"]), ("/stats/summary", ["stats"]),
            ("/metrics/cadvisor", ["metrics"]), ("/metrics/../exec/ns/pod/web", ["proxy"]),
            ("/exec/ns/pod/web", ["proxy"]), ("/containerLogs/ns/pod/web", ["proxy"]),
        ] as [(String, [String])]
    )
    func rights(path: String, subresources: [String]) {
        #expect(NodeRoute(path: path).access(.get).subresources == subresources)
    }

    @Test("streams need the right to create, whatever the method is")
    func streams() {
        for path in ["/exec/a/b/c", "/attach/a/b/c", "/portForward/a/b"] {
            let route = NodeRoute(path: path)
            #expect(route.access(.get).verb == "create")
            #expect(route.access(.post).verb == "create")
            #expect(route.allows(.get) && route.allows(.post) && !route.allows(.put))
        }
        #expect(NodeRoute(path: "/pods").access(.get).verb == "get")
        #expect(!NodeRoute(path: "/pods").allows(.post))
    }

    @Test(
        "CVE-2025-0426: nothing there makes files on the node, read-only or not",
        arguments: ["/checkpoint/ns/pod/web", "/debug/pprof/heap", "/run/ns/pod/web", "/logs/a"]
    )
    func files(path: String) {
        #expect(NodeRoute(path: path) == .unknown)
    }
}

@Suite("Queries of the kubelet's port")
struct NodeQueryTests {
    @Test("are decoded, in their order")
    func decoded() {
        let query = NodeQuery(
            target: "/exec/a/b/c?command=sh&command=-c&command=a%20b+c%3D%26&tty=1&x"
        )
        #expect(query.all("command") == ["sh", "-c", "a b c=&"])
        #expect(query["tty"] == "1")
        #expect(query["x"] == "")
        #expect(query["y"] == nil)
        #expect(NodeQuery(target: "/pods").all("command").isEmpty)
    }

    @Test("leave out what cannot be decoded", arguments: ["%", "%4", "%zz", "a%ff", "%c3"])
    func malformed(value: String) {
        #expect(NodeQuery(target: "/?a=\(value)&b=1")["a"] == nil)
        #expect(NodeQuery(target: "/?a=\(value)&b=1")["b"] == "1")
    }

    @Test("CVE-2020-8551: have an end")
    func limit() {
        let many = Array(repeating: "a=1", count: NodeQuery.maximumCount + 1)
        let query = NodeQuery(target: "/?" + many.joined(separator: "&"))
        #expect(query.all("a").count == NodeQuery.maximumCount)
    }
}
