// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A node of a document. Nodes lie in document order: the children of a collection follow it, keys
/// and values of a mapping take turns, and `end` is the index behind the last descendant.
struct Node {
    enum Kind: UInt8 {
        case scalar
        case sequence
        case mapping
        case alias
    }

    /// The tags that mean something here.
    enum Tag: UInt8 {
        case none
        case string
        case boolean
        case integer
        case float
        case null
        case timestamp
        case binary
        case merge
        /// Any other: the text is taken as it is.
        case other
    }

    var kind: Kind
    var tag = Tag.none
    /// Whether the text counts as plain: what it looks like decides about its type.
    var isImplicit = false
    /// What the text of a scalar means.
    var value = ScalarType.unresolved
    /// From zero.
    var line: UInt32 = 0
    /// Where the text of a scalar, or the name of an alias, is in the document's text.
    var textStart: UInt32 = 0
    var textCount: UInt32 = 0
    /// The index behind the last descendant.
    var end: UInt32 = 0
    /// The node an alias stands for.
    var target: UInt32 = 0
    /// A number or truth value: its bits.
    var bits: UInt64 = 0

    /// Whether the node is the key of a merge: `<<`, plain or tagged so.
    func isMergeKey(text: borrowing [UInt8]) -> Bool {
        self.kind == .scalar && self.textCount == 2 && (self.isImplicit || self.tag == .merge)
            && text[Int(self.textStart)] == UInt8(ascii: "<")
            && text[Int(self.textStart) + 1] == UInt8(ascii: "<")
    }

    var textRange: Range<Int> {
        Int(self.textStart)..<Int(self.textStart) + Int(self.textCount)
    }
}

/// What a scalar is. The bits of numbers are in the node.
enum ScalarType: UInt8 {
    case unresolved
    case null
    case boolean
    /// A signed 64-bit integer.
    case integer
    /// An integer above 2^63-1.
    case unsigned
    case float
    case string
    /// Bytes out of base64, which need not be UTF-8; a string otherwise.
    case binary
}
