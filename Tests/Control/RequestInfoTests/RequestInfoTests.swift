// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RequestInfo
import Testing

/// What a request should be read as.
struct RequestCase: Sendable, CustomTestStringConvertible {
    var method = "GET"
    var target: String
    var verb: String
    var prefix = "api"
    var group = ""
    var version = "v1"
    var namespace = ""
    var resource: String
    var subresource = ""
    var name = ""
    var parts: [String]

    var testDescription: String { "\(self.method) \(self.target)" }
}

@Suite("Request info") struct RequestInfoTests {
    private static let cases: [RequestCase] = [
        .init(
            target: "/api/v1/namespaces",
            verb: "list",
            resource: "namespaces",
            parts: ["namespaces"]
        ),
        .init(
            target: "/api/v1/namespaces/other",
            verb: "get",
            namespace: "other",
            resource: "namespaces",
            name: "other",
            parts: ["namespaces", "other"]
        ),
        .init(
            target: "/api/v1/namespaces/other/pods",
            verb: "list",
            namespace: "other",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/namespaces/other/pods/foo",
            verb: "get",
            namespace: "other",
            resource: "pods",
            name: "foo",
            parts: ["pods", "foo"]
        ),
        .init(
            method: "HEAD",
            target: "/api/v1/namespaces/other/pods/foo",
            verb: "get",
            namespace: "other",
            resource: "pods",
            name: "foo",
            parts: ["pods", "foo"]
        ),
        .init(target: "/api/v1/pods", verb: "list", resource: "pods", parts: ["pods"]),
        .init(target: "/api/v1/pods/", verb: "list", resource: "pods", parts: ["pods"]),
        .init(
            method: "HEAD",
            target: "/api/v1/pods",
            verb: "list",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/nodes/n1",
            verb: "get",
            resource: "nodes",
            name: "n1",
            parts: ["nodes", "n1"]
        ),
        .init(
            method: "POST",
            target: "/api/v1/namespaces/other/pods",
            verb: "create",
            namespace: "other",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            method: "PUT",
            target: "/api/v1/namespaces/other/pods/foo",
            verb: "update",
            namespace: "other",
            resource: "pods",
            name: "foo",
            parts: ["pods", "foo"]
        ),
        .init(
            method: "PATCH",
            target: "/api/v1/namespaces/other/pods/foo",
            verb: "patch",
            namespace: "other",
            resource: "pods",
            name: "foo",
            parts: ["pods", "foo"]
        ),
        .init(
            method: "DELETE",
            target: "/api/v1/namespaces/other/pods/foo",
            verb: "delete",
            namespace: "other",
            resource: "pods",
            name: "foo",
            parts: ["pods", "foo"]
        ),
        .init(
            method: "DELETE",
            target: "/api/v1/namespaces/other/pods",
            verb: "deletecollection",
            namespace: "other",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            method: "DELETE",
            target: "/api/v1/namespaces",
            verb: "deletecollection",
            resource: "namespaces",
            parts: ["namespaces"]
        ),
        .init(
            method: "DELETE",
            target: "/api/v1/namespaces/other",
            verb: "delete",
            namespace: "other",
            resource: "namespaces",
            name: "other",
            parts: ["namespaces", "other"]
        ),
        .init(
            method: "OPTIONS",
            target: "/api/v1/pods",
            verb: "",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            method: "get",
            target: "/api/v1/pods",
            verb: "",
            resource: "pods",
            parts: ["pods"]
        ),
        // Watches by path.
        .init(
            target: "/api/v1/watch/pods",
            verb: "watch",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/watch/namespaces/other/pods",
            verb: "watch",
            namespace: "other",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/watch/namespaces/other/pods/foo",
            verb: "watch",
            namespace: "other",
            resource: "pods",
            name: "foo",
            parts: ["pods", "foo"]
        ),
        .init(
            method: "POST",
            target: "/api/v1/watch/pods",
            verb: "watch",
            resource: "pods",
            parts: ["pods"]
        ),
        // The verb proxy has no subresources.
        .init(
            target: "/api/v1/proxy/namespaces/other/pods/foo",
            verb: "proxy",
            namespace: "other",
            resource: "pods",
            name: "foo",
            parts: ["pods", "foo"]
        ),
        .init(
            target: "/api/v1/proxy/namespaces/other/pods/foo/subpath/not/a/subresource",
            verb: "proxy",
            namespace: "other",
            resource: "pods",
            name: "foo",
            parts: ["pods", "foo", "subpath", "not", "a", "subresource"]
        ),
        .init(
            target: "/api/v1/proxy/pods/foo",
            verb: "proxy",
            resource: "pods",
            name: "foo",
            parts: ["pods", "foo"]
        ),
        // Subresources.
        .init(
            target: "/api/v1/namespaces/other/pods/foo/status",
            verb: "get",
            namespace: "other",
            resource: "pods",
            subresource: "status",
            name: "foo",
            parts: ["pods", "foo", "status"]
        ),
        .init(
            target: "/api/v1/namespaces/other/pods/foo/proxy/sub/path",
            verb: "get",
            namespace: "other",
            resource: "pods",
            subresource: "proxy",
            name: "foo",
            parts: ["pods", "foo", "proxy", "sub", "path"]
        ),
        .init(
            method: "POST",
            target: "/api/v1/namespaces/other/pods/foo/exec",
            verb: "create",
            namespace: "other",
            resource: "pods",
            subresource: "exec",
            name: "foo",
            parts: ["pods", "foo", "exec"]
        ),
        .init(
            method: "PUT",
            target: "/api/v1/namespaces/other/finalize",
            verb: "update",
            namespace: "other",
            resource: "namespaces",
            subresource: "finalize",
            name: "other",
            parts: ["namespaces", "other", "finalize"]
        ),
        .init(
            method: "PUT",
            target: "/api/v1/namespaces/other/status",
            verb: "update",
            namespace: "other",
            resource: "namespaces",
            subresource: "status",
            name: "other",
            parts: ["namespaces", "other", "status"]
        ),
        .init(
            target: "/api/v1/namespaces/status",
            verb: "get",
            namespace: "status",
            resource: "namespaces",
            name: "status",
            parts: ["namespaces", "status"]
        ),
        .init(
            target: "/api/v1/namespaces/other/namespaces",
            verb: "list",
            namespace: "other",
            resource: "namespaces",
            parts: ["namespaces"]
        ),
        // Groups.
        .init(
            target: "/apis/apps/v1/namespaces/other/deployments",
            verb: "list",
            prefix: "apis",
            group: "apps",
            namespace: "other",
            resource: "deployments",
            parts: ["deployments"]
        ),
        .init(
            target: "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node",
            verb: "get",
            prefix: "apis",
            group: "rbac.authorization.k8s.io",
            resource: "clusterroles",
            name: "system:node",
            parts: ["clusterroles", "system:node"]
        ),
        .init(
            method: "POST",
            target: "/apis/apps/v1/namespaces/a/deployments/b/scale",
            verb: "create",
            prefix: "apis",
            group: "apps",
            namespace: "a",
            resource: "deployments",
            subresource: "scale",
            name: "b",
            parts: ["deployments", "b", "scale"]
        ),
        .init(
            target: "/apis/apps/v1/watch/deployments",
            verb: "watch",
            prefix: "apis",
            group: "apps",
            resource: "deployments",
            parts: ["deployments"]
        ),
        // Parameters.
        .init(target: "/api/v1/pods?watch=true", verb: "watch", resource: "pods", parts: ["pods"]),
        .init(target: "/api/v1/pods?watch=1", verb: "watch", resource: "pods", parts: ["pods"]),
        .init(target: "/api/v1/pods?watch=", verb: "watch", resource: "pods", parts: ["pods"]),
        .init(target: "/api/v1/pods?watch", verb: "watch", resource: "pods", parts: ["pods"]),
        .init(target: "/api/v1/pods?watch=false", verb: "list", resource: "pods", parts: ["pods"]),
        .init(target: "/api/v1/pods?watch=False", verb: "list", resource: "pods", parts: ["pods"]),
        .init(target: "/api/v1/pods?watch=0", verb: "list", resource: "pods", parts: ["pods"]),
        .init(
            target: "/api/v1/pods?watch=0&watch=1",
            verb: "list",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/pods/foo?watch=1",
            verb: "get",
            resource: "pods",
            name: "foo",
            parts: ["pods", "foo"]
        ),
        // Options that cannot be read leave list or watch, and no name.
        .init(
            target: "/api/v1/pods?limit=x&fieldSelector=metadata.name%3Da",
            verb: "list",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/pods?watch=1&timeoutSeconds=x",
            verb: "watch",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/pods?watch=0&labelSelector=%3D",
            verb: "list",
            resource: "pods",
            parts: ["pods"]
        ),
        // A field selector names an object.
        .init(
            target: "/api/v1/pods?fieldSelector=metadata.name%3Da",
            verb: "list",
            resource: "pods",
            name: "a",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/namespaces/n/pods?watch=1&fieldSelector=metadata.name%3Da",
            verb: "watch",
            namespace: "n",
            resource: "pods",
            name: "a",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/pods?fieldSelector=metadata.name%21%3Da",
            verb: "list",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/pods?fieldSelector=metadata.name%3Da%2Fb",
            verb: "list",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            target: "/api/v1/pods?fieldSelector=metadata.name%3D..",
            verb: "list",
            resource: "pods",
            parts: ["pods"]
        ),
        .init(
            method: "DELETE",
            target: "/api/v1/pods?fieldSelector=metadata.name%3Da",
            verb: "deletecollection",
            resource: "pods",
            parts: ["pods"]
        ),
    ]

    @Test("reads requests for resources", arguments: cases)
    func resources(_ expected: RequestCase) throws {
        let info = try RequestInfo(
            method: expected.method,
            target: RequestTarget(parsing: expected.target)
        )
        #expect(info.isResourceRequest)
        #expect(info.verb == expected.verb)
        #expect(info.apiPrefix == expected.prefix)
        #expect(info.apiGroup == expected.group)
        #expect(info.apiVersion == expected.version)
        #expect(info.namespace == expected.namespace)
        #expect(info.resource == expected.resource)
        #expect(info.subresource == expected.subresource)
        #expect(info.name == expected.name)
        #expect(Array(info.parts) == expected.parts)
        #expect(info.path == expected.target.split(separator: "?")[0])
    }

    @Test(
        "reads other requests",
        arguments: [
            ("GET", "/", "get"), ("GET", "/api", "get"), ("GET", "/api/", "get"),
            ("GET", "/api/v1", "get"), ("GET", "/api/v1/", "get"), ("GET", "/apis", "get"),
            ("GET", "/apis/apps", "get"), ("GET", "/apis/apps/v1", "get"),
            ("GET", "/healthz", "get"), ("POST", "/healthz/ping", "post"),
            ("HEAD", "/version", "head"), ("OPTIONS", "/x/y/z/w", "options"),
            ("GET", "/openapi/v3/apis/apps/v1", "get"), ("GET", "/API/v1/pods", "get"),
            ("FOO", "/logs/a/b/c", "foo"),
        ]
    )
    func others(_ method: String, _ target: String, _ verb: String) throws {
        let info = try RequestInfo(method: method, target: RequestTarget(parsing: target))
        #expect(!info.isResourceRequest)
        #expect(info.verb == verb)
        #expect(info.path == target)
        #expect(info.apiPrefix.isEmpty && info.resource.isEmpty && info.parts.isEmpty)
    }

    @Test(
        "refuses a special verb with nothing behind it",
        arguments: [
            ("/api/v1/watch", "/api/v1/watch"), ("/api/v1/proxy", "/api/v1/proxy"),
            ("/apis/apps/v1/watch?a=b", "/apis/apps/v1/watch?a=b"),
            ("/api/v1/watch/", "/api/v1/watch/"),
        ]
    )
    func specialVerbs(_ target: String, _ url: String) throws {
        let parsed = try RequestTarget(parsing: target)
        let error = #expect(throws: RequestInfoError.self) {
            try RequestInfo(method: "GET", target: parsed)
        }
        #expect(
            error?.description == "unable to determine kind and namespace from url, \(url)"
        )
    }

    @Test(
        "keeps selectors for verbs that honour them",
        arguments: [
            ("GET", "/api/v1/pods?labelSelector=a%3Db&fieldSelector=c%3Dd", "a=b", "c=d"),
            ("GET", "/api/v1/pods?watch=1&labelSelector=a", "a", ""),
            ("DELETE", "/api/v1/pods?labelSelector=a&labelSelector=b", "a", ""),
            ("GET", "/api/v1/pods?labelSelector=%3D%3D%3D&limit=x", "===", ""),
            ("GET", "/api/v1/pods/foo?labelSelector=a", "", ""),
            ("POST", "/api/v1/pods?labelSelector=a", "", ""),
            ("GET", "/api/v1/watch/pods?labelSelector=a", "", ""),
            ("GET", "/healthz?labelSelector=a", "", ""),
        ]
    )
    func selectors(
        _ method: String,
        _ target: String,
        _ label: String,
        _ field: String
    ) throws {
        let info = try RequestInfo(method: method, target: RequestTarget(parsing: target))
        #expect(info.labelSelector == label)
        #expect(info.fieldSelector == field)
    }

    @Test("keeps the options of a list")
    func options() throws {
        let list = try RequestInfo(
            method: "GET",
            target: RequestTarget(parsing: "/api/v1/pods?limit=5")
        )
        #expect(try list.listOptions?.get().limit == 5)
        let bad = try RequestInfo(
            method: "GET",
            target: RequestTarget(parsing: "/api/v1/pods?limit=x")
        )
        #expect(throws: ParameterError.self) { try bad.listOptions?.get() }
        let get = try RequestInfo(method: "GET", target: RequestTarget(parsing: "/api/v1/pods/a"))
        #expect(get.listOptions == nil)
        #expect(get.isReadOnly)
        #expect(get.qualifiedResource == "pods")
        let log = try RequestInfo(
            method: "POST",
            target: RequestTarget(parsing: "/api/v1/namespaces/a/pods/b/log")
        )
        #expect(log.qualifiedResource == "pods/log")
        #expect(!log.isReadOnly)
    }
}
