// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import JSON
import KubernetesAPI
import NameRules
public import ObjectModel
public import PKI
import Protobuf
import ResourceTable
import Scalars

/// Issues tokens for service accounts: the create of `serviceaccounts/token`.
///
/// Source: kubernetes `pkg/registry/core/serviceaccount/storage/token.go`,
/// `pkg/apis/authentication/validation`.
public struct TokenRequests: ReviewEndpoint {
    private let issuer: ServiceAccountIssuer
    private let objects: any ObjectReader
    private let random: @Sendable () -> UInt64

    /// Seconds that a request may ask for.
    private static let expirationRange: ClosedRange<Int64> = 600...(1 << 32)
    private static let defaultExpiration: Int64 = 3600
    /// What the ServiceAccount admission plugin asks for; such tokens live longer than they say.
    private static let podExpiration: Int64 = 3607
    private static let extendedExpiration: Int64 = 365 * 86_400

    public init(
        _ issuer: ServiceAccountIssuer,
        _ objects: any ObjectReader,
        random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }
    ) {
        self.issuer = issuer
        self.objects = objects
        self.random = random
    }

    public func create(
        _ object: APIObject,
        _ context: ReviewContext
    ) async throws(StatusError) -> APIObject {
        guard var request = object.message(as: AuthenticationV1.TokenRequest.self) else {
            throw .badRequest("not a TokenRequest")
        }
        let account = try await self.object("serviceaccounts", context.namespace, context.name)
        request.metadata = .with {
            $0.name = account.metadata.name
            $0.namespace = account.metadata.namespace
            $0.creationTimestamp = MetaV1.Time(context.now)
        }
        try Self.check(request.spec, name: context.name)
        if request.spec.audiences.isEmpty {
            request.spec.audiences.append(contentsOf: self.issuer.audiences)
        }
        var asked = request.spec.expirationSeconds ?? Self.defaultExpiration
        if let maximum = self.issuer.maximumExpirationSeconds { asked = min(asked, maximum) }
        request.spec.expirationSeconds = asked

        var claims: DynamicValue = [
            "namespace": DynamicValue(context.namespace),
            "serviceaccount": Self.claim(account),
        ]
        if let reference = request.spec.boundObjectRef {
            try await self.bind(to: reference, &claims, account, context)
        }
        var lifetime = asked
        if self.issuer.extendsExpiration, asked == Self.podExpiration,
            request.spec.boundObjectRef?.kind == "Pod",
            request.spec.audiences.allSatisfy(self.issuer.audiences.contains)
        {
            claims["warnafter"] = DynamicValue(context.now.seconds + asked)
            lifetime = Self.extendedExpiration
        }
        request.status.token = try self.sign(
            claims,
            audiences: Array(request.spec.audiences),
            lifetime: lifetime,
            context
        )
        request.status.expirationTimestamp = MetaV1.Time(
            Timestamp(seconds: context.now.seconds + asked)
        )
        return APIObject(request)
    }

    private static func check(
        _ spec: AuthenticationV1.TokenRequestSpec,
        name: String
    ) throws(StatusError) {
        guard let seconds = spec.expirationSeconds else { return }
        var errors = FieldErrors()
        errors.within("spec") { errors in
            if seconds < Self.expirationRange.lowerBound {
                errors.invalid(
                    at: "expirationSeconds",
                    .integer(seconds),
                    "may not specify a duration less than 10 minutes"
                )
            }
            if seconds > Self.expirationRange.upperBound {
                errors.invalid(
                    at: "expirationSeconds",
                    .integer(seconds),
                    "may not specify a duration larger than 2^32 seconds"
                )
            }
        }
        guard !errors.isEmpty else { return }
        throw .invalid(
            kind: "TokenRequest",
            group: "authentication.k8s.io",
            name: name,
            errors
        )
    }

    private func object(
        _ resource: String,
        _ namespace: String,
        _ name: String
    ) async throws(StatusError) -> APIObject {
        let resource = GroupResource(group: "", resource: resource)
        let object = try await self.objects.current(resource, namespace: namespace, name: name)
        guard let object else { throw .notFound(resource, name) }
        return object
    }

    private static func claim(_ object: APIObject) -> DynamicValue {
        [
            "name": DynamicValue(object.metadata.name),
            "uid": DynamicValue(object.metadata.uid),
        ]
    }

    /// Binds a token to a pod, node or secret, with which it ends.
    private func bind(
        to reference: AuthenticationV1.BoundObjectReference,
        _ claims: inout DynamicValue,
        _ account: APIObject,
        _ context: ReviewContext
    ) async throws(StatusError) {
        let bound: APIObject
        switch (reference.apiVersion, reference.kind) {
        case ("v1", "Pod"):
            bound = try await self.object("pods", context.namespace, reference.name)
            guard let pod: CoreV1.Pod = bound.message(),
                pod.spec.serviceAccountName == account.metadata.name
            else {
                throw .badRequest(
                    "cannot bind token for serviceaccount \(GoText.quoted(account.metadata.name)) "
                        + "to pod running with different serviceaccount name."
                )
            }
            claims["pod"] = Self.claim(bound)
            if !pod.spec.nodeName.isEmpty {
                claims["node"] = ["name": DynamicValue(pod.spec.nodeName)]
                let nodes = GroupResource(group: "", resource: "nodes")
                if let node = self.objects.get(nodes, namespace: "", name: pod.spec.nodeName) {
                    claims["node"] = Self.claim(node)
                }
            }
        case ("v1", "Node"):
            bound = try await self.object("nodes", "", reference.name)
            claims["node"] = Self.claim(bound)
        case ("v1", "Secret"):
            bound = try await self.object("secrets", context.namespace, reference.name)
            claims["secret"] = Self.claim(bound)
        default:
            throw .badRequest(
                "cannot bind token to object of type "
                    + GroupVersionKind(
                        apiVersion: reference.apiVersion,
                        kind: reference.kind
                    ).description
            )
        }
        guard reference.uID.isEmpty || reference.uID == bound.metadata.uid else {
            throw .conflict(
                GroupResource(group: "", resource: reference.kind),
                reference.name,
                "the UID in the bound object reference (\(reference.uID)) does not match the UID "
                    + "in record. The object might have been deleted and then recreated"
            )
        }
    }

    private func sign(
        _ own: DynamicValue,
        audiences: [String],
        lifetime: Int64,
        _ context: ReviewContext
    ) throws(StatusError) -> String {
        guard let key = self.issuer.signingKey else {
            throw .internalError("failed to generate token: there is no signing key")
        }
        let now = context.now.seconds
        let subject = "\(UserInfo.serviceAccountPrefix)\(context.namespace):\(context.name)"
        let claims: DynamicValue = [
            "aud": DynamicValue(audiences.map { DynamicValue($0) }),
            "exp": DynamicValue(now + lifetime), "iat": DynamicValue(now),
            "nbf": DynamicValue(now), "iss": DynamicValue(self.issuer.issuer),
            "jti": DynamicValue(RandomText.uuid(self.random)), "kubernetes.io": own,
            "sub": DynamicValue(subject),
        ]
        do throws(PKIError) {
            return try WebToken.sign(claims, with: key)
        } catch {
            throw .internalError("failed to generate token: \(error)")
        }
    }
}

extension ServiceAccountIssuer {
    /// The token of a secret of type `kubernetes.io/service-account-token`, which never expires.
    public func legacyToken(
        namespace: String,
        accountName: String,
        accountUID: String,
        secretName: String
    ) throws(PKIError) -> String {
        guard let key = self.signingKey else { throw .unsupportedKey("there is no signing key") }
        let prefix = "kubernetes.io/serviceaccount/"
        return try WebToken.sign(
            [
                "iss": DynamicValue(ServiceAccountAuthenticator.legacyIssuer),
                "sub": DynamicValue("\(UserInfo.serviceAccountPrefix)\(namespace):\(accountName)"),
                "\(prefix)namespace": DynamicValue(namespace),
                "\(prefix)secret.name": DynamicValue(secretName),
                "\(prefix)service-account.name": DynamicValue(accountName),
                "\(prefix)service-account.uid": DynamicValue(accountUID),
            ],
            with: key
        )
    }
}
