// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

/// The parameters of an answer in the form of a table.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/response.go`.
public struct TableOptions: Sendable, Hashable {
    /// What each row carries of its object.
    public enum IncludeObject: String, Sendable, Hashable {
        case none = "None"
        /// Also when the parameter is empty.
        case metadata = "Metadata"
        case object = "Object"
    }

    public var includeObject = IncludeObject.metadata

    /// The options of a request without parameters.
    public init() {}

    /// Reads the options from a query.
    public init(parsing query: QueryParameters) throws(ParameterError) {
        let text = query.string("includeObject")
        if text.isEmpty { return }
        guard let value = IncludeObject(rawValue: text) else {
            throw .badRequest(
                "Unable to convert to Table as requested: includeObject: Invalid value: "
                    + "\(GoText.quoted(text)): must be 'Metadata', 'Object', 'None', or empty"
            )
        }
        self.includeObject = value
    }
}
