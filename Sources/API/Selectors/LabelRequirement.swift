// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NameRules

/// A condition on one label.
///
/// Built by ``init(_:_:_:at:)``, which proves that key and values are of the formats of labels.
public struct LabelRequirement: Sendable, Hashable {
    /// How a label is compared. The raw value is upstream's name of the operator.
    public enum Operator: String, Sendable, Hashable, CaseIterable {
        /// The label has the value.
        case equals = "="
        /// The same, as it was written.
        case doubleEquals = "=="
        /// The label has not the value, or is absent.
        case notEquals = "!="
        /// The label has one of the values.
        case isIn = "in"
        /// The label has none of the values, or is absent.
        case notIn = "notin"
        /// The label is there.
        case exists
        /// The label is absent.
        case doesNotExist = "!"
        /// The label is an integer above the value.
        case greaterThan = "gt"
        /// The label is an integer below the value.
        case lessThan = "lt"
    }

    public let key: String
    public let comparison: Operator

    /// The first of the values in their order; nearly all requirements have no other.
    @usableFromInline let firstValue: String
    @usableFromInline let otherValues: [String]
    @usableFromInline let hasValue: Bool

    /// What the label is compared with by ``Operator/greaterThan`` and ``Operator/lessThan``.
    @usableFromInline let bound: Int64

    /// A requirement that has been checked.
    ///
    /// - Parameter values: sorted, each once.
    init(checked key: String, _ comparison: Operator, _ values: [String], bound: Int64 = 0) {
        self.key = key
        self.comparison = comparison
        self.hasValue = !values.isEmpty
        self.firstValue = values.first ?? ""
        self.otherValues = values.count > 1 ? Array(values.dropFirst()) : []
        self.bound = bound
    }

    /// The values, sorted, each once.
    public var values: [String] {
        self.hasValue ? [self.firstValue] + self.otherValues : []
    }

    /// The one value that the label must have, or nil when several may do.
    public var requiredValue: String? {
        switch self.comparison {
        case .equals, .doubleEquals, .isIn:
            self.hasValue && self.otherValues.isEmpty ? self.firstValue : nil
        case .notEquals, .notIn, .exists, .doesNotExist, .greaterThan, .lessThan:
            nil
        }
    }
}

// MARK: - Checking

extension LabelRequirement {
    /// A requirement, or all that is wrong with it.
    ///
    /// - Parameters:
    ///   - values: in the order they were written, which the messages count by.
    ///   - path: where the requirement stands; members `key`, `operator` and `values` follow it.
    /// - Throws: one message for all faults, in upstream's words.
    public init(
        _ key: String,
        _ comparison: Operator,
        _ values: [String],
        at path: FieldPath = FieldPath()
    ) throws(SelectorError) {
        if comparison == .equals, values.count == 1, let value = values.first,
            Formats.isLabelKey(key), Formats.isLabelValue(value)
        {
            self.init(checked: key, .equals, values)
            return
        }
        var errors = FieldErrors(at: path)
        if !Formats.isLabelKey(key) {
            errors.invalid(
                at: "key",
                .string(key),
                Formats.labelKey(key).joined(separator: "; ")
            )
        }
        var bound: Int64 = 0
        errors.within("values") { errors in
            bound = Self.validateCount(values, comparison, &errors)
            for (index, value) in values.enumerated() where !Formats.isLabelValue(value) {
                errors.within(index: index) { errors in
                    errors.within(key: key) { errors in
                        errors.invalid(
                            .string(value),
                            Formats.labelValue(value).joined(separator: "; ")
                        )
                    }
                }
            }
        }
        guard errors.isEmpty else { throw SelectorError(errors.aggregate) }
        self.init(checked: key, comparison, Self.distinct(values), bound: bound)
    }

    /// Adds the faults in the number of values; answers the number to compare with.
    private static func validateCount(
        _ values: [String],
        _ comparison: Operator,
        _ errors: inout FieldErrors
    ) -> Int64 {
        // An empty list of values is absent in upstream's objects, and shows so.
        func invalid(_ detail: String) {
            errors.invalid(values.isEmpty ? .null : .init(values), detail)
        }
        var bound: Int64 = 0
        switch comparison {
        case .isIn, .notIn:
            if values.isEmpty { invalid("for 'in', 'notin' operators, values set can't be empty") }
        case .equals, .doubleEquals, .notEquals:
            if values.count != 1 { invalid("exact-match compatibility requires one single value") }
        case .exists, .doesNotExist:
            if !values.isEmpty {
                invalid("values set must be empty for exists and does not exist")
            }
        case .greaterThan, .lessThan:
            if values.count != 1 {
                invalid("for 'Gt', 'Lt' operators, exactly one value is required")
            }
            for (index, value) in values.enumerated() {
                if case .success(let number) = GoInteger.parse(value) {
                    bound = number
                } else {
                    errors.within(index: index) { errors in
                        errors.invalid(
                            .string(value),
                            "for 'Gt', 'Lt' operators, the value must be an integer"
                        )
                    }
                }
            }
        }
        return bound
    }

    /// The values in the order of their bytes, each once.
    static func distinct(_ values: [String]) -> [String] {
        if values.count < 2 { return values }
        let sorted = values.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var result: [String] = []
        result.reserveCapacity(sorted.count)
        for value in sorted where result.last != value { result.append(value) }
        return result
    }
}

// MARK: - Text

extension LabelRequirement: CustomStringConvertible {
    public var description: String {
        switch self.comparison {
        case .exists: self.key
        case .doesNotExist: "!\(self.key)"
        case .equals, .doubleEquals, .notEquals:
            "\(self.key)\(self.comparison.rawValue)\(self.firstValue)"
        case .greaterThan: "\(self.key)>\(self.firstValue)"
        case .lessThan: "\(self.key)<\(self.firstValue)"
        case .isIn, .notIn:
            "\(self.key) \(self.comparison.rawValue) (\(self.values.joined(separator: ",")))"
        }
    }
}
