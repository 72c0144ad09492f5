// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CYAML
internal import Glibc

/// What the current event says, in Swift's terms.
extension EventParser {
    enum Kind {
        case scalar
        case alias
        case sequenceStart
        case mappingStart
        case collectionEnd
        case documentEnd
        case streamEnd
        /// The start of the stream or of a document.
        case other
    }

    var kind: Kind {
        switch unsafe UInt32(bitPattern: self.view.type) {
        case YAML_SCALAR_EVENT.rawValue: .scalar
        case YAML_ALIAS_EVENT.rawValue: .alias
        case YAML_SEQUENCE_START_EVENT.rawValue: .sequenceStart
        case YAML_MAPPING_START_EVENT.rawValue: .mappingStart
        case YAML_SEQUENCE_END_EVENT.rawValue, YAML_MAPPING_END_EVENT.rawValue: .collectionEnd
        case YAML_DOCUMENT_END_EVENT.rawValue: .documentEnd
        // No event: the library was asked again after the end.
        case YAML_STREAM_END_EVENT.rawValue, YAML_NO_EVENT.rawValue: .streamEnd
        default: .other
        }
    }

    /// The line, from zero.
    var line: UInt32 { unsafe UInt32(clamping: self.view.line) }

    /// Whether a scalar has no tag and is plain.
    var isImplicit: Bool { unsafe self.view.is_plain_implicit != 0 }

    /// Whether a collection is written with brackets.
    var isFlow: Bool { unsafe self.view.is_flow != 0 }

    /// The anchor of a node, or the name in an alias.
    var anchor: String? { unsafe self.view.anchor.map { unsafe String(cString: $0) } }

    /// The tag of a node.
    var tag: Node.Tag {
        guard let tag = unsafe self.view.tag else { return .none }
        return switch unsafe String(cString: tag) {
        case "": .none
        case "tag:yaml.org,2002:str": .string
        case "tag:yaml.org,2002:bool": .boolean
        case "tag:yaml.org,2002:int": .integer
        case "tag:yaml.org,2002:float": .float
        case "tag:yaml.org,2002:null": .null
        case "tag:yaml.org,2002:timestamp": .timestamp
        case "tag:yaml.org,2002:binary": .binary
        case "tag:yaml.org,2002:merge": .merge
        default: .other
        }
    }

    /// The bytes of the tag.
    var tagByteCount: Int { unsafe self.view.tag.map { unsafe strlen($0) } ?? 0 }

    /// Appends the text of a scalar.
    ///
    /// - Returns: its bytes.
    func appendText(to text: inout [UInt8]) -> Int {
        let length = unsafe self.view.length
        guard length > 0, let start = unsafe self.view.value else { return 0 }
        unsafe text.append(contentsOf: UnsafeBufferPointer(start: start, count: length))
        return length
    }
}

extension YAML.Limits {
    /// Counts `%TAG` directives. Those libyaml compares with each other, and copies their prefixes to
    /// each tag: both would take time that grows with the square of the input.
    func checkTagDirectives(of bytes: UnsafeRawBufferPointer) throws(YAMLError) {
        // In UTF-16, which starts with a byte order mark, any percent sign is taken for a directive.
        // Elsewhere a directive starts a line.
        let isWide = unsafe bytes.count >= 2 && (bytes[0] ^ bytes[1]) == 1 && bytes[0] >= 0xFE
        var count = 0
        var index = 0
        while let found = unsafe bytes[index...].firstIndex(of: UInt8(ascii: "%")) {
            index = found + 1
            guard unsafe isWide || bytes[index...].starts(with: "TAG".utf8) else { continue }
            let isLineStart = unsafe found == 0 || !(0x20..<0x7F).contains(bytes[found - 1])
            if isWide || isLineStart {
                count += 1
                try self.check(.tagDirectives, count, maximum: self.tagDirectives)
            }
        }
    }
}
