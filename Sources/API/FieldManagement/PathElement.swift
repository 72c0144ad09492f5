// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import JSON

/// One step from a value to one inside it, as server-side apply names it.
///
/// | text | step |
/// | --- | --- |
/// | `f:image` | a field of an object or a key of a map |
/// | `k:{"name":"web"}` | the item of a list with these values of its keys |
/// | `v:"a"` | the item of a set with this value |
/// | `i:0` | an item by its place |
///
/// Source: KEP-555; upstream sigs.k8s.io/structured-merge-diff `fieldpath`.
public enum PathElement: Hashable, Sendable {
    case field(String)
    /// An object of the keys and their values.
    case key(DynamicValue)
    case value(DynamicValue)
    case index(Int)

    /// Reads the text that stands in `fieldsV1`; nil when it is not a step.
    public init?(parsing text: String) {
        let rest = text.dropFirst(2)
        switch text.prefix(2) {
        case "f:":
            self = .field(String(rest))
        case "k:":
            guard let tree = try? DynamicValue(json: Array(rest.utf8)), tree.kind == .object else {
                return nil
            }
            self = .key(tree)
        case "v:":
            guard let tree = try? DynamicValue(json: Array(rest.utf8)) else { return nil }
            self = .value(tree)
        case "i:":
            guard let index = Int(rest), index >= 0 else { return nil }
            self = .index(index)
        default: return nil
        }
    }

    /// The text that stands in `fieldsV1`.
    public var encoded: String {
        switch self {
        case .field(let name): "f:" + name
        case .key(let tree): "k:" + tree.jsonText
        case .value(let tree): "v:" + tree.jsonText
        case .index(let index): "i:\(index)"
        }
    }
}

extension PathElement: CustomStringConvertible {
    /// As in the messages about conflicts: `.image`, `[name="web"]`, `[="a"]`, `[0]`.
    public var description: String {
        switch self {
        case .field(let name): ".\(name)"
        case .key(let tree):
            "[" + tree.entries.map { "\($0.key)=\($0.value.jsonText)" }.joined(separator: ",")
                + "]"
        case .value(let tree): "[=\(tree.jsonText)]"
        case .index(let index): "[\(index)]"
        }
    }
}

extension PathElement: Comparable {
    /// Fields, keys, values, indexes; each by what it holds.
    public static func < (left: PathElement, right: PathElement) -> Bool {
        switch (left, right) {
        case (.field(let a), .field(let b)): return a.utf8.lexicographicallyPrecedes(b.utf8)
        case (.index(let a), .index(let b)): return a < b
        case (.key(let a), .key(let b)), (.value(let a), .value(let b)):
            return a.jsonText < b.jsonText
        default: return left.rank < right.rank
        }
    }

    private var rank: Int {
        switch self {
        case .field: 0
        case .key: 1
        case .value: 2
        case .index: 3
        }
    }
}
