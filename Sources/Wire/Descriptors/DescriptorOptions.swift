// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The serialized options message of a declaration (`FieldOptions`, `MessageOptions`, ...).
///
/// The bytes are kept as they came, so custom options pass through every tool unchanged. The
/// accessors read single fields from them, extensions included:
///
/// ```swift
/// field.options.bool(2)                       // packed
/// message.options.bool(7)                     // map_entry
/// field.options.message(50101)?.varint(1)     // a field of a message-valued custom option
/// ```
public struct DescriptorOptions: Hashable, Sendable {
    /// The serialized message.
    public var bytes: [UInt8]
    /// Whether the declaration has an options message at all; an empty one is legal and kept.
    public var isPresent: Bool

    /// Options that are absent.
    public init() {
        self.bytes = []
        self.isPresent = false
    }

    /// Options with the given serialized form.
    public init(bytes: [UInt8]) {
        self.bytes = bytes
        self.isPresent = true
    }

    /// The last varint of a field; nil when it has none.
    public func varint(_ fieldNumber: Int32) -> UInt64? {
        self.varints(fieldNumber).last
    }

    /// Whether a bool field is present and true.
    public func bool(_ fieldNumber: Int32) -> Bool {
        self.varint(fieldNumber).map { $0 != 0 } ?? false
    }

    /// The last 32-bit or enum number of a field; nil when it has none.
    public func int32(_ fieldNumber: Int32) -> Int32? {
        self.varint(fieldNumber).map { Int32(truncatingIfNeeded: $0) }
    }

    /// The last length-delimited value of a field; nil when it has none.
    public func bytes(_ fieldNumber: Int32) -> [UInt8]? {
        self.allBytes(fieldNumber).last
    }

    /// The last string of a field; nil when it has none or its bytes are not UTF-8.
    public func string(_ fieldNumber: Int32) -> String? {
        self.bytes(fieldNumber).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// All strings of a repeated field in order; those that are not UTF-8 are left out.
    public func strings(_ fieldNumber: Int32) -> [String] {
        self.allBytes(fieldNumber).compactMap { String(validating: $0, as: UTF8.self) }
    }

    /// All values of a repeated message field in order.
    public func messages(_ fieldNumber: Int32) -> [DescriptorOptions] {
        self.allBytes(fieldNumber).map { DescriptorOptions(bytes: $0) }
    }

    /// The message in a singular field, its occurrences merged; nil when it has none.
    ///
    /// Compilers write `option (x).a = 1; option (x).b = 2;` as two occurrences of `x`.
    public func message(_ fieldNumber: Int32) -> DescriptorOptions? {
        let all = self.allBytes(fieldNumber)
        return all.isEmpty ? nil : DescriptorOptions(bytes: Array(all.joined()))
    }

    /// All varints of a repeated field in order, packed or not.
    public func varints(_ fieldNumber: Int32) -> [UInt64] {
        var result: [UInt64] = []
        self.forEachField { field in
            guard field.number == fieldNumber else { return }
            switch field.value {
            case .varint(let value):
                result.append(value)
            case .lengthDelimited(var packed):
                while !packed.isAtEnd, let value = try? packed.readVarint() { result.append(value) }
            case .fixed64, .fixed32, .group:
                break
            }
        }
        return result
    }

    /// All length-delimited values of a repeated field in order.
    public func allBytes(_ fieldNumber: Int32) -> [[UInt8]] {
        var result: [[UInt8]] = []
        self.forEachField { field in
            if field.number == fieldNumber, case .lengthDelimited(let reader) = field.value {
                result.append(Array(reader.remaining))
            }
        }
        return result
    }

    /// The 64 bits of the last `fixed64`, `sfixed64` or `double` value of a field.
    public func fixed64(_ fieldNumber: Int32) -> UInt64? {
        var result: UInt64?
        self.forEachField { field in
            if field.number == fieldNumber, case .fixed64(let value) = field.value {
                result = value
            }
        }
        return result
    }

    /// The 32 bits of the last `fixed32`, `sfixed32` or `float` value of a field.
    public func fixed32(_ fieldNumber: Int32) -> UInt32? {
        var result: UInt32?
        self.forEachField { field in
            if field.number == fieldNumber, case .fixed32(let value) = field.value {
                result = value
            }
        }
        return result
    }

    /// The numbers of all fields present, each once, in order of first appearance.
    public var fieldNumbers: [Int32] {
        var result: [Int32] = []
        self.forEachField { field in
            if !result.contains(field.number) { result.append(field.number) }
        }
        return result
    }

    /// Calls `body` for each field up to the first that is not well formed.
    ///
    /// Options that were parsed as part of a descriptor are known to be well formed.
    private func forEachField(_ body: (DescriptorReader.Field) -> Void) {
        self.bytes.withUnsafeBytes { buffer in
            guard var reader = try? DescriptorReader(buffer) else { return }
            while let field = try? reader.next() { body(field) }
        }
    }
}
