// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import NameRules
import Protobuf
import Scalars
import Selectors

// The checks that many kinds share.

extension FieldErrors {
    /// Walks into each item of a list.
    mutating func forEach<Item>(
        _ name: String,
        in items: RepeatedField<Item>,
        _ body: (inout FieldErrors, Item) -> Void
    ) {
        guard !items.isEmpty else { return }
        self.within(name) { errors in
            for (index, item) in items.enumerated() {
                errors.within(index: index) { body(&$0, item) }
            }
        }
    }

    /// Walks into a message that is there.
    mutating func ifPresent<Value>(
        _ name: String,
        _ value: Value?,
        _ body: (inout FieldErrors, Value) -> Void
    ) {
        guard let value else { return }
        self.within(name) { body(&$0, value) }
    }

    /// A text that must not be empty. True when it is not.
    @discardableResult
    mutating func mustHave(_ name: String, _ text: String, _ detail: String = "") -> Bool {
        if text.isEmpty { self.required(at: name, detail) }
        return !text.isEmpty
    }

    /// A text that must be there and follow a rule.
    mutating func mustHave(_ name: String, _ text: String, _ rule: (String) -> [String]) {
        if self.mustHave(name, text) { self.invalid(at: name, .string(text), rule(text)) }
    }

    /// A text that must follow a rule when there is one.
    mutating func mayHave(_ name: String, _ text: String, _ rule: (String) -> [String]) {
        if !text.isEmpty { self.invalid(at: name, .string(text), rule(text)) }
    }

    /// One of some words; an empty text is a missing value.
    mutating func oneOf(_ name: String, _ text: String, _ words: [String]) {
        if text.isEmpty {
            self.required(at: name)
        } else if !words.contains(text) {
            self.notSupported(at: name, .string(text), supported: words)
        }
    }

    /// One of some words, when the field is there.
    mutating func oneOf(_ name: String, _ text: String?, ifPresent words: [String]) {
        if let text, !words.contains(text) {
            self.notSupported(at: name, .string(text), supported: words)
        }
    }

    /// A number that must not be negative, when there is one.
    mutating func nonnegative(_ name: String, _ number: Int32?) {
        if let number { self.validateNonnegative(at: name, Int64(number)) }
    }

    /// A number that must not be negative, when there is one.
    mutating func nonnegative(_ name: String, _ number: Int64?) {
        if let number { self.validateNonnegative(at: name, number) }
    }

    /// A number that must be positive, when there is one.
    mutating func positive(_ name: String, _ number: Int64?, _ detail: String) {
        if let number, number <= 0 { self.invalid(at: name, .integer(number), detail) }
    }

    /// That a text has not changed.
    mutating func immutable(at name: String? = nil, _ new: String, _ old: String) {
        if new != old { self.immutable(at: name, .string(new)) }
    }

    /// That a message has not changed.
    mutating func immutable<M: Message>(at name: String? = nil, _ new: M?, _ old: M?) {
        if new != old { self.immutable(at: name, .message(new)) }
    }

    /// A port as number or name.
    mutating func validatePort(_ name: String, _ port: IntStr.IntOrString) {
        switch port.value {
        case .int(let number):
            self.invalid(
                at: name,
                .integer(Int64(number)),
                Formats.portNumber(Int64(number))
            )
        case .string(let text):
            self.invalid(at: name, .string(text), Formats.portName(text))
        }
    }

    /// A number that must not be negative, or a percentage.
    mutating func validateCountOrPercent(_ name: String, _ value: IntStr.IntOrString?) {
        guard let value else { return }
        switch value.value {
        case .int(let number): self.validateNonnegative(at: name, Int64(number))
        case .string(let text): self.invalid(at: name, .string(text), Formats.percent(text))
        }
    }

    /// A percentage must not be over a hundred.
    mutating func validateNotOver100Percent(_ name: String, _ value: IntStr.IntOrString?) {
        guard let value, let percent = value.percentage, percent > 100 else { return }
        self.invalid(at: name, .intOrString(value), "must not be greater than 100%")
    }

    /// A selector of labels.
    mutating func validateSelector(
        _ selector: MetaV1.LabelSelector,
        allowsInvalidValues: Bool = false
    ) {
        self.validateLabelSelector(
            matchLabels: selector.matchLabels,
            matchExpressions: selector.matchExpressions.map {
                .init(key: $0.key, operator: $0.operator, values: Array($0.values))
            },
            allowsInvalidValues: allowsInvalidValues
        )
    }

    /// A map of labels that must be equal.
    mutating func validateLabels(at name: String, _ labels: MapField<String, String>) {
        if !labels.isEmpty { self.validateLabels(at: name, labels.lazy.map { $0 }) }
    }

    /// An amount that must not be negative.
    mutating func validateNonnegative(
        at name: String? = nil,
        _ quantity: KubernetesAPI.Resource.Quantity
    ) {
        guard let amount = try? quantity.parsed(), amount.sign < 0 else { return }
        self.invalid(
            at: name,
            .string(amount.description),
            "must be greater than or equal to 0"
        )
    }

    /// A path without `..` as a part.
    mutating func validateNoBacksteps(_ name: String, _ path: String) {
        if path.split(separator: "/").contains("..") {
            self.invalid(at: name, .string(path), "must not contain '..'")
        }
    }

    /// A path below a directory: relative, and without `..` as a part.
    mutating func validateDescendingPath(_ name: String, _ path: String) {
        if path.hasPrefix("/") {
            self.invalid(at: name, .string(path), "must be a relative path")
        }
        self.validateNoBacksteps(name, path)
    }

    /// A path of a file in a volume, where names that begin with `..` are the kubelet's own.
    mutating func validateVolumeFilePath(_ name: String, _ path: String) {
        self.validateDescendingPath(name, path)
        if path.hasPrefix("..") && !path.hasPrefix("../") && path != ".." {
            self.invalid(at: name, .string(path), "must not start with '..'")
        }
    }
}

// MARK: - Values

extension FieldError.Value {
    /// A message as its JSON.
    static func message<M: Message>(_ message: M?) -> Self {
        guard let message else { return .null }
        return .json(message.jsonForMessage)
    }

    /// A list of messages as its JSON.
    static func list<M: Message>(_ items: RepeatedField<M>) -> Self {
        if !items.isPresent { return .null }
        return .json("[" + items.map(\.jsonForMessage).joined(separator: ",") + "]")
    }

    /// A map of labels as its JSON.
    static func map(_ labels: MapField<String, String>) -> Self {
        if !labels.isPresent { return .null }
        let entries = labels.map { "\(GoText.json($0.key)):\(GoText.json($0.value))" }
        return .json("{" + entries.joined(separator: ",") + "}")
    }

    static func optional(_ number: Int64?) -> Self {
        number.map { .integer($0) } ?? .null
    }

    static func optional(_ number: Int32?) -> Self {
        number.map { .integer(Int64($0)) } ?? .null
    }

    static func optional(_ isTrue: Bool?) -> Self {
        isTrue.map { .bool($0) } ?? .null
    }

    static func intOrString(_ value: IntStr.IntOrString?) -> Self {
        switch value?.value {
        case .int(let number): .json(String(number))
        case .string(let text): .json(GoText.json(text))
        case nil: .null
        }
    }

    static func number(_ number: Int32) -> Self { .integer(Int64(number)) }
}

extension Message {
    /// The JSON of the message, as messages show values.
    var jsonForMessage: String {
        guard let json = try? self.storage.json(Self.schema, typeMeta: nil) else { return "{}" }
        return String(decoding: json, as: UTF8.self)
    }
}

extension IntStr.IntOrString {
    /// The number before `%`; nil for anything else.
    var percentage: Int? {
        guard case .string(let text) = self.value, Formats.percent(text).isEmpty else { return nil }
        return Int(text.dropLast())
    }

    /// The number, or that of the percentage.
    var number: Int {
        switch self.value {
        case .int(let number): Int(number)
        case .string: self.percentage ?? 0
        }
    }
}

extension MetaV1.LabelSelector {
    /// Whether it selects everything.
    var isEmpty: Bool { self.matchLabels.isEmpty && self.matchExpressions.isEmpty }

    /// The selector to match with; nil when it is malformed.
    var parsed: LabelSelector? {
        try? LabelSelector(
            matchLabels: self.matchLabels,
            matchExpressions: self.matchExpressions.map {
                .init(key: $0.key, operator: $0.operator, values: Array($0.values))
            }
        )
    }

    /// Whether it selects an object with the labels.
    func matches(_ labels: MapField<String, String>) -> Bool {
        self.parsed?.matches { labels[$0] } ?? false
    }
}
