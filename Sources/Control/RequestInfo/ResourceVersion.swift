// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NameRules

/// Resource versions as requests state them.
///
/// Source: upstream k8s.io/apiserver `pkg/storage/api_object_versioner.go` and `interfaces.go`.
public enum ResourceVersion {
    /// The revision that a text stands for: 0 for the empty text and `0`.
    public static func parse(_ text: String) throws(FieldError) -> UInt64 {
        if text.isEmpty || text == "0" { return 0 }
        switch GoInteger.parseUnsigned(text) {
        case .success(let revision):
            return revision
        case .failure(let fault):
            throw .invalid(
                "resourceVersion",
                .string(text),
                fault.message(function: "ParseUint", text)
            )
        }
    }

    /// The message of the 400 that a list, get or delete with a malformed version is answered with.
    public static func message(_ error: FieldError) -> String {
        "invalid resource version: \(error.description)"
    }

    /// The message of the 400 that a list with a continue token and a version other than 0 is
    /// answered with.
    public static let continueConflictMessage =
        "specifying resource version is not allowed when using continue"
}
