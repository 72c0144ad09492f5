// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import JSON
public import NameRules

/// JSON patch (RFC 6902): a list of operations, applied in order, all or none.
///
/// As upstream's library has it, an index may be negative and then counts from the end, and a `test`
/// of an absent member holds for `null`.
///
/// Source: RFC 6902, RFC 6901; upstream apiserver `pkg/endpoints/handlers/patch.go`.
public enum JSONPatch {
    /// Applies a patch.
    ///
    /// - Parameters:
    ///   - copyLimit: the most bytes of JSON that `copy` operations may add together.
    public static func apply(
        _ patch: DynamicValue,
        to document: DynamicValue,
        operationLimit: Int = APILimits.jsonPatchOperationsMax,
        copyLimit: Int = APILimits.jsonPatchCopyMax
    ) throws(PatchError) -> DynamicValue {
        guard patch.kind == .list else {
            throw .malformed(
                "json: cannot unmarshal \(patch.kind.goName) into Go value of type "
                    + "jsonpatch.Patch"
            )
        }
        guard patch.count <= operationLimit else {
            throw .tooManyOperations(patch.count, limit: operationLimit)
        }
        var operations: [Operation] = []
        for item in patch.items { operations.append(try Operation(item)) }
        var run = JSONPatchRun(document: document, copyLimit: copyLimit)
        for operation in operations { try run.perform(operation) }
        return run.document
    }
}

extension DynamicValue.Kind {
    /// The word of Go's decoder.
    var goName: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .integer, .double: "number"
        case .string: "string"
        case .list: "array"
        case .object: "object"
        }
    }
}

// MARK: - Operations

extension JSONPatch {
    /// One operation.
    enum Operation {
        case add(JSONPointer, DynamicValue)
        case remove(JSONPointer)
        case replace(JSONPointer, DynamicValue)
        case move(from: JSONPointer, to: JSONPointer)
        case copy(from: JSONPointer, to: JSONPointer)
        case test(JSONPointer, DynamicValue)
        /// A word that is none of these; an error when its turn comes.
        case unknown(String)

        init(_ item: DynamicValue) throws(PatchError) {
            guard item.kind == .object else {
                throw .malformed(
                    "json: cannot unmarshal \(item.kind.goName) into Go value of type "
                        + "jsonpatch.Operation"
                )
            }
            func pointer(_ key: String, _ operation: String) throws(PatchError) -> JSONPointer {
                guard let text = item[key]?.string else {
                    let part = key == "from" ? "from" : "path"
                    throw .inapplicable("\(operation) operation failed to decode \(part)")
                }
                return JSONPointer(text)
            }
            // An absent value is null, as it is for the library.
            let value = item["value"] ?? .null
            switch item["op"]?.string ?? "unknown" {
            case "add": self = .add(try pointer("path", "add"), value)
            case "remove": self = .remove(try pointer("path", "remove"))
            case "replace": self = .replace(try pointer("path", "replace"), value)
            case "move":
                let from = try pointer("from", "move")
                self = .move(from: from, to: try pointer("path", "move"))
            case "copy":
                let from = try pointer("from", "copy")
                self = .copy(from: from, to: try pointer("path", "copy"))
            case "test": self = .test(try pointer("path", "test"), value)
            case let other: self = .unknown(other)
            }
        }
    }
}

/// A path from the root of a document to a value (RFC 6901).
struct JSONPointer {
    let text: String
    /// Unescaped; empty for the root.
    let parts: [String]
    /// Whether the text is a pointer: empty, or with a slash.
    let isValid: Bool

    init(_ text: String) {
        self.text = text
        let pieces = text.split(separator: "/", omittingEmptySubsequences: false)
        self.isValid = text.isEmpty || pieces.count > 1
        self.parts = pieces.dropFirst().map { Self.unescaped($0) }
    }

    var isRoot: Bool { self.text.isEmpty }

    /// `~1` is a slash and `~0` a tilde; any other tilde stands for itself.
    private static func unescaped(_ piece: Substring) -> String {
        guard piece.utf8.contains(UInt8(ascii: "~")) else { return String(piece) }
        var bytes: [UInt8] = []
        var isAfterTilde = false
        for byte in piece.utf8 {
            if isAfterTilde {
                isAfterTilde = false
                switch byte {
                case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
                case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
                default: bytes += [UInt8(ascii: "~"), byte]
                }
            } else if byte == UInt8(ascii: "~") {
                isAfterTilde = true
            } else {
                bytes.append(byte)
            }
        }
        if isAfterTilde { bytes.append(UInt8(ascii: "~")) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
