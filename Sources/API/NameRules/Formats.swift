// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The text formats of the Kubernetes API: names, keys, ports, addresses and the like.
///
/// Every format has a function named as upstream's that answers the reasons why a text is not of
/// the format, in upstream's words; no reasons means that it is. Formats on hot paths also have a
/// predicate (`is...`), which allocates nothing.
///
/// All functions are total and take linear time. Lengths count bytes of UTF-8.
///
/// Source: upstream k8s.io/apimachinery 0.36, `pkg/util/validation` and
/// `pkg/api/validate/content`.
public enum Formats {
    /// The word that a message counts a length in. Upstream has two generations of the same
    /// checks that differ in nothing else; both count bytes.
    public enum LengthUnit: String, Sendable {
        /// `util/validation`: names of objects and most hand-written checks.
        case characters
        /// `api/validate/content`: label keys and values, declared formats.
        case bytes
    }

    /// "must be no more than 63 characters".
    public static func lengthMessage(_ limit: Int, _ unit: LengthUnit = .characters) -> String {
        "must be no more than \(limit) \(unit.rawValue)"
    }

    /// "must be non-empty".
    public static let emptyMessage = "must be non-empty"

    /// "must be between 1 and 65535, inclusive".
    public static func rangeMessage(_ low: Int64, _ high: Int64) -> String {
        "must be between \(low) and \(high), inclusive"
    }

    /// A message that names examples and the regular expression of a format.
    static func patternMessage(
        _ message: String,
        _ pattern: String,
        _ examples: String...
    ) -> String {
        guard let first = examples.first else {
            return "\(message) (regex used for validation is '\(pattern)')"
        }
        var text = "\(message) (e.g. '\(first)', "
        for example in examples.dropFirst() {
            text += " or '\(example)', "
        }
        return text + "regex used for validation is '\(pattern)')"
    }

    /// Why a text may not be a file or path name, when it is one of those that climb.
    static func directoryMessages(_ text: String) -> [String] {
        if text == "." { return ["must not be '.'"] }
        if text == ".." { return ["must not be '..'"] }
        return text.utf8.starts(with: "..".utf8) ? ["must not start with '..'"] : []
    }
}
