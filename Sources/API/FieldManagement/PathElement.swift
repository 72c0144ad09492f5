// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
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
    case key(CanonicalJSON)
    case value(CanonicalJSON)
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
            self = .key(CanonicalJSON(tree))
        case "v:":
            guard let tree = try? DynamicValue(json: Array(rest.utf8)) else { return nil }
            self = .value(CanonicalJSON(tree))
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
        case .key(let json): "k:" + json.text
        case .value(let json): "v:" + json.text
        case .index(let index): "i:\(index)"
        }
    }
}

extension PathElement: CustomStringConvertible {
    /// As in the messages about conflicts: `.image`, `[name="web"]`, `[="a"]`, `[0]`.
    public var description: String {
        switch self {
        case .field(let name): ".\(name)"
        case .key(let json):
            "["
                + json.value.entries.map { "\($0.key)=\($0.value.jsonText)" }
                .joined(separator: ",") + "]"
        case .value(let json): "[=\(json.text)]"
        case .index(let index): "[\(index)]"
        }
    }
}

extension PathElement: Comparable {
    /// Fields, keys, values, indexes; each by what it holds.
    public static func < (left: PathElement, right: PathElement) -> Bool {
        left.order(to: right) < 0
    }

    /// Negative when this comes before the other, 0 when both are the same.
    func order(to other: PathElement) -> Int {
        switch (self, other) {
        case (.field(let a), .field(let b)): return compareUTF8(a, b)
        case (.index(let a), .index(let b)): return a < b ? -1 : a == b ? 0 : 1
        case (.key(let a), .key(let b)), (.value(let a), .value(let b)):
            return compareUTF8(a.text, b.text)
        default: return self.rank - other.rank
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

/// A value as compact JSON text with its keys in order, so that equal values are equal texts.
public struct CanonicalJSON: Hashable, Sendable {
    public let text: String

    public init(_ value: DynamicValue) {
        self.text = value.jsonText
    }

    /// Takes a text that is in this form.
    init(text: String) {
        self.text = text
    }

    /// The object of some keys, which must be in order.
    init(_ entries: some Sequence<(key: String, value: DynamicValue)>) {
        var writer = JSONWriter(capacity: 64)
        var isFirst = true
        writer.append(raw: "{")
        for (key, value) in entries {
            if !isFirst { writer.append(raw: ",") }
            isFirst = false
            writer.append(string: key)
            writer.append(raw: ":")
            value.withUTF8 { text in
                if let text {
                    writer.append(string: text)
                } else {
                    value.json().withUnsafeBytes { writer.append(raw: $0) }
                }
            }
        }
        writer.append(raw: "}")
        self.text = writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// The value that the text describes.
    var value: DynamicValue {
        (try? DynamicValue(json: Array(self.text.utf8))) ?? .null
    }
}

/// The order of two strings by their UTF-8: negative, 0 or positive.
func compareUTF8(_ left: String, _ right: String) -> Int {
    var left = left
    var right = right
    return left.withUTF8 { a in
        right.withUTF8 { b in compareBytes(UnsafeRawBufferPointer(a), UnsafeRawBufferPointer(b)) }
    }
}
