// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Authentication
import Bytes
import KubernetesAPI
import ObjectModel
import PKI
import Protobuf
import Scalars
import Testing

@Suite("CertificateAuthenticator")
struct CertificateAuthenticatorTests {
    static let now = Timestamp(seconds: CertificateTime.now().secondsSinceEpoch)

    private static func authority() throws -> CertificateAuthority {
        try CertificateAuthority.root(
            .authority("ca"),
            key: try PrivateKey(generating: .p256),
            at: .now()
        )
    }

    private func certificate(
        _ authority: CertificateAuthority,
        _ template: CertificateTemplate
    ) throws -> PeerCertificates {
        let pair = try authority.issueKeyPair(template, at: .now())
        return PeerCertificates([pair.certificate.der])
    }

    @Test("knows name and groups, and verifies a connection once")
    func names() async throws {
        let authority = try Self.authority()
        let authenticator = CertificateAuthenticator(authorities: [authority.certificate])
        let peer = try self.certificate(
            authority,
            .client("ann", organizations: ["team", "system:masters"])
        )
        let request = AuthenticationRequest(peer: peer, path: "/", now: Self.now)
        let known = try await authenticator.authenticate(request)
        #expect(known?.user.name == "ann")
        #expect(known?.user.groups == ["team", "system:masters"])
        let id = known?.user.extra["authentication.kubernetes.io/credential-id"]?.first
        #expect(id?.hasPrefix("X509SHA256=") == true)
        #expect(peer.user(at: Self.now) === known?.user)
        #expect(peer.user(at: Timestamp(seconds: Self.now.seconds + 400 * 86_400)) == nil)
    }

    @Test("refuses foreign, expired and servers' certificates")
    func refusals() async throws {
        let authority = try Self.authority()
        let other = try Self.authority()
        let authenticator = CertificateAuthenticator(authorities: [authority.certificate])
        let later = Timestamp(seconds: Self.now.seconds + 400 * 86_400)
        for (peer, now) in [
            (try self.certificate(other, .client("ann")), Self.now),
            (try self.certificate(authority, .client("ann")), later),
            (PeerCertificates([[1, 2, 3]]), Self.now),
        ] {
            await #expect(throws: StatusError.self) {
                try await authenticator.authenticate(
                    AuthenticationRequest(peer: peer, path: "/", now: now)
                )
            }
        }
        let none = AuthenticationRequest(path: "/", now: Self.now)
        #expect(try await authenticator.authenticate(none) == nil)
    }
}

@Suite("RequestAuthenticator")
struct RequestAuthenticatorTests {
    static func request(_ authorization: String?, path: String = "/api") -> AuthenticationRequest {
        AuthenticationRequest(authorization: authorization, path: path, now: .zero)
    }

    static func file() throws -> TokenFileAuthenticator {
        try TokenFileAuthenticator(
            parsing: """
                t1,ann,1,"team, ops"
                t2,bob,2
                """
        )
    }

    @Test(
        "knows users by their tokens",
        arguments: [
            ("Bearer t1", "ann", ["team", "ops", "system:authenticated"]),
            ("bearer t2", "bob", ["system:authenticated"]),
        ]
    )
    func tokens(_ header: String, _ name: String, _ groups: [String]) async throws {
        let authenticator = RequestAuthenticator([try Self.file()])
        let known = try await authenticator.authenticate(Self.request(header))
        #expect(known?.user.name == name)
        #expect(known?.user.groups == groups)
    }

    @Test("lets strangers see health alone")
    func anonymous() async throws {
        let authenticator = RequestAuthenticator([try Self.file()])
        let known = try await authenticator.authenticate(Self.request(nil, path: "/livez"))
        #expect(known?.user == .anonymous)
        #expect(try await authenticator.authenticate(Self.request(nil)) == nil)
        #expect(
            try await authenticator.authenticate(Self.request("Bearer x", path: "/livez")) == nil
        )
        let open = RequestAuthenticator([], anonymous: .everybody)
        #expect(try await open.authenticate(Self.request(nil)) != nil)
        let closed = RequestAuthenticator([], anonymous: .nobody)
        #expect(try await closed.authenticate(Self.request(nil, path: "/livez")) == nil)
    }

    @Test("reads token files strictly", arguments: ["t,u", "t,u,i,\"g"])
    func malformed(_ text: String) {
        #expect(throws: TokenFileAuthenticator.Malformed.self) {
            try TokenFileAuthenticator(parsing: text)
        }
    }
}

@Suite("BootstrapTokenAuthenticator")
struct BootstrapTokenAuthenticatorTests {
    static let secret = "0123456789abcdef"

    static func cluster(_ changes: [String: String?]) -> MemoryObjects {
        let objects = MemoryObjects()
        objects.put(
            "secrets",
            CoreV1.Secret.with {
                $0.metadata.name = "bootstrap-token-abcdef"
                $0.metadata.namespace = "kube-system"
                $0.type = "bootstrap.kubernetes.io/token"
                var data: [String: String?] = [
                    "token-id": "abcdef", "token-secret": Self.secret,
                    "usage-bootstrap-authentication": "true",
                    "auth-extra-groups": "system:bootstrappers:workers",
                ]
                data.merge(changes) { _, new in new }
                for (key, value) in data {
                    if let value { $0.data[key] = Bytes(utf8: value) }
                }
            }
        )
        return objects
    }

    @Test(
        "knows nodes that join",
        arguments: [
            ([:], "abcdef.0123456789abcdef", true),
            ([:], "abcdef.0123456789abcdee", false),
            ([:], "ABCDEF.0123456789abcdef", false),
            ([:], "abcdef.0123456789abcdef0", false),
            (["usage-bootstrap-authentication": nil], "abcdef.0123456789abcdef", false),
            (["expiration": "2026-01-01T00:00:00Z"], "abcdef.0123456789abcdef", false),
            (["expiration": "2028-01-01T00:00:00Z"], "abcdef.0123456789abcdef", true),
            (["expiration": "soon"], "abcdef.0123456789abcdef", false),
            (["auth-extra-groups": "system:masters"], "abcdef.0123456789abcdef", false),
            (["token-id": "other1"], "abcdef.0123456789abcdef", false),
        ] as [([String: String?], String, Bool)]
    )
    func tokens(_ changes: [String: String?], _ token: String, _ isKnown: Bool) async throws {
        let authenticator = BootstrapTokenAuthenticator(Self.cluster(changes))
        let known = try await authenticator.authenticate(
            AuthenticationRequest(
                authorization: "Bearer \(token)",
                path: "/",
                now: Timestamp(seconds: 1_800_000_000)
            )
        )
        #expect((known != nil) == isKnown)
        if isKnown {
            #expect(known?.user.name == "system:bootstrap:abcdef")
            #expect(
                known?.user.groups == ["system:bootstrappers", "system:bootstrappers:workers"]
            )
        }
    }
}

@Suite("Impersonation")
struct ImpersonationTests {
    /// Allows to be anyone but root.
    struct AnyoneButRoot: Authorizer {
        func authorize(
            _ attributes: AuthorizationAttributes
        ) async -> AuthorizationDecision {
            attributes.verb == "impersonate" && attributes.name != "root"
                ? .allow(reason: "") : .noOpinion(reason: "")
        }
    }

    private func resolve(
        _ headers: [(name: String, value: String)]
    ) async throws(StatusError) -> UserInfo? {
        try await Impersonation.resolve(
            headers,
            by: UserInfo(name: "ann"),
            AnyoneButRoot()
        )
    }

    @Test("acts as another")
    func users() async throws {
        #expect(try await self.resolve([("accept", "a")]) == nil)
        let user = try await self.resolve([
            ("impersonate-user", "bob"), ("impersonate-group", "team"),
            ("impersonate-extra-Scope%2fa", "x"), ("impersonate-extra-scope%2fa", "y"),
            ("impersonate-uid", "7"),
        ])
        #expect(user?.name == "bob")
        #expect(user?.uid == "7")
        #expect(user?.groups == ["team", "system:authenticated"])
        #expect(user?.extra == ["scope/a": ["x", "y"]])
        let account = try await self.resolve([
            ("impersonate-user", "system:serviceaccount:a:b")
        ])
        #expect(
            account?.groups == [
                "system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated",
            ]
        )
        let nobody = try await self.resolve([("impersonate-user", "system:anonymous")])
        #expect(nobody?.groups == ["system:unauthenticated"])
    }

    @Test("refuses what is not allowed, and headers without a user")
    func refusals() async {
        do throws(StatusError) {
            _ = try await self.resolve([("impersonate-user", "root")])
            Issue.record("allowed")
        } catch {
            #expect(
                error.message == """
                    users "root" is forbidden: User "ann" cannot impersonate resource "users" in \
                    API group "" at the cluster scope
                    """
            )
        }
        do throws(StatusError) {
            _ = try await self.resolve([("impersonate-group", "team")])
            Issue.record("allowed")
        } catch {
            #expect(error.code == 500)
        }
    }
}
