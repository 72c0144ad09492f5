// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Authentication
import JSON
import KubernetesAPI
import ObjectModel
import PKI
import Protobuf
import ResourceTable
import Scalars
import Testing

@Suite("Service account tokens")
struct ServiceAccountTokenTests {
    static let now = Timestamp(seconds: 1_800_000_000)
    static let key = try? PrivateKey(generating: .p256)
    static let issuer = ServiceAccountIssuer(
        issuers: ["https://kubernetes.default.svc", "https://old.example"],
        signingKey: Self.key
    )

    /// A service account with a running pod on a node, and a token secret.
    static func cluster() -> MemoryObjects {
        let objects = MemoryObjects()
        objects.put(
            "serviceaccounts",
            CoreV1.ServiceAccount.with {
                $0.metadata.name = "builder"
                $0.metadata.namespace = "a"
                $0.metadata.uid = "u1"
            }
        )
        objects.put("pods", Self.pod("builder"))
        objects.put(
            "nodes",
            CoreV1.Node.with {
                $0.metadata.name = "n"
                $0.metadata.uid = "u3"
            }
        )
        objects.put(
            "secrets",
            CoreV1.Secret.with {
                $0.metadata.name = "s"
                $0.metadata.namespace = "a"
                $0.metadata.uid = "u4"
                $0.type = "kubernetes.io/service-account-token"
            }
        )
        return objects
    }

    static func pod(_ account: String) -> CoreV1.Pod {
        .with {
            $0.metadata.name = "p"
            $0.metadata.namespace = "a"
            $0.metadata.uid = "u2"
            $0.spec.serviceAccountName = account
            $0.spec.nodeName = "n"
        }
    }

    static func bearer(
        _ token: String,
        at now: Timestamp = Self.now,
        audiences: [String] = []
    ) -> AuthenticationRequest {
        AuthenticationRequest(
            authorization: "Bearer \(token)",
            path: "/api",
            audiences: audiences,
            now: now
        )
    }

    static func issue(
        _ objects: MemoryObjects,
        _ spec: AuthenticationV1.TokenRequestSpec
    ) async throws(StatusError) -> AuthenticationV1.TokenRequest {
        let context = ReviewContext(
            user: UserInfo(name: "kubelet"),
            namespace: "a",
            name: "builder",
            now: Self.now
        )
        let answer = try await TokenRequests(Self.issuer, objects, random: { 7 }).create(
            APIObject(AuthenticationV1.TokenRequest.with { $0.spec = spec }),
            context
        )
        return answer.message() ?? AuthenticationV1.TokenRequest()
    }

    static func bound(
        _ kind: String,
        _ name: String,
        uid: String = ""
    )
        -> AuthenticationV1.TokenRequestSpec
    {
        .with {
            $0.boundObjectRef = .with {
                $0.kind = kind
                $0.apiVersion = "v1"
                $0.name = name
                $0.uID = uid
            }
        }
    }

    @Test("knows the account, pod and node of a token")
    func pods() async throws {
        let objects = Self.cluster()
        let request = try await Self.issue(objects, Self.bound("Pod", "p", uid: "u2"))
        #expect(request.spec.expirationSeconds == 3600)
        #expect(request.spec.audiences == ["https://kubernetes.default.svc"])
        #expect(
            request.status.expirationTimestamp.timestamp
                == Timestamp(seconds: Self.now.seconds + 3600)
        )
        let authenticator = ServiceAccountAuthenticator(Self.issuer, objects)
        let known = try await authenticator.authenticate(Self.bearer(request.status.token))
        let user = try #require(known?.user)
        #expect(user.name == "system:serviceaccount:a:builder")
        #expect(user.uid == "u1")
        #expect(
            user.groups == [
                "system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated",
            ]
        )
        #expect(user.extra["authentication.kubernetes.io/pod-name"] == ["p"])
        #expect(user.extra["authentication.kubernetes.io/node-uid"] == ["u3"])
        #expect(
            user.extra["authentication.kubernetes.io/credential-id"] == [
                "JTI=00000000-0000-4007-8000-000000000007"
            ]
        )
    }

    /// What ends a token.
    enum End: CaseIterable, Sendable {
        case time, podGone, podReplaced, accountReplaced, otherAudience, changed, otherKey
    }

    @Test("ends with what it is bound to", arguments: End.allCases)
    func ends(_ end: End) async throws {
        let objects = Self.cluster()
        var token = try await Self.issue(objects, Self.bound("Pod", "p")).status.token
        let authenticator = ServiceAccountAuthenticator(Self.issuer, objects)
        _ = try await authenticator.authenticate(Self.bearer(token))
        var request = Self.bearer(token)
        switch end {
        case .time: request.now = Timestamp(seconds: Self.now.seconds + 3600)
        case .podGone:
            objects.remove(
                GroupResource(group: "", resource: "pods"),
                namespace: "a",
                name: "p"
            )
        case .podReplaced:
            var pod = Self.pod("builder")
            pod.metadata.uid = "other"
            objects.put("pods", pod)
        case .accountReplaced:
            objects.put(
                "serviceaccounts",
                CoreV1.ServiceAccount.with {
                    $0.metadata.name = "builder"
                    $0.metadata.namespace = "a"
                    $0.metadata.uid = "other"
                }
            )
        case .otherAudience: request.audiences = ["vault"]
        case .changed:
            let last: Character = token.last == "A" ? "B" : "A"
            token.removeLast(2)
            request = Self.bearer(token + String([last, last]))
        case .otherKey:
            let foreign = ServiceAccountIssuer(
                issuers: Self.issuer.issuers,
                signingKey: try PrivateKey(generating: .p256)
            )
            token = try foreign.legacyToken(
                namespace: "a",
                accountName: "builder",
                accountUID: "u1",
                secretName: "s"
            )
            request = Self.bearer(token)
        }
        let asked = request
        if end == .changed {
            // What is no base64 of a signature is no token at all, or a wrong one.
            let known = try? await authenticator.authenticate(asked)
            #expect(known == nil)
        } else {
            await #expect(throws: StatusError.self) {
                try await authenticator.authenticate(asked)
            }
        }
    }

    @Test(
        "refuses what is not there or not meant",
        arguments: [
            (Self.bound("Pod", "none"), 404, "pods \"none\" not found"),
            (
                Self.bound("Pod", "p", uid: "x"), 409,
                "Operation cannot be fulfilled on Pod \"p\": the UID in the bound object "
                    + "reference (x) does not match the UID in record. The object might have "
                    + "been deleted and then recreated"
            ),
            (
                Self.bound("Job", "j"), 400, "cannot bind token to object of type /v1, Kind=Job"
            ),
            (
                AuthenticationV1.TokenRequestSpec.with { $0.expirationSeconds = 599 }, 422,
                "TokenRequest.authentication.k8s.io \"builder\" is invalid: "
                    + "spec.expirationSeconds: Invalid value: 599: may not specify a duration "
                    + "less than 10 minutes"
            ),
        ] as [(AuthenticationV1.TokenRequestSpec, Int, String)]
    )
    func refusals(
        _ spec: AuthenticationV1.TokenRequestSpec,
        _ code: Int,
        _ message: String
    ) async {
        do throws(StatusError) {
            _ = try await Self.issue(Self.cluster(), spec)
            Issue.record("issued")
        } catch {
            #expect(error.code == code)
            #expect(error.message == message)
        }
    }

    @Test("binds to the pods of the account alone")
    func foreignPod() async {
        let objects = Self.cluster()
        objects.put("pods", Self.pod("other"))
        do throws(StatusError) {
            _ = try await Self.issue(objects, Self.bound("Pod", "p"))
            Issue.record("issued")
        } catch {
            #expect(
                error.message == """
                    cannot bind token for serviceaccount "builder" to pod running with different \
                    serviceaccount name.
                    """
            )
        }
    }

    @Test("lets pods' tokens outlive their renewal")
    func extended() async throws {
        let objects = Self.cluster()
        var spec = Self.bound("Pod", "p")
        spec.expirationSeconds = 3607
        let token = try await Self.issue(objects, spec).status.token
        let authenticator = ServiceAccountAuthenticator(Self.issuer, objects)
        let later = Timestamp(seconds: Self.now.seconds + 86_400)
        #expect(try await authenticator.authenticate(Self.bearer(token, at: later)) != nil)
    }

    @Test("knows tokens of secrets")
    func legacy() async throws {
        let objects = Self.cluster()
        let token = try Self.issuer.legacyToken(
            namespace: "a",
            accountName: "builder",
            accountUID: "u1",
            secretName: "s"
        )
        let authenticator = ServiceAccountAuthenticator(Self.issuer, objects)
        let known = try await authenticator.authenticate(Self.bearer(token))
        #expect(known?.user.name == "system:serviceaccount:a:builder")
        objects.remove(
            GroupResource(group: "", resource: "secrets"),
            namespace: "a",
            name: "s"
        )
        await #expect(throws: StatusError.self) {
            try await authenticator.authenticate(Self.bearer(token))
        }
    }

    @Test("leaves other tokens to others", arguments: ["", "a", "a.b.c", "e30.e30.AA", "é.é.é"])
    func others(_ token: String) async throws {
        let authenticator = ServiceAccountAuthenticator(Self.issuer, Self.cluster())
        #expect(try await authenticator.authenticate(Self.bearer(token)) == nil)
    }

    @Test("signs and verifies with every kind of key", arguments: PrivateKey.Kind.allCases)
    func keys(_ kind: PrivateKey.Kind) throws {
        guard kind == .p256 || kind == .p384 || kind == .rsa2048 else { return }
        let key = try PrivateKey(generating: kind)
        let token = try #require(
            WebToken(parsing: try WebToken.sign(["sub": "a"], with: key))
        )
        #expect(token.isSigned(by: key.publicKey))
        #expect(!token.isSigned(by: try PrivateKey(generating: .p256).publicKey))
        #expect(token.claims["sub"] == "a")
        let issuer = ServiceAccountIssuer(issuers: ["https://i"], signingKey: key)
        let entry = try #require(issuer.keySet["keys"]?.items.first)
        #expect(entry["kid"]?.string == token.keyID)
        #expect(entry["kty"] == (kind == .rsa2048 ? "RSA" : "EC"))
        if kind == .rsa2048 { #expect(entry["e"] == "AQAB") }
        let document = issuer.configuration(keySetURI: "https://i/openid/v1/jwks")
        #expect(document["issuer"] == "https://i")
    }

    @Test("reviews tokens")
    func reviews() async throws {
        let objects = Self.cluster()
        let token = try await Self.issue(objects, Self.bound("Node", "n")).status.token
        let reviews = UserReviews(
            RequestAuthenticator([ServiceAccountAuthenticator(Self.issuer, objects)]),
            audiences: Self.issuer.audiences
        )
        func review(
            _ token: String,
            _ audiences: [String] = []
        ) async throws -> AuthenticationV1.TokenReviewStatus? {
            let object = APIObject(
                AuthenticationV1.TokenReview.with {
                    $0.spec.token = token
                    $0.spec.audiences.append(contentsOf: audiences)
                }
            )
            let context = ReviewContext(user: UserInfo(name: "x"), now: Self.now)
            return try await reviews.create(object, context)
                .message(as: AuthenticationV1.TokenReview.self)?.status
        }
        let good = try await review(token)
        #expect(good?.authenticated == true)
        #expect(good?.user.username == "system:serviceaccount:a:builder")
        #expect(good?.audiences == ["https://kubernetes.default.svc"])
        let other = try await review(token, ["vault"])
        #expect(other?.authenticated == false)
        #expect(other?.error.isEmpty == false)
        let unknown = try await review("abc")
        #expect(unknown?.authenticated == false)
        await #expect(throws: StatusError.self) { try await review("") }
    }
}
