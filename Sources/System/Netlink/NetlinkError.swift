// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// What the kernel refused, and why.
public struct NetlinkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was to be done, such as `add route 10.244.1.0/24`.
    public let operation: String
    /// The kernel's reason.
    public let errno: Int32

    public init(operation: String, errno: Int32) {
        self.operation = operation
        self.errno = errno
    }

    public var description: String {
        var buffer = [CChar](repeating: 0, count: 128)
        strerror_r(self.errno, &buffer, buffer.count)
        let reason = String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        return "\(self.operation): \(reason)"
    }
}
