// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// `name = value` of an option, as written.
struct OptionSyntax {
    /// One step of an option's name: `a` or `(x.y.a)`.
    struct NamePart {
        var text: String
        var isExtension: Bool
        var position: SourcePosition
    }

    var name: [NamePart]
    var value: ValueSyntax
    var position: SourcePosition

    /// Whether the name is the single plain word `word`.
    func isSimple(_ word: String) -> Bool {
        self.name.count == 1 && self.name[0].text == word && !self.name[0].isExtension
    }

    /// The name as the source spells it.
    var nameText: String {
        self.name.map { $0.isExtension ? "(\($0.text))" : $0.text }.joined(separator: ".")
    }
}

/// The value of an option, as written.
struct ValueSyntax {
    indirect enum Kind {
        case identifier(String)
        case integer(magnitude: UInt64, isNegative: Bool)
        case float(Double)
        case string([UInt8])
        case message([FieldValueSyntax])
        case list([ValueSyntax])
    }

    var kind: Kind
    var position: SourcePosition

    /// What kind of value this is, for messages.
    var noun: String {
        switch self.kind {
        case .identifier(let text): "the identifier \"\(text)\""
        case .integer: "an integer"
        case .float: "a floating point number"
        case .string: "a string"
        case .message: "a message in braces"
        case .list: "a list"
        }
    }
}

/// One field inside an aggregate.
struct FieldValueSyntax {
    enum Kind {
        /// `name: value`
        case plain
        /// `[extension.name]: value`
        case `extension`
        /// `[type.googleapis.com/full.name] {...}`, an Any with its message written out; the part
        /// before the slash.
        case any(host: String)
    }

    var name: NameSyntax
    var kind: Kind
    var value: ValueSyntax
}
