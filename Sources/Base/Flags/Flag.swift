// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A command-line flag: its name, what it holds, and what it is for.
public struct Flag<Value: FlagValue>: Sendable {
    /// The name without dashes, words joined by `-`.
    public let name: String
    /// The one-letter form; nil for none.
    public let shorthand: Character?
    /// What it holds when the command line does not say.
    public let defaultValue: Value
    /// What it is for. A word in backquotes is how help calls the value.
    public let help: String
    /// Whether help leaves it out.
    public let isHidden: Bool

    /// A flag that says this.
    public init(
        _ name: String,
        shorthand: Character? = nil,
        default defaultValue: Value,
        help: String,
        isHidden: Bool = false
    ) {
        self.name = name
        self.shorthand = shorthand
        self.defaultValue = defaultValue
        self.help = help
        self.isHidden = isHidden
    }
}

/// What parsing and help need to know of a flag, whatever it holds.
public protocol AnyFlag: Sendable {
    /// The name without dashes.
    var name: String { get }
    /// The one-letter form.
    var shorthand: Character? { get }
    /// What it is for.
    var help: String { get }
    /// Whether help leaves it out.
    var isHidden: Bool { get }
    /// How help calls the value.
    var typeName: String { get }
    /// The default as help shows it.
    var defaultDescription: String? { get }
    /// What the flag without a value stands for.
    var valueOfBareFlag: String? { get }

    /// The value after one more occurrence of the flag; nil when `text` is none.
    func value(_ text: String, after previous: (any FlagValue)?) -> (any FlagValue)?
}

extension Flag: AnyFlag {
    public var typeName: String { Value.flagTypeName }
    public var defaultDescription: String? { self.defaultValue.flagDescription }
    public var valueOfBareFlag: String? { Value.valueOfBareFlag }

    public func value(_ text: String, after previous: (any FlagValue)?) -> (any FlagValue)? {
        guard let next = Value(flag: text) else { return nil }
        guard var merged = previous as? Value else { return next }
        merged.merge(next)
        return merged
    }
}
