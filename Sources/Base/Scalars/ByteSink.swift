// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A growing byte buffer that the writers of this target append to.
///
/// Writers format a whole value on the stack and hand it over in one call, so a conforming buffer
/// pays one capacity check for each value.
public protocol ByteSink: ~Copyable {
    /// Appends a copy of `bytes`.
    mutating func append(_ bytes: borrowing Span<UInt8>)
}

extension Array: ByteSink where Element == UInt8 {
    public mutating func append(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
    }
}
