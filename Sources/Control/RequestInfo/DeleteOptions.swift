// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

/// The parameters of delete, which a request has in its query or in its body.
///
/// Source: upstream k8s.io/apimachinery `pkg/apis/meta/v1/conversion.go` and
/// `pkg/apis/meta/v1/validation/validation.go`.
public struct DeleteOptions: Sendable, Hashable {
    public var gracePeriodSeconds: Int64?
    /// The UID that the object must have.
    public var preconditionUID: String?
    /// The resource version that the object must have.
    public var preconditionResourceVersion: String?
    public var orphanDependents: Bool?
    /// `Orphan`, `Background` or `Foreground`.
    public var propagationPolicy: String?
    public var dryRun: [String] = []

    /// The options of a request without parameters.
    public init() {}

    /// Reads the options from a query.
    public init(parsing query: QueryParameters) throws(ParameterError) {
        if query.isEmpty { return }
        self.gracePeriodSeconds = try query.int64("gracePeriodSeconds")
        self.orphanDependents = query.bool("orphanDependents")
        self.propagationPolicy = query.first("propagationPolicy")
        self.dryRun = query.all("dryRun")
        let uid = query.string("uid")
        let version = query.string("resourceVersion")
        self.preconditionUID = uid.isEmpty ? nil : uid
        self.preconditionResourceVersion = version.isEmpty ? nil : version
    }

    /// Whether nothing is stored.
    public var isDryRun: Bool { !self.dryRun.isEmpty }

    /// What the options have against each other and the rules.
    public func check() throws(ParameterError) {
        var errors = FieldErrors()
        let policies = ["Foreground", "Background", "Orphan"]
        if let policy = self.propagationPolicy {
            if self.orphanDependents != nil {
                errors.invalid(
                    at: "propagationPolicy",
                    .string(policy),
                    "orphanDependents and deletionPropagation cannot be both set"
                )
            }
            if !policies.contains(policy) {
                errors.notSupported(
                    at: "propagationPolicy",
                    .string(policy),
                    supported: policies + ["nil"]
                )
            }
        }
        _ = errors.validateDryRun(self.dryRun)
        if !errors.isEmpty { throw .invalid(kind: "DeleteOptions", errors) }
    }
}
