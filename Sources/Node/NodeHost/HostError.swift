// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// A system call that failed.
package struct HostError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `errno`.
    package let code: Int32
    /// The call, such as `mkdir`.
    package let operation: String
    /// What it was called with.
    package let path: String

    package init(code: Int32, operation: String, path: String) {
        self.code = code
        self.operation = operation
        self.path = path
    }

    /// The error of the call that just failed on this thread.
    package init(_ operation: String, _ path: String) {
        self.init(code: errno, operation: operation, path: path)
    }

    /// As Go words it: `mkdir /x: permission denied`.
    package var description: String {
        var words = String(cString: strerror(self.code))
        if let first = words.first { words = first.lowercased() + words.dropFirst() }
        return "\(self.operation) \(self.path): \(words)"
    }

    package var isNotFound: Bool { self.code == ENOENT || self.code == ENOTDIR }
}
