// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Names and values beside the messages of a call: request headers, response headers, trailers.
///
/// A name is lower-case ASCII letters, digits, `-`, `_` and `.`; a name that ends in `-bin` carries
/// bytes, any other carries printable ASCII. A name may occur several times and keeps its order.
/// Names that begin with `grpc-` or `:` belong to the protocol and are never in here.
///
/// Names and values are checked when a call sends them, see ``RPCMetadataRules``: what breaks the
/// rules ends the call with `INTERNAL`, and nothing is sent.
///
/// Source: gRPC `doc/PROTOCOL-HTTP2.md`, "Custom-Metadata".
public struct Metadata: Sendable, Hashable {
    /// What an entry carries.
    public enum Content: Sendable, Hashable {
        /// Printable ASCII.
        case text(String)
        /// Bytes, sent as base64.
        case binary([UInt8])
    }

    /// One name with one value.
    public struct Entry: Sendable, Hashable {
        /// The name, in lower case.
        public var name: String
        /// The value.
        public var value: Content

        /// An entry.
        public init(name: String, value: Content) {
            self.name = name
            self.value = value
        }
    }

    /// All entries in order.
    public var entries: [Entry]

    /// No entries.
    public init() { self.entries = [] }

    /// These entries.
    public init(entries: [Entry]) { self.entries = entries }

    /// Whether there are no entries.
    public var isEmpty: Bool { self.entries.isEmpty }

    /// Appends a text value. `name` must not end in `-bin`.
    public mutating func add(_ name: String, _ value: String) {
        self.entries.append(Entry(name: name, value: .text(value)))
    }

    /// Appends bytes. `name` must end in `-bin`.
    public mutating func add(_ name: String, binary value: [UInt8]) {
        self.entries.append(Entry(name: name, value: .binary(value)))
    }

    /// Appends all entries of `other`.
    public mutating func add(contentsOf other: Metadata) {
        self.entries.append(contentsOf: other.entries)
    }

    /// Removes every entry of this name.
    public mutating func removeAll(named name: String) {
        self.entries.removeAll { $0.name == name }
    }

    /// The first text value of this name.
    public subscript(_ name: String) -> String? {
        for entry in self.entries where entry.name == name {
            if case .text(let value) = entry.value { return value }
        }
        return nil
    }

    /// The first bytes of this name.
    public subscript(binary name: String) -> [UInt8]? {
        for entry in self.entries where entry.name == name {
            if case .binary(let value) = entry.value { return value }
        }
        return nil
    }

    /// All text values of this name in order.
    public func values(named name: String) -> [String] {
        self.entries.compactMap { entry in
            guard entry.name == name, case .text(let value) = entry.value else { return nil }
            return value
        }
    }

    /// All byte values of this name in order.
    public func binaryValues(named name: String) -> [[UInt8]] {
        self.entries.compactMap { entry in
            guard entry.name == name, case .binary(let value) = entry.value else { return nil }
            return value
        }
    }
}

extension Metadata: ExpressibleByDictionaryLiteral {
    /// Text entries in order.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.entries = elements.map { Entry(name: $0.0, value: .text($0.1)) }
    }
}
