// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a text is not a quantity. The descriptions of the first three are upstream's.
public enum QuantityError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text does not look like a number with a suffix, or is empty.
    case format
    /// The number has no digits.
    case numeric
    /// The suffix is unknown, or its exponent is not a 64-bit integer.
    case suffix
    /// The text is longer than `Quantity.maximumTextBytes`.
    case tooLong
    /// The exponent is larger than `Quantity.maximumExponent`.
    case exponentTooLarge

    public var description: String {
        switch self {
        case .format:
            "quantities must match the regular expression "
                + "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        case .numeric: "unable to parse numeric part of quantity"
        case .suffix: "unable to parse quantity's suffix"
        case .tooLong: "quantity is longer than \(Quantity.maximumTextBytes) bytes"
        case .exponentTooLarge: "exponent of quantity is above \(Quantity.maximumExponent)"
        }
    }
}
