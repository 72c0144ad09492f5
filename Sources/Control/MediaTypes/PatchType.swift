// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The media type of the body of a patch.
///
/// Source: upstream k8s.io/apimachinery `pkg/types/patch.go`.
public enum PatchType: String, Sendable, Hashable, CaseIterable {
    case json = "application/json-patch+json"
    case merge = "application/merge-patch+json"
    case strategicMerge = "application/strategic-merge-patch+json"
    case apply = "application/apply-patch+yaml"

    /// The patches of built-in kinds, in upstream's order.
    public static let builtin: [PatchType] = [.json, .merge, .strategicMerge, .apply]

    /// The patches of custom resources.
    public static let custom: [PatchType] = [.json, .merge, .apply]

    /// The type that a Content-Type names; what follows a semicolon is ignored.
    ///
    /// Unlike ``RequestBody/mediaType(of:accepted:)`` the text is compared as it is.
    public init(contentType: String, accepted: [PatchType]) throws(NegotiationError) {
        let end = contentType.utf8.firstIndex(of: UInt8(ascii: ";"))
        // A semicolon at the very start is left alone, as upstream has it.
        let text = end.map { $0 == contentType.startIndex ? contentType[...] : contentType[..<$0] }
        guard let type = PatchType(rawValue: String(text ?? contentType[...])),
            accepted.contains(type)
        else { throw .unsupportedMediaType(accepted.map(\.rawValue)) }
        self = type
    }
}
