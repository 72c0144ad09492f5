// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Scalars

/// What a command-line flag can hold.
///
/// Values are read and written as Go's pflag does, because upstream's flags are pflag's.
public protocol FlagValue: Sendable {
    /// How help calls the value, such as `string`; empty for a switch.
    static var flagTypeName: String { get }

    /// What a flag without a value stands for (`--profiling`); nil when it needs one.
    static var valueOfBareFlag: String? { get }

    /// The value that `text` stands for, or nil when it stands for none.
    init?(flag text: String)

    /// Takes up a further occurrence of the flag. A single value is replaced; lists and maps add.
    mutating func merge(_ next: Self)

    /// The value as help shows it as a default; nil when there is nothing worth showing.
    var flagDescription: String? { get }
}

extension FlagValue {
    public static var valueOfBareFlag: String? { nil }

    public mutating func merge(_ next: Self) {
        self = next
    }
}

extension String: FlagValue {
    public static var flagTypeName: String { "string" }

    public init?(flag text: String) {
        self = text
    }

    public var flagDescription: String? { self.isEmpty ? nil : "\"\(self)\"" }
}

extension Bool: FlagValue {
    public static var flagTypeName: String { "" }
    public static var valueOfBareFlag: String? { "true" }

    /// The words of Go's `strconv.ParseBool`.
    public init?(flag text: String) {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": self = true
        case "0", "f", "F", "false", "FALSE", "False": self = false
        default: return nil
        }
    }

    public var flagDescription: String? { self ? "true" : nil }
}

extension Int: FlagValue {
    public static var flagTypeName: String { "int" }

    /// Decimal, or with the prefix `0x`, `0o` or `0b`.
    public init?(flag text: String) {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
        // The initialiser would take a second sign.
        guard let first = digits.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+")
        else { return nil }
        let sign = isNegative ? "-" : ""
        let bases = ["0x": 16, "0X": 16, "0o": 8, "0O": 8, "0b": 2, "0B": 2]
        if let radix = bases[String(digits.prefix(2))] {
            let rest = digits.dropFirst(2)
            guard rest.utf8.first.map({ $0 != 0x2D && $0 != 0x2B }) == true else { return nil }
            self.init(sign + rest, radix: radix)
        } else {
            self.init(sign + digits)
        }
    }

    public var flagDescription: String? { self == 0 ? nil : "\(self)" }
}

extension Double: FlagValue {
    public static var flagTypeName: String { "float" }

    /// Decimal, and finite.
    public init?(flag text: String) {
        // What `strconv.ParseFloat` does not take, such as blanks, `Double` does not take either.
        guard let number = Double(text), number.isFinite else { return nil }
        self = number
    }

    public var flagDescription: String? {
        if self == 0 { return nil }
        return self == self.rounded() && self.magnitude < 1e15 ? "\(Int64(self))" : "\(self)"
    }
}

extension Duration: FlagValue {
    public static var flagTypeName: String { "duration" }

    /// Go's form, such as `1m30s`.
    public init?(flag text: String) {
        guard let duration = try? GoDuration(parsing: text) else { return nil }
        self.init(duration)
    }

    public var flagDescription: String? {
        let (seconds, attoseconds) = self.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowOfSum) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        guard self != .zero, !overflow, !overflowOfSum else { return nil }
        return GoDuration(nanoseconds: sum).text
    }
}

extension [String]: FlagValue {
    public static var flagTypeName: String { "strings" }

    /// Values between commas; a value with a comma stands in double quotes, in which `""` is one.
    public init?(flag text: String) {
        self = []
        if text.isEmpty { return }
        var field = ""
        var isQuoted = false
        var rest = text[...]
        while let character = rest.popFirst() {
            switch character {
            case "\"" where isQuoted && rest.first == "\"":
                field.append("\"")
                rest.removeFirst()
            case "\"" where isQuoted:
                isQuoted = false
                guard rest.first == nil || rest.first == "," else { return nil }
            case "\"" where field.isEmpty:
                isQuoted = true
            case "," where !isQuoted:
                self.append(field)
                field = ""
            case "\"" where !isQuoted:
                return nil
            default:
                field.append(character)
            }
        }
        if isQuoted { return nil }
        self.append(field)
    }

    public mutating func merge(_ next: [String]) {
        self += next
    }

    public var flagDescription: String? {
        self.isEmpty ? nil : "[\(self.joined(separator: ","))]"
    }
}

extension [String: String]: FlagValue {
    public static var flagTypeName: String { "mapStringString" }

    /// `key=value` pairs between commas; white space around them does not count.
    public init?(flag text: String) {
        self = [:]
        for pair in text.split(separator: ",") {
            guard let equals = pair.firstIndex(of: "=") else { return nil }
            let key = pair[..<equals].trimmingSpaces()
            guard !key.isEmpty else { return nil }
            self[key] = pair[pair.index(after: equals)...].trimmingSpaces()
        }
    }

    public mutating func merge(_ next: [String: String]) {
        self.merge(next) { $1 }
    }

    public var flagDescription: String? {
        if self.isEmpty { return nil }
        return self.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: ",")
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let start = self.drop(while: isSpace)
        let end = start.lastIndex { !isSpace($0) }.map { start.index(after: $0) }
        return String(start[..<(end ?? start.startIndex)])
    }
}
