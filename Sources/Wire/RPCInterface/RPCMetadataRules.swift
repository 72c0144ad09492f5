// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What may stand in metadata.
///
/// Source: gRPC `doc/PROTOCOL-HTTP2.md`, "Custom-Metadata".
public enum RPCMetadataRules {
    /// A broken rule.
    public enum Violation: Error, Sendable, Hashable {
        /// A name is empty or has a character that names may not have.
        case name(String)
        /// A name belongs to the protocol.
        case reservedName(String)
        /// A text value under this name has a character outside printable ASCII.
        case value(name: String)
        /// A name that ends in `-bin` has a text value, or another one has bytes.
        case kind(name: String)
    }

    /// Checks every entry.
    public static func check(_ metadata: Metadata) throws(Violation) {
        for entry in metadata.entries {
            guard !Self.isReserved(entry.name) else { throw .reservedName(entry.name) }
            guard Self.isName(entry.name) else { throw .name(entry.name) }
            switch entry.value {
            case .text(let text):
                guard !Self.isBinary(entry.name) else { throw .kind(name: entry.name) }
                guard Self.isText(text) else { throw .value(name: entry.name) }
            case .binary:
                guard Self.isBinary(entry.name) else { throw .kind(name: entry.name) }
            }
        }
    }

    /// Whether `name` has only characters that names may have, and at least one.
    public static func isName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default:
                    false
                }
            }
    }

    /// Whether values of `name` are bytes.
    public static func isBinary(_ name: some StringProtocol) -> Bool {
        name.utf8.suffix(4).elementsEqual("-bin".utf8)
    }

    /// Whether `text` is printable ASCII (0x20 to 0x7E) and neither begins nor ends with a space,
    /// which peers may strip.
    public static func isText(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 <= 0x7e }
            && text.utf8.first != 0x20 && !text.utf8.suffix(1).elementsEqual([0x20])
    }

    /// Whether `name` belongs to the protocol: it begins with `grpc-` or `:`, or HTTP/2 or gRPC give
    /// it a meaning.
    public static func isReserved(_ name: some StringProtocol) -> Bool {
        if name.utf8.first == UInt8(ascii: ":") { return true }
        if name.utf8.starts(with: "grpc-".utf8) { return true }
        switch name {
        case "te", "content-type", "content-length", "connection", "keep-alive",
            "proxy-connection", "transfer-encoding", "upgrade", "host":
            return true
        default:
            return false
        }
    }
}
