// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NameRules

extension LabelSelector {
    /// One item of `matchExpressions` of a `LabelSelector` object.
    public struct Expression: Sendable, Hashable {
        public var key: String
        /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
        public var `operator`: String
        public var values: [String]

        public init(key: String, operator: String, values: [String] = []) {
            self.key = key
            self.operator = `operator`
            self.values = values
        }

        /// The operator of the requirement, or nil when it is unknown.
        var comparison: LabelRequirement.Operator? {
            switch self.operator {
            case "In": .isIn
            case "NotIn": .notIn
            case "Exists": .exists
            case "DoesNotExist": .doesNotExist
            default: nil
            }
        }
    }

    /// The selector that a `LabelSelector` object stands for: everything when it is empty.
    ///
    /// An absent object stands for ``nothing``, which the caller knows.
    ///
    /// Source: upstream `pkg/apis/meta/v1/helpers.go`, LabelSelectorAsSelector.
    public init(
        matchLabels: some Sequence<(key: String, value: String)>,
        matchExpressions: some Sequence<Expression> = []
    ) throws(SelectorError) {
        var requirements: [LabelRequirement] = []
        for (key, value) in matchLabels {
            requirements.append(try LabelRequirement(key, .equals, [value]))
        }
        for expression in matchExpressions {
            guard let comparison = expression.comparison else {
                throw SelectorError(
                    "\(GoText.quoted(expression.operator)) is not a valid label selector operator"
                )
            }
            requirements.append(
                try LabelRequirement(expression.key, comparison, expression.values)
            )
        }
        self.init(requirements)
    }

    /// The selector of labels that must be equal, as replication controllers and services keep it.
    ///
    /// Labels are taken as they are, since validation has seen them. No labels match everything.
    public init(equalTo labels: some Sequence<(key: String, value: String)>) {
        self.init(labels.map { LabelRequirement(checked: $0.key, .equals, [$0.value]) })
    }

    /// The parts of a `LabelSelector` object that stand for the selector, or nil when it has
    /// comparisons that no object can state.
    public var object: (matchLabels: [(key: String, value: String)], expressions: [Expression])? {
        var labels: [(key: String, value: String)] = []
        var expressions: [Expression] = []
        if self.matchesNothing { return nil }
        for requirement in self.requirements {
            let name: String
            switch requirement.comparison {
            case .equals, .doubleEquals:
                labels.append((requirement.key, requirement.firstValue))
                continue
            case .isIn: name = "In"
            case .notIn: name = "NotIn"
            case .exists: name = "Exists"
            case .doesNotExist: name = "DoesNotExist"
            case .notEquals, .greaterThan, .lessThan: return nil
            }
            expressions.append(
                Expression(key: requirement.key, operator: name, values: requirement.values)
            )
        }
        return (labels, expressions)
    }
}

// MARK: - Validation

extension FieldErrors {
    /// A `LabelSelector` object at the field at hand.
    ///
    /// - Parameters:
    ///   - allowsInvalidValues: values of expressions are not checked, since an object that is
    ///     already stored has bad ones.
    ///   - allowsUnknownOperator: unknown operators are left for the one who evaluates.
    ///
    /// Source: upstream `pkg/apis/meta/v1/validation/validation.go`, ValidateLabelSelector.
    public mutating func validateLabelSelector(
        matchLabels: some Sequence<(key: String, value: String)>,
        matchExpressions: some Sequence<LabelSelector.Expression>,
        allowsInvalidValues: Bool = false,
        allowsUnknownOperator: Bool = false
    ) {
        self.validateLabels(at: "matchLabels", matchLabels)
        for (index, expression) in matchExpressions.enumerated() {
            self.within("matchExpressions", index: index) { errors in
                errors.validate(
                    expression,
                    allowsInvalidValues: allowsInvalidValues,
                    allowsUnknownOperator: allowsUnknownOperator
                )
            }
        }
    }

    private mutating func validate(
        _ expression: LabelSelector.Expression,
        allowsInvalidValues: Bool,
        allowsUnknownOperator: Bool
    ) {
        switch expression.comparison {
        case .isIn, .notIn:
            if expression.values.isEmpty {
                self.required(
                    at: "values",
                    "must be specified when `operator` is 'In' or 'NotIn'"
                )
            }
        case .exists, .doesNotExist:
            if !expression.values.isEmpty {
                self.forbidden(
                    at: "values",
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                )
            }
        case .equals, .doubleEquals, .notEquals, .greaterThan, .lessThan, nil:
            if !allowsUnknownOperator {
                self.invalid(
                    at: "operator",
                    .string(expression.operator),
                    "not a valid selector operator"
                )
            }
        }
        self.invalid(at: "key", .string(expression.key), Formats.labelKey(expression.key))
        if allowsInvalidValues { return }
        for (index, value) in expression.values.enumerated() where !Formats.isLabelValue(value) {
            self.within("values", index: index) { errors in
                errors.invalid(.string(value), Formats.labelValue(value))
            }
        }
    }
}
