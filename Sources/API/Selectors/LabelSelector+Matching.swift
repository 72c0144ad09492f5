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
        unsafe labels.withLabelValue(self.key) { unsafe self.matches(utf8: $0) }
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
            return unsafe value != nil
        case .doesNotExist:
            return unsafe value == nil
        case .equals, .doubleEquals, .isIn:
            guard let value = unsafe value else { return false }
            return unsafe self.hasValue(utf8: value)
        case .notEquals, .notIn:
            guard let value = unsafe value else { return true }
            return unsafe !self.hasValue(utf8: value)
        case .greaterThan, .lessThan:
            guard let value = unsafe value else { return false }
            return self.comparesNumber(unsafe String(decoding: value, as: UTF8.self))
        }
    }

    private func hasValue(utf8 value: UnsafeRawBufferPointer) -> Bool {
        if unsafe Self.isEqual(value, self.firstValue) { return true }
        for other in self.otherValues where unsafe Self.isEqual(value, other) { return true }
        return false
    }

    private static func isEqual(_ value: UnsafeRawBufferPointer, _ text: String) -> Bool {
        let bytes = text.utf8.span
        guard bytes.count == value.count else { return false }
        for index in 0..<bytes.count where unsafe bytes[index] != value[index] { return false }
        return true
    }
}
