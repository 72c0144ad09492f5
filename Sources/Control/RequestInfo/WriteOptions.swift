// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

/// How fields of a body that the schema does not know are treated.
public enum FieldValidation: String, Sendable, Hashable, CaseIterable {
    case ignore = "Ignore"
    case strict = "Strict"
    case warn = "Warn"
}

/// The parameters of create and update.
///
/// Source: upstream k8s.io/apimachinery `pkg/apis/meta/v1/validation/validation.go`.
public struct WriteOptions: Sendable, Hashable {
    /// Whether nothing is stored.
    public var isDryRun = false
    public var fieldManager = ""
    public var fieldValidation = FieldValidation.warn

    /// The options of a request without parameters.
    public init() {}

    /// Reads and validates the options of a request.
    ///
    /// - Parameter kind: `CreateOptions` or `UpdateOptions`, for the message.
    public init(parsing query: QueryParameters, kind: String) throws(ParameterError) {
        if query.isEmpty { return }
        var errors = FieldErrors()
        self.read(query, &errors)
        if !errors.isEmpty { throw .invalid(kind: kind, errors) }
    }

    /// Reads what writes of all kinds have in common.
    fileprivate mutating func read(_ query: QueryParameters, _ errors: inout FieldErrors) {
        self.fieldManager = query.string("fieldManager")
        errors.validateFieldManager(self.fieldManager)
        self.isDryRun = errors.validateDryRun(query.all("dryRun"))
        let validation = query.string("fieldValidation")
        if let known = FieldValidation(rawValue: validation) {
            self.fieldValidation = known
        } else if !validation.isEmpty {
            errors.notSupported(
                at: "fieldValidation",
                .string(validation),
                supported: [""] + FieldValidation.allCases.map(\.rawValue)
            )
        }
    }
}

/// The parameters of patch.
public struct PatchOptions: Sendable, Hashable {
    /// What all writes have.
    public var write = WriteOptions()

    /// Whether server-side apply takes fields over from other managers.
    public var force: Bool?

    /// The options of a request without parameters.
    public init() {}

    /// Reads and validates the options of a request.
    ///
    /// - Parameter isApply: whether the patch is a server-side apply.
    public init(parsing query: QueryParameters, isApply: Bool) throws(ParameterError) {
        var errors = FieldErrors()
        self.force = query.bool("force")
        if isApply {
            if query.string("fieldManager").isEmpty {
                errors.required(at: "fieldManager", "is required for apply patch")
            }
        } else if self.force != nil {
            errors.forbidden(at: "force", "may not be specified for non-apply patch")
        }
        self.write.read(query, &errors)
        if !errors.isEmpty { throw .invalid(kind: "PatchOptions", errors) }
    }
}

extension FieldErrors {
    /// The values of `dryRun`; answers whether the request is one.
    mutating func validateDryRun(_ values: [String]) -> Bool {
        if values.contains(where: { $0 != "All" }) {
            self.notSupported(at: "dryRun", .init(values), supported: ["All"])
        }
        return !values.isEmpty
    }
}
