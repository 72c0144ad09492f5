// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NameRules
public import Selectors

/// The parameters of list, watch and deletecollection.
///
/// Source: upstream k8s.io/apimachinery 0.36 `pkg/apis/meta/v1/types.go`, `pkg/apis/meta/v1/`
/// `zz_generated.conversion.go`, `pkg/apis/meta/internalversion/validation/validation.go`.
public struct ListOptions: Sendable, Hashable {
    public var labelSelector = LabelSelector.everything
    public var fieldSelector = FieldSelector.everything
    public var watch = false
    public var allowWatchBookmarks = false
    public var resourceVersion = ""
    /// `Exact`, `NotOlderThan` or empty.
    public var resourceVersionMatch = ""
    public var timeoutSeconds: Int64?
    /// The most items of an answer; 0 is no limit, and so is a negative number.
    public var limit: Int64 = 0
    /// The continue token.
    public var continueToken = ""
    public var sendInitialEvents: Bool?
    /// New in 1.36 (alpha gate ShardedListAndWatch).
    public var shardSelector = ""

    /// The options of a request without parameters.
    public init() {}

    /// Reads the options from a query. Unknown parameters are ignored, of repeated ones the first
    /// counts.
    public init(parsing query: QueryParameters) throws(ParameterError) {
        if query.isEmpty { return }
        self.watch = query.bool("watch") ?? false
        self.allowWatchBookmarks = query.bool("allowWatchBookmarks") ?? false
        self.resourceVersion = query.string("resourceVersion")
        self.resourceVersionMatch = query.string("resourceVersionMatch")
        self.timeoutSeconds = try query.int64("timeoutSeconds")
        self.limit = try query.int64("limit") ?? 0
        self.continueToken = query.string("continue")
        self.sendInitialEvents = query.bool("sendInitialEvents")
        self.shardSelector = query.string("shardSelector")
        do throws(SelectorError) {
            self.labelSelector = try LabelSelector(parsing: query.string("labelSelector"))
            self.fieldSelector = try FieldSelector(parsing: query.string("fieldSelector"))
        } catch {
            throw .badRequest(error.description)
        }
    }

    /// Reads, completes and validates the options of a request.
    public static func checked(_ query: QueryParameters) throws(ParameterError) -> ListOptions {
        var options = try ListOptions(parsing: query)
        try options.check()
        return options
    }

    /// Completes and validates options that have been read.
    public mutating func check() throws(ParameterError) {
        self.applyDefaults()
        let errors = self.validate()
        if !errors.isEmpty { throw .invalid(kind: "ListOptions", errors) }
    }

    /// Asks for the initial state on watches that have always got it: those from no revision or
    /// from 0.
    public mutating func applyDefaults() {
        guard self.sendInitialEvents == nil, self.resourceVersionMatch.isEmpty, self.watch,
            self.resourceVersion.isEmpty || self.resourceVersion == "0"
        else { return }
        self.sendInitialEvents = true
        self.resourceVersionMatch = "NotOlderThan"
    }

    /// Whether the watch first sends the state and a bookmark at its end.
    public var isWatchList: Bool { self.sendInitialEvents == true && self.allowWatchBookmarks }
}

// MARK: - Validation

extension ListOptions {
    /// What the options have against each other.
    public func validate() -> FieldErrors {
        var errors = FieldErrors()
        if self.watch {
            self.validateWatch(&errors)
        } else {
            self.validateList(&errors)
        }
        return errors
    }

    private func validateList(_ errors: inout FieldErrors) {
        let match = self.resourceVersionMatch
        if !match.isEmpty {
            if self.resourceVersion.isEmpty {
                errors.forbidden(
                    at: "resourceVersionMatch",
                    "resourceVersionMatch is forbidden unless resourceVersion is provided"
                )
            }
            self.validateContinue(&errors)
            if match != "Exact" && match != "NotOlderThan" {
                errors.notSupported(
                    at: "resourceVersionMatch",
                    .string(match),
                    supported: ["Exact", "NotOlderThan", ""]
                )
            }
            if match == "Exact" && self.resourceVersion == "0" {
                errors.forbidden(
                    at: "resourceVersionMatch",
                    "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""
                )
            }
        }
        if self.sendInitialEvents != nil {
            errors.forbidden(at: "sendInitialEvents", "sendInitialEvents is forbidden for list")
        }
    }

    private func validateWatch(_ errors: inout FieldErrors) {
        let match = self.resourceVersionMatch
        if self.sendInitialEvents != nil && match != "NotOlderThan" {
            errors.forbidden(
                at: "resourceVersionMatch",
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            )
        }
        if match.isEmpty { return }
        if self.sendInitialEvents == nil {
            errors.forbidden(
                at: "resourceVersionMatch",
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            )
        }
        if match != "NotOlderThan" {
            errors.notSupported(
                at: "resourceVersionMatch",
                .string(match),
                supported: ["NotOlderThan"]
            )
        }
        self.validateContinue(&errors)
    }

    private func validateContinue(_ errors: inout FieldErrors) {
        if !self.continueToken.isEmpty {
            errors.forbidden(
                at: "resourceVersionMatch",
                "resourceVersionMatch is forbidden when continue is provided"
            )
        }
    }
}

// MARK: - Names

extension ListOptions {
    /// Limits the options to one object, for a list or watch with a name in its path or field
    /// selector.
    public mutating func restrict(toName name: String) throws(ParameterError) {
        if self.fieldSelector.isEmpty {
            self.fieldSelector = FieldSelector([.init("metadata.name", name)])
        } else if self.fieldSelector.requiredValue(of: "metadata.name") != name {
            throw .badRequest("fieldSelector metadata.name doesn't match requested name")
        }
    }
}
