// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The parameters of get.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/get.go`.
public struct GetOptions: Sendable, Hashable {
    public var resourceVersion = ""

    /// The options of a request without parameters.
    public init() {}

    /// Reads the options from a query.
    public init(parsing query: QueryParameters) throws(ParameterError) {
        if query.bool("export") == true {
            throw .badRequest(
                "the export parameter, deprecated since v1.14, is no longer supported"
            )
        }
        self.resourceVersion = query.string("resourceVersion")
    }
}
