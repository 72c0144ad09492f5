// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Decides how things of a schema are called in Swift.
enum SwiftNamer {
    // MARK: - Files and namespaces

    /// The Swift file of a schema file: its path with dots for slashes.
    static func fileName(_ schemaFile: String, suffix: String = "") -> String {
        self.withoutExtension(schemaFile).split(separator: "/").joined(separator: ".")
            + suffix + ".swift"
    }

    /// The enum that holds the run-time schema of a file.
    static func schemaName(_ schemaFile: String) -> String {
        self.upperCamel(self.withoutExtension(schemaFile)) + "Proto"
    }

    /// The namespace of a package without `swift_prefix`; empty for no package.
    static func namespace(package: String) -> String {
        self.upperCamel(package)
    }

    private static func withoutExtension(_ file: String) -> String {
        file.hasSuffix(".proto") ? String(file.dropLast(6)) : file
    }

    // MARK: - Types

    /// Names that no member type may have, back-ticks or not.
    private static let impossibleTypes: Set<String> = ["Type", "Protocol", "Any", "Self", "self"]

    /// The type made of a message, enum or service.
    static func typeName(_ name: String) -> String {
        var result = name
        if let first = result.first, first.isLowercase {
            result = first.uppercased() + result.dropFirst()
        }
        return self.impossibleTypes.contains(result) ? result + "_" : self.quoted(result)
    }

    /// The enum of a oneof's members.
    static func oneofTypeName(_ name: String) -> String {
        "OneOf" + self.upperCamel(name)
    }

    // MARK: - Members

    /// Members that every message has.
    private static let messageMembers: Set<String> = [
        "storage", "schema", "description", "debugDescription", "hashValue", "hash", "init", "self",
        "Type", "Protocol",
    ]

    /// Static members that every enum has.
    private static let enumMembers: Set<String> = [
        "schema", "zero", "slotBytes", "load", "store", "borrow", "giveBack", "rawValue",
        "hashValue",
        "init", "self", "Type", "Protocol",
    ]

    /// Members that every client and service has.
    private static let serviceMembers: Set<String> = [
        "channel", "rpcMethods", "rpcServiceName", "init", "self",
    ]

    /// The property of a field or oneof.
    static func propertyName(_ name: String) -> String {
        self.member(self.lowerCamel(name), reserved: self.messageMembers)
    }

    /// The method of an RPC.
    static func methodName(_ name: String) -> String {
        self.member(self.lowerCamel(name), reserved: self.serviceMembers)
    }

    /// The static member of an enum value, without the name of the enum in front.
    static func valueName(_ name: String, inEnum enumName: String) -> String {
        self.member(
            self.lowerCamel(self.withoutPrefix(name, enumName)),
            reserved: self.enumMembers,
        )
    }

    /// The static member of an enum value, whole.
    static func fullValueName(_ name: String) -> String {
        self.member(self.lowerCamel(name), reserved: self.enumMembers)
    }

    /// Adds `suffix` to a name that may stand in back-ticks.
    static func adding(_ suffix: String, to name: String) -> String {
        self.bare(name) + suffix
    }

    /// A name without its back-ticks, for places where they are not needed.
    static func bare(_ name: String) -> String {
        name.hasPrefix("`") ? String(name.dropFirst().dropLast()) : name
    }

    private static func member(_ name: String, reserved: Set<String>) -> String {
        if reserved.contains(name) { return name + "_" }
        return self.quoted(name)
    }

    private static func withoutPrefix(_ name: String, _ enumName: String) -> String {
        let prefix = enumName.filter { $0 != "_" }.lowercased()
        var rest = name[...]
        for character in prefix {
            while rest.first == "_" { rest.removeFirst() }
            guard let first = rest.first, first.lowercased() == String(character) else {
                return name
            }
            rest.removeFirst()
        }
        // The enum's name must end where a word of the value's name ends.
        guard rest.first == "_" || rest.first?.isUppercase ?? false else { return name }
        if name.contains(where: \.isLowercase) == false, rest.first != "_" { return name }
        let short = rest.drop { $0 == "_" }
        guard let first = short.first, first.isLetter else { return name }
        return String(short)
    }

    // MARK: - Case

    /// `foo_bar`, `FooBar`, `FOO_BAR` and `fooBar` all become `fooBar`; a leading acronym goes lower
    /// case as a whole (`URLPath` becomes `urlPath`), later ones stay (`podIP`).
    static func lowerCamel(_ name: String) -> String {
        let words = name.split(separator: "_").map(String.init)
        guard let first = words.first else { return name.isEmpty ? "_" : "underscore" }
        let isUpper = !name.contains(where: \.isLowercase)
        var result = isUpper ? first.lowercased() : self.lowercasingStart(first)
        for word in words.dropFirst() {
            let rest = word.dropFirst()
            result += word.prefix(1).uppercased() + (isUpper ? rest.lowercased() : String(rest))
        }
        if let start = result.first, start.isNumber { result = "_" + result }
        return result
    }

    /// `foo/bar.baz-qux` becomes `FooBarBazQux`.
    static func upperCamel(_ text: String) -> String {
        var result = ""
        var isUpperNext = true
        for character in text {
            guard character.isASCII, character.isLetter || character.isNumber else {
                isUpperNext = true
                continue
            }
            result += isUpperNext ? character.uppercased() : String(character)
            isUpperNext = false
        }
        if let start = result.first, start.isNumber { result = "_" + result }
        return result
    }

    private static func lowercasingStart(_ word: String) -> String {
        let upper = word.prefix { $0.isUppercase || $0.isNumber }
        guard let last = upper.last else { return word }
        if upper.count == 1 || upper.count == word.count {
            return upper.lowercased() + word.dropFirst(upper.count)
        }
        // The last capital starts the next word, unless a digit or a plural "s" says otherwise.
        let rest = word.dropFirst(upper.count)
        if rest == "s" || last.isNumber { return upper.lowercased() + rest }
        return upper.dropLast().lowercased() + String(last) + rest
    }

    // MARK: - Reserved words

    private static func quoted(_ name: String) -> String {
        self.keywords.contains(name) ? "`\(name)`" : name
    }

    private static let keywords: Set<String> = [
        "Any", "Self", "actor", "as", "associatedtype", "await", "break", "case", "catch", "class",
        "continue", "default", "defer", "deinit", "do", "else", "enum", "extension", "fallthrough",
        "false", "fileprivate", "for", "func", "guard", "if", "import", "in", "init", "inout",
        "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol",
        "public",
        "repeat", "rethrows", "return", "self", "static", "struct", "subscript", "super", "switch",
        "throw", "throws", "true", "try", "typealias", "var", "where", "while",
    ]
}
