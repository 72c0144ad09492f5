// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The flags of a command, and how a command line sets them.
///
/// The grammar is that of Go's pflag, which upstream's components and tools use:
///
///     --name value   --name=value   --switch   --switch=false   -n value   -nvalue   -n=value
///     -abc (switches a and b, then c, which may take the rest as its value)
///     --             everything behind it is an argument
///
/// Flags and arguments may be mixed, and `_` in a name is read as `-`.
public struct FlagSet: Sendable {
    /// The flags, in the order they were given.
    public private(set) var flags: [any AnyFlag] = []
    private var byName: [String: Int] = [:]
    private var byShorthand: [Character: Int] = [:]

    /// No flags.
    public init() {}

    /// These flags.
    public init(_ flags: [any AnyFlag]) {
        for flag in flags { self.add(flag) }
    }

    /// Adds a flag. A second one of the same name is a bug of ours.
    public mutating func add(_ flag: any AnyFlag) {
        precondition(self.byName[flag.name] == nil, "a second flag --\(flag.name)")
        self.byName[flag.name] = self.flags.count
        if let shorthand = flag.shorthand {
            precondition(self.byShorthand[shorthand] == nil, "a second flag -\(shorthand)")
            self.byShorthand[shorthand] = self.flags.count
        }
        self.flags.append(flag)
    }

    /// The flags of both.
    public func adding(_ flags: [any AnyFlag]) -> FlagSet {
        var set = self
        for flag in flags { set.add(flag) }
        return set
    }

    /// Reads a command line without the program's name.
    ///
    /// - Parameter stopsAtArgument: whether the first argument ends the flags, as before the name
    ///   of a subcommand.
    /// - Throws: the first thing that is wrong, in pflag's words.
    public func parse(
        _ arguments: some Sequence<String>,
        stopsAtArgument: Bool = false
    ) throws(FlagError) -> ParsedFlags {
        var parser = Parser(set: self, rest: Array(arguments)[...])
        return try parser.parse(stopsAtArgument: stopsAtArgument)
    }

    func flag(named name: String) -> (any AnyFlag)? {
        let normal = String(name.map { $0 == "_" ? "-" : $0 })
        return self.byName[normal].map { self.flags[$0] }
    }

    func flag(shorthand: Character) -> (any AnyFlag)? {
        self.byShorthand[shorthand].map { self.flags[$0] }
    }
}

// MARK: - Parsing

/// What a command line says.
public struct ParsedFlags: Sendable {
    /// What is not a flag, in order.
    public internal(set) var arguments: [String] = []
    /// The values of the flags that occurred.
    var values: [String: any FlagValue] = [:]

    /// The flag's value, or its default.
    public subscript<Value>(flag: Flag<Value>) -> Value {
        self.values[flag.name] as? Value ?? flag.defaultValue
    }

    /// Whether the flag occurred.
    public func isSet<Value>(_ flag: Flag<Value>) -> Bool {
        self.values[flag.name] != nil
    }
}

/// What is wrong with a command line. The texts are pflag's.
public enum FlagError: Error, Hashable, Sendable {
    /// No flag of this name.
    case unknownFlag(String)
    /// No flag of this letter, in this group.
    case unknownShorthand(Character, in: String)
    /// The flag is the last word and needs a value.
    case missingValue(String)
    /// The value does not fit.
    case invalidValue(String, flag: String, typeName: String)
    /// Not a flag: `-=x`, `---x`.
    case badSyntax(String)
}

extension FlagError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownFlag(let name):
            "unknown flag: --\(name)"
        case .unknownShorthand(let letter, let group):
            "unknown shorthand flag: '\(letter)' in -\(group)"
        case .missingValue(let flag):
            "flag needs an argument: \(flag)"
        case .invalidValue(let value, let flag, let typeName):
            "invalid argument \"\(value)\" for \"\(flag)\" flag: expected "
                + (typeName.isEmpty ? "true or false" : typeName)
        case .badSyntax(let word):
            "bad flag syntax: \(word)"
        }
    }
}

extension FlagSet {
    private struct Parser {
        let set: FlagSet
        var rest: ArraySlice<String>
        var result = ParsedFlags()

        mutating func parse(stopsAtArgument: Bool) throws(FlagError) -> ParsedFlags {
            while let word = self.rest.popFirst() {
                if word == "--" {
                    self.result.arguments += self.rest
                    break
                } else if word.hasPrefix("--") {
                    try self.long(word)
                } else if word.hasPrefix("-"), word != "-" {
                    try self.short(word)
                } else {
                    self.result.arguments.append(word)
                    if stopsAtArgument {
                        self.result.arguments += self.rest
                        break
                    }
                }
            }
            return self.result
        }

        private mutating func long(_ word: String) throws(FlagError) {
            let body = word.dropFirst(2)
            guard let first = body.first, first != "-", first != "=" else {
                throw .badSyntax(word)
            }
            let equals = body.firstIndex(of: "=")
            let name = String(body[..<(equals ?? body.endIndex)])
            guard let flag = self.set.flag(named: name) else { throw .unknownFlag(name) }
            if let equals {
                try self.assign(String(body[body.index(after: equals)...]), to: flag)
            } else if let value = flag.valueOfBareFlag {
                try self.assign(value, to: flag)
            } else if let value = self.rest.popFirst() {
                try self.assign(value, to: flag)
            } else {
                throw .missingValue("--\(name)")
            }
        }

        private mutating func short(_ word: String) throws(FlagError) {
            let group = word.dropFirst()
            var rest = group
            while let letter = rest.popFirst() {
                guard let flag = self.set.flag(shorthand: letter) else {
                    throw .unknownShorthand(letter, in: String(group))
                }
                if rest.first == "=" {
                    try self.assign(String(rest.dropFirst()), to: flag)
                    return
                } else if let value = flag.valueOfBareFlag {
                    try self.assign(value, to: flag)
                } else if !rest.isEmpty {
                    try self.assign(String(rest), to: flag)
                    return
                } else if let value = self.rest.popFirst() {
                    try self.assign(value, to: flag)
                } else {
                    throw .missingValue("'\(letter)' in -\(group)")
                }
            }
        }

        private mutating func assign(_ text: String, to flag: any AnyFlag) throws(FlagError) {
            guard let value = flag.value(text, after: self.result.values[flag.name]) else {
                let label = flag.shorthand.map { "-\($0), --\(flag.name)" } ?? "--\(flag.name)"
                throw .invalidValue(text, flag: label, typeName: flag.typeName)
            }
            self.result.values[flag.name] = value
        }
    }
}
