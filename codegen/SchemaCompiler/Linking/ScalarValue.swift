// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

/// The value of an option or default of a scalar type, checked against the type's range.
enum ScalarValue {
    case signed(Int64)
    case unsigned(UInt64)
    case double(Double)
    case float(Float)
    case bool(Bool)
    case string(String)
    case bytes([UInt8])

    /// The value does not fit the type.
    struct Mismatch: Error {
        /// Completes "expected ...".
        var expectation: String
    }

    /// Reads a value as it stands in an option statement.
    ///
    /// - Parameter isTextFormat: whether the laxer rules inside aggregates apply.
    init(
        _ value: ValueSyntax,
        as type: FieldType,
        isTextFormat: Bool = false,
    ) throws(Mismatch) {
        switch type {
        case .int32, .sint32, .sfixed32:
            self = .signed(try Self.signed(value, bits: 32))
        case .int64, .sint64, .sfixed64:
            self = .signed(try Self.signed(value, bits: 64))
        case .uint32, .fixed32:
            self = .unsigned(try Self.unsigned(value, bits: 32))
        case .uint64, .fixed64:
            self = .unsigned(try Self.unsigned(value, bits: 64))
        case .double:
            self = .double(try Self.double(value, isTextFormat: isTextFormat))
        case .float:
            self = .float(Float(try Self.double(value, isTextFormat: isTextFormat)))
        case .bool:
            self = .bool(try Self.bool(value, isTextFormat: isTextFormat))
        case .string:
            guard case .string(let bytes) = value.kind else {
                throw Mismatch(expectation: "a string in quotes")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Mismatch(expectation: "a string in UTF-8")
            }
            self = .string(text)
        case .bytes:
            guard case .string(let bytes) = value.kind else {
                throw Mismatch(expectation: "a string in quotes")
            }
            self = .bytes(bytes)
        case .enum, .message, .group:
            throw Mismatch(expectation: "a scalar type")
        }
    }

    /// The value as `FieldDescriptorProto.default_value` spells it.
    var defaultText: String {
        switch self {
        case .signed(let value): String(value)
        case .unsigned(let value): String(value)
        case .double(let value): Literal.text(value)
        case .float(let value): Literal.text(value)
        case .bool(let value): value ? "true" : "false"
        case .string(let value): value
        case .bytes(let value): Literal.escaped(value)
        }
    }

    private static func signed(_ value: ValueSyntax, bits: Int) throws(Mismatch) -> Int64 {
        let expectation = "a \(bits)-bit integer"
        guard case .integer(let magnitude, let isNegative) = value.kind else {
            throw Mismatch(expectation: expectation)
        }
        let limit = (UInt64(1) << UInt64(bits - 1)) - (isNegative ? 0 : 1)
        guard magnitude <= limit else { throw Mismatch(expectation: "\(expectation) in range") }
        return isNegative ? Int64(truncatingIfNeeded: 0 &- magnitude) : Int64(magnitude)
    }

    private static func unsigned(_ value: ValueSyntax, bits: Int) throws(Mismatch) -> UInt64 {
        let expectation = "a \(bits)-bit integer without sign"
        guard case .integer(let magnitude, let isNegative) = value.kind else {
            throw Mismatch(expectation: expectation)
        }
        let limit = bits == 64 ? UInt64.max : (1 << UInt64(bits)) - 1
        guard !isNegative || magnitude == 0, magnitude <= limit else {
            throw Mismatch(expectation: "\(expectation) in range")
        }
        return magnitude
    }

    private static func double(_ value: ValueSyntax, isTextFormat: Bool) throws(Mismatch) -> Double
    {
        switch value.kind {
        case .integer(let magnitude, let isNegative):
            return isNegative ? -Double(magnitude) : Double(magnitude)
        case .float(let number):
            return number
        case .identifier(let text):
            let word = isTextFormat ? FieldNaming.lowercased(text) : text
            if word == "inf" || (isTextFormat && word == "infinity") { return .infinity }
            if word == "nan" { return .nan }
        case .string, .message, .list:
            break
        }
        throw Mismatch(expectation: "a number")
    }

    private static func bool(_ value: ValueSyntax, isTextFormat: Bool) throws(Mismatch) -> Bool {
        switch value.kind {
        case .identifier("true"): return true
        case .identifier("false"): return false
        case .identifier("True"), .identifier("t"):
            if isTextFormat { return true }
        case .identifier("False"), .identifier("f"):
            if isTextFormat { return false }
        case .integer(let magnitude, false) where isTextFormat && magnitude <= 1:
            return magnitude == 1
        case .identifier, .integer, .float, .string, .message, .list:
            break
        }
        throw Mismatch(expectation: "true or false")
    }
}
