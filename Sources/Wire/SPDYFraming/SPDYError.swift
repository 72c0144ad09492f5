// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a SPDY connection cannot go on.
package enum SPDYError: Error, Sendable, Equatable {
    /// Header blocks cannot be compressed or decompressed.
    case compression
    /// A header block is larger than the limit.
    case headersTooLarge
    /// A frame is larger than the limit.
    case frameTooLarge
    /// A frame of another version of the protocol.
    case version(UInt16)
    /// A frame that is too short for what it says, or is not allowed where it came.
    case malformed(String)
    /// More streams than the limit.
    case tooManyStreams
}

/// How much a peer may ask for.
package struct SPDYLimits: Sendable {
    /// Bytes of one frame.
    package var frameBytes = 1 << 20
    /// Bytes of a header block when it is decompressed.
    package var headerBytes = 16 << 10
    /// Streams that are open at once.
    package var streams = 1024

    package init() {}
}
