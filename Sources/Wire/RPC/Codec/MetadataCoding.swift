// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP
import RPCInterface

/// Metadata as header fields and back.
enum MetadataCoding {
    /// Appends checked metadata to fields.
    ///
    /// - Throws: `INTERNAL` when an entry breaks the rules; nothing is appended then.
    static func append(_ metadata: Metadata, to fields: inout HeaderFields) throws(RPCError) {
        guard !metadata.isEmpty else { return }
        try Self.check(metadata)
        for entry in metadata.entries {
            guard let name = HeaderName(entry.name) else { continue }
            switch entry.value {
            case .text(let text): fields.append(name, text)
            case .binary(let bytes): fields.append(name, Self.encode(bytes))
            }
        }
    }

    /// Checks metadata before it is sent.
    static func check(_ metadata: Metadata) throws(RPCError) {
        do throws(RPCMetadataRules.Violation) {
            try RPCMetadataRules.check(metadata)
        } catch {
            throw RPCError(code: .internalError, message: "invalid metadata: \(error)")
        }
        for entry in metadata.entries where HeaderName(entry.name) == nil {
            throw RPCError(code: .internalError, message: "invalid metadata name")
        }
    }

    /// Appends what fields carry beside the protocol's own names. A `-bin` value that is not base64
    /// is left out.
    static func metadata(from fields: HeaderFields) -> Metadata {
        var metadata = Metadata()
        for index in 0..<fields.count {
            let name = fields.name(at: index).text
            guard !RPCMetadataRules.isReserved(name) else { continue }
            if RPCMetadataRules.isBinary(name) {
                fields.withValue(at: index) { bytes in
                    for part in bytes.split(
                        separator: UInt8(ascii: ","),
                        omittingEmptySubsequences: false
                    ) {
                        if let value = Self.decode(UnsafeRawBufferPointer(rebasing: part)) {
                            metadata.add(name, binary: value)
                        }
                    }
                }
            } else {
                metadata.add(name, fields.value(at: index))
            }
        }
        return metadata
    }

    /// Base64 without padding, as the specification asks senders to write it.
    static func encode(_ bytes: [UInt8]) -> String {
        let text = Base64.encode(bytes)
        return String(text.prefix { $0 != "=" })
    }

    /// Base64 with or without padding; `nil` when it is neither.
    static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var bytes = text[...]
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        var padding = 0
        while padding < 2, bytes.last == UInt8(ascii: "=") {
            bytes.removeLast()
            padding += 1
        }
        guard !bytes.contains(where: { $0 == 0x0a || $0 == 0x0d }) else { return nil }
        let missing = (4 - bytes.count % 4) % 4
        guard missing < 3, padding == 0 || padding == missing else { return nil }
        let padded = Array(bytes) + [UInt8](repeating: UInt8(ascii: "="), count: missing)
        return padded.withUnsafeBytes { try? Base64.decode($0) }
    }
}
