// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The place of a change in the store's history: the write, and the change within it.
package struct Revision: Hashable, Sendable, Comparable {
    /// The number of the write, as clients see it.
    package var main: Int64
    /// The number of the change within the write, from 0.
    package var sub: UInt32

    package init(main: Int64, sub: UInt32) {
        self.main = main
        self.sub = sub
    }

    @inline(__always)
    package static func < (left: Revision, right: Revision) -> Bool {
        left.main != right.main ? left.main < right.main : left.sub < right.sub
    }
}

extension Revision: CustomStringConvertible {
    package var description: String { "\(self.main).\(self.sub)" }
}
