// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a SPDY connection ends.
package enum SPDYError: Error, Sendable, Equatable {
    /// A frame that is longer than ``SPDYSession/maximumFrameBytes``.
    case frameTooLarge(Int)
    /// A frame that breaks the protocol; the text is for people.
    case malformed(String)
    /// More streams than ``SPDYSession/maximumStreams``.
    case tooManyStreams
    /// Headers that cannot be decompressed, or are too long then.
    case badHeaders
}
