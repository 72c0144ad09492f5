// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP2Transport
import Kubeconfig
import Testing

@Suite("Kubeconfig")
struct KubeconfigTests {
    private static let text = """
        apiVersion: v1
        kind: Config
        current-context: main
        clusters:
        - name: c
          cluster:
            server: https://127.0.0.1:6443
            certificate-authority-data: Q0E=
        - name: plain
          cluster: {server: "http://[::1]:8080/", tls-server-name: api}
        users:
        - name: u
          user:
            client-certificate: pki/admin.crt
            client-key-data: S0VZ
        - name: t
          user: {token: secret, tokenFile: /run/token}
        contexts:
        - name: main
          context: {cluster: c, user: u, namespace: ns}
        - name: second
          context: {cluster: plain, user: t}
        - name: anonymous
          context: {cluster: plain}
        - name: broken
          context: {cluster: none, user: u}
        """

    @Test("reads clusters, users and contexts")
    func reads() throws {
        let config = try Kubeconfig(yaml: Array(Self.text.utf8), folder: "/etc/k")
        let main = try config.connection()
        #expect(main.namespace == "ns")
        #expect(main.cluster.authority == .embedded(Array("CA".utf8)))
        #expect(main.user.certificate == .file("/etc/k/pki/admin.crt"))
        #expect(main.user.key == .embedded(Array("KEY".utf8)))
        #expect(try main.endpoint().endpoint == .tcp(host: "127.0.0.1", port: 6443))
        #expect(try main.endpoint().usesTLS)
        let second = try config.connection(context: "second")
        #expect(try second.endpoint().endpoint == .tcp(host: "::1", port: 8080))
        #expect(try !second.endpoint().usesTLS)
        #expect(second.user.token == "secret")
        #expect(second.user.tokenPath == "/run/token")
        #expect(second.cluster.tlsServerName == "api")
        #expect(try config.connection(context: "anonymous").user == Kubeconfig.User())
    }

    @Test(
        "servers",
        arguments: [
            ("https://host", "host", 443, true), ("http://host", "host", 80, false),
            ("host:1", "host", 1, true), ("https://[fe80::1]", "fe80::1", 443, true),
            ("https://a.b:7/x:9", "a.b", 7, true),
        ]
    )
    func servers(_ server: String, _ host: String, _ port: Int, _ usesTLS: Bool) throws {
        let connection = ClusterConnection(
            cluster: try Self.cluster(server),
            user: Kubeconfig.User()
        )
        let endpoint = try connection.endpoint()
        #expect(endpoint.endpoint == HTTPEndpoint.tcp(host: host, port: port))
        #expect(endpoint.usesTLS == usesTLS)
    }

    private static func cluster(_ server: String) throws -> Kubeconfig.Cluster {
        let text = "clusters: [{name: c, cluster: {server: '\(server)'}}]"
        let config = try Kubeconfig(yaml: Array(text.utf8))
        return try #require(config.clusters["c"])
    }

    @Test("says what is missing or wrong")
    func refuses() throws {
        let config = try Kubeconfig(yaml: Array(Self.text.utf8))
        #expect(throws: KubeconfigError.missing(kind: "cluster", name: "none")) {
            try config.connection(context: "broken")
        }
        #expect(throws: KubeconfigError.missing(kind: "context", name: "x")) {
            try config.connection(context: "x")
        }
        for text in [
            "clusters: [{cluster: {}}]", "users: [{name: u, user: {exec: {command: x}}}]",
            "users: [{name: u, user: {client-key-data: '!'}}]", "a: [",
        ] {
            #expect(throws: KubeconfigError.self) { try Kubeconfig(yaml: Array(text.utf8)) }
        }
        #expect(throws: KubeconfigError.self) { try Kubeconfig(path: "/nonexistent/x") }
        for server in ["", "https://", "https://h:x", "https://h:99999"] {
            let connection = ClusterConnection(
                cluster: try Self.cluster(server),
                user: Kubeconfig.User()
            )
            #expect(throws: KubeconfigError.self) { try connection.endpoint() }
        }
    }
}
