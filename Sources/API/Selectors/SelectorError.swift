// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a text or an object is no selector. The description is upstream's.
public struct SelectorError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    /// An error with that message.
    public init(_ description: String) {
        self.description = description
    }
}
