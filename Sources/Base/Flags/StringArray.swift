// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A flag that may be given several times and whose values are taken as they are, commas included:
/// pflag's `stringArray`, where `[String]` is its `stringSlice`.
public struct StringArray: FlagValue, Hashable, ExpressibleByArrayLiteral {
    public static var flagTypeName: String { "stringArray" }

    /// The values in the order of the command line.
    public var values: [String]

    public init(flag text: String) {
        self.values = [text]
    }

    public init(arrayLiteral elements: String...) {
        self.values = elements
    }

    public mutating func merge(_ next: StringArray) {
        self.values += next.values
    }

    public var flagDescription: String? {
        self.values.isEmpty ? nil : "[\(self.values.joined(separator: ","))]"
    }
}
