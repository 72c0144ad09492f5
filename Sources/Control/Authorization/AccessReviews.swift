// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import JSON
import KubernetesAPI
import NameRules
public import ObjectModel
import Protobuf

/// Answers SubjectAccessReview, LocalSubjectAccessReview, SelfSubjectAccessReview and
/// SelfSubjectRulesReview: what a user may do, without doing it.
///
/// Source: kubernetes `pkg/registry/authorization`, `pkg/apis/authorization/validation`.
public struct AccessReviews: ReviewEndpoint {
    private let authorizer: any Authorizer

    public init(_ authorizer: any Authorizer) {
        self.authorizer = authorizer
    }

    public func create(
        _ object: APIObject,
        _ context: ReviewContext
    ) async throws(StatusError) -> APIObject {
        if var review = object.message(as: AuthorizationV1.SubjectAccessReview.self) {
            try Self.check(review.spec, kind: "SubjectAccessReview")
            review.status = await self.status(review.spec)
            return APIObject(review)
        }
        if var review = object.message(as: AuthorizationV1.LocalSubjectAccessReview.self) {
            try Self.check(review.spec, kind: "LocalSubjectAccessReview")
            let namespace = review.spec.resourceAttributes?.namespace ?? ""
            if review.spec.resourceAttributes != nil, namespace != context.namespace {
                throw .badRequest(
                    "spec.resourceAttributes.namespace must match namespace: \(context.namespace)"
                )
            }
            review.status = await self.status(review.spec)
            return APIObject(review)
        }
        if var review = object.message(as: AuthorizationV1.SelfSubjectAccessReview.self) {
            try Self.check(
                review.spec.resourceAttributes,
                review.spec.nonResourceAttributes,
                kind: "SelfSubjectAccessReview"
            )
            review.status = await self.status(
                context.user,
                review.spec.resourceAttributes,
                review.spec.nonResourceAttributes
            )
            return APIObject(review)
        }
        guard var review = object.message(as: AuthorizationV1.SelfSubjectRulesReview.self) else {
            throw .badRequest("not an access review: \(object.typeMeta.kind)")
        }
        guard !review.spec.namespace.isEmpty else { throw .badRequest("no namespace on request") }
        review.status = await self.rules(of: context.user, in: review.spec.namespace)
        return APIObject(review)
    }

    // MARK: - Decisions

    private func status(
        _ spec: AuthorizationV1.SubjectAccessReviewSpec
    ) async -> AuthorizationV1.SubjectAccessReviewStatus {
        let user = UserInfo(
            name: spec.user,
            uid: spec.uid,
            groups: Array(spec.groups),
            extra: Dictionary(
                spec.extra.map { ($0.key.lowercased(), Array($0.value.items)) },
                uniquingKeysWith: { first, _ in first }
            )
        )
        return await self.status(user, spec.resourceAttributes, spec.nonResourceAttributes)
    }

    private func status(
        _ user: UserInfo,
        _ resource: AuthorizationV1.ResourceAttributes?,
        _ path: AuthorizationV1.NonResourceAttributes?
    ) async -> AuthorizationV1.SubjectAccessReviewStatus {
        let decision = await self.authorizer.authorize(Self.attributes(user, resource, path))
        return .with {
            switch decision {
            case .allow: $0.allowed = true
            case .deny: $0.denied = true
            case .noOpinion: break
            }
            $0.reason = decision.reason
        }
    }

    private static func attributes(
        _ user: UserInfo,
        _ resource: AuthorizationV1.ResourceAttributes?,
        _ path: AuthorizationV1.NonResourceAttributes?
    ) -> AuthorizationAttributes {
        guard let resource else {
            return AuthorizationAttributes(
                user: user,
                verb: path?.verb ?? "",
                path: path?.path ?? ""
            )
        }
        var attributes = AuthorizationAttributes(
            user: user,
            verb: resource.verb,
            group: resource.group,
            version: resource.version,
            resource: resource.resource,
            subresource: resource.subresource,
            namespace: resource.namespace,
            name: resource.name
        )
        if let selector = resource.fieldSelector {
            attributes.fieldSelector =
                selector.rawSelector.isEmpty
                ? selector.requirements.compactMap { term in
                    guard term.values.count == 1 else { return nil }
                    let comparison = term.operator == "NotIn" ? "!=" : "="
                    return "\(term.key)\(comparison)\(term.values[0])"
                }.joined(separator: ",")
                : selector.rawSelector
        }
        attributes.labelSelector = resource.labelSelector?.rawSelector ?? ""
        return attributes
    }

    private func rules(
        of user: UserInfo,
        in namespace: String
    ) async -> AuthorizationV1.SubjectRulesReviewStatus {
        let rules = await self.authorizer.rules(of: user, in: namespace) ?? AuthorizationRules()
        return .with { status in
            for rule in rules.resources {
                status.resourceRules.append(
                    .with {
                        $0.verbs.append(contentsOf: rule.verbs)
                        $0.apiGroups.append(contentsOf: rule.apiGroups)
                        $0.resources.append(contentsOf: rule.resources)
                        $0.resourceNames.append(contentsOf: rule.resourceNames)
                    }
                )
            }
            for rule in rules.paths {
                status.nonResourceRules.append(
                    .with {
                        $0.verbs.append(contentsOf: rule.verbs)
                        $0.nonResourceURLs.append(contentsOf: rule.paths)
                    }
                )
            }
            status.incomplete = !rules.errors.isEmpty
            status.evaluationError = rules.errors.isEmpty ? "" : aggregateText(rules.errors)
        }
    }

    // MARK: - Validation

    private static func check(
        _ spec: AuthorizationV1.SubjectAccessReviewSpec,
        kind: String
    ) throws(StatusError) {
        var errors = Self.errors(spec.resourceAttributes, spec.nonResourceAttributes)
        if spec.user.isEmpty, spec.groups.isEmpty {
            errors.within("spec") {
                $0.invalid(
                    at: "user",
                    .string(""),
                    "at least one of user or group must be specified"
                )
            }
        }
        try Self.refuse(errors, kind)
    }

    private static func check(
        _ resource: AuthorizationV1.ResourceAttributes?,
        _ path: AuthorizationV1.NonResourceAttributes?,
        kind: String
    ) throws(StatusError) {
        try Self.refuse(Self.errors(resource, path), kind)
    }

    private static func errors(
        _ resource: AuthorizationV1.ResourceAttributes?,
        _ path: AuthorizationV1.NonResourceAttributes?
    ) -> FieldErrors {
        var errors = FieldErrors()
        errors.within("spec") { errors in
            if resource != nil, path != nil {
                errors.invalid(
                    at: "nonResourceAttributes",
                    .json("{}"),
                    "cannot be specified in combination with resourceAttributes"
                )
            }
            if resource == nil, path == nil {
                errors.invalid(
                    at: "resourceAttributes",
                    .null,
                    "exactly one of nonResourceAttributes or resourceAttributes must be specified"
                )
            }
        }
        return errors
    }

    private static func refuse(_ errors: FieldErrors, _ kind: String) throws(StatusError) {
        guard !errors.isEmpty else { return }
        throw .invalid(kind: kind, group: "authorization.k8s.io", name: "", errors)
    }
}
