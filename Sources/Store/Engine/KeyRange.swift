// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Bytes

/// A set of keys that are next to each other, as etcd's requests name it.
package struct KeyRange: Hashable, Sendable {
    /// Where a range ends.
    package enum End: Hashable, Sendable {
        /// The range is the one key.
        case single
        /// Before this key.
        case before(Bytes)
        /// Nowhere.
        case unbounded
    }

    /// The first key.
    package let key: Bytes
    package let end: End

    /// Source: etcd 3.6 `server/etcdserver/txn/range.go`, `mkGteRange`.
    package init(key: Bytes, rangeEnd: Bytes) {
        self.key = key
        if rangeEnd.isEmpty {
            self.end = .single
        } else if rangeEnd.count == 1, rangeEnd[0] == 0 {
            self.end = .unbounded
        } else {
            self.end = .before(rangeEnd)
        }
    }

    package init(key: Bytes, end: End) {
        self.key = key
        self.end = end
    }

    /// Whether no key can be in the range.
    package var isEmpty: Bool {
        switch self.end {
        case .single, .unbounded: false
        case .before(let end): end <= self.key
        }
    }

    package func contains(_ other: UnsafeRawBufferPointer) -> Bool {
        self.key.withUnsafeBytes { key in
            switch self.end {
            case .single: compareBytes(key, other) == 0
            case .unbounded: compareBytes(key, other) <= 0
            case .before(let end):
                compareBytes(key, other) <= 0
                    && end.withUnsafeBytes { compareBytes(other, $0) < 0 }
            }
        }
    }

    /// Whether some key can be in both ranges.
    package func overlaps(_ other: KeyRange) -> Bool {
        if self.isEmpty || other.isEmpty { return false }
        return self.startsBeforeEnd(of: other) && other.startsBeforeEnd(of: self)
    }

    private func startsBeforeEnd(of other: KeyRange) -> Bool {
        switch other.end {
        case .single: self.key <= other.key
        case .unbounded: true
        case .before(let end): self.key < end
        }
    }
}
