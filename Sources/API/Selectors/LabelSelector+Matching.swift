// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

/// Labels as something that can be asked for a value, wherever it keeps them.
public protocol LabelSource: ~Copyable {
    /// Gives the UTF-8 of a label's value to `body`, or nil when there is no such label.
    ///
    /// The memory is valid only during the call. `body` is called exactly once.
    func withLabelValue<R>(_ key: String, _ body: (UnsafeRawBufferPointer?) -> R) -> R
}

extension LabelSelector {
    /// Whether labels meet all requirements.
    @inlinable
    public func matches<Source: LabelSource & ~Copyable>(_ labels: borrowing Source) -> Bool {
        if self.matchesNothing { return false }
        for requirement in self.requirements where !requirement.matches(labels) {
            return false
        }
        return true
    }

    /// Whether labels meet all requirements.
    public func matches(_ labels: [String: String]) -> Bool {
        self.matches { labels[$0] }
    }

    /// Whether the labels that a function looks up meet all requirements.
    @inlinable
    public func matches(lookup: (String) -> String?) -> Bool {
        if self.matchesNothing { return false }
        for requirement in self.requirements where !requirement.matches(lookup(requirement.key)) {
            return false
        }
        return true
    }
}

extension LabelRequirement {
    /// Whether labels meet the requirement.
    @inlinable
    public func matches<Source: LabelSource & ~Copyable>(_ labels: borrowing Source) -> Bool {
        labels.withLabelValue(self.key) { self.matches(utf8: $0) }
    }

    /// Whether a value, nil for an absent label, meets the requirement.
    @inlinable
    public func matches(_ value: String?) -> Bool {
        switch self.comparison {
        case .equals, .doubleEquals, .isIn:
            guard let value else { return false }
            return value == self.firstValue || self.hasOther(value)
        case .notEquals, .notIn:
            guard let value else { return true }
            return value != self.firstValue && !self.hasOther(value)
        case .exists:
            return value != nil
        case .doesNotExist:
            return value == nil
        case .greaterThan, .lessThan:
            guard let value else { return false }
            return self.comparesNumber(value)
        }
    }

    @usableFromInline
    func hasOther(_ value: String) -> Bool {
        !self.otherValues.isEmpty && self.otherValues.contains(value)
    }

    @usableFromInline
    func comparesNumber(_ value: String) -> Bool {
        guard case .success(let number) = GoInteger.parse(value) else { return false }
        return self.comparison == .greaterThan ? number > self.bound : number < self.bound
    }

    /// Whether the UTF-8 of a value, nil for an absent label, meets the requirement.
    public func matches(utf8 value: UnsafeRawBufferPointer?) -> Bool {
        switch self.comparison {
        case .exists:
            return value != nil
        case .doesNotExist:
            return value == nil
        case .equals, .doubleEquals, .isIn:
            guard let value else { return false }
            return self.hasValue(utf8: value)
        case .notEquals, .notIn:
            guard let value else { return true }
            return !self.hasValue(utf8: value)
        case .greaterThan, .lessThan:
            guard let value else { return false }
            return self.comparesNumber(String(decoding: value, as: UTF8.self))
        }
    }

    private func hasValue(utf8 value: UnsafeRawBufferPointer) -> Bool {
        if value.elementsEqual(self.firstValue.utf8) { return true }
        for other in self.otherValues where value.elementsEqual(other.utf8) { return true }
        return false
    }
}
