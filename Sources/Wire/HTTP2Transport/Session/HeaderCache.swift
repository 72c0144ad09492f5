// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CNghttp2
import Glibc
import HTTP

/// The last header block of a kind, recognised when it comes again.
///
/// HPACK's static and dynamic tables hand out the same reference-counted buffers again for a field
/// that is sent again. The cache keeps a reference to each buffer of the last block; a block made of
/// the same fields is the same block, and its `HeaderStorage` is handed out again,
/// mostly without looking at one byte.
struct HeaderCache {
    struct Pair {
        let name: OpaquePointer
        let value: OpaquePointer
        /// The header list's size up to and with this field.
        let bytes: Int
    }

    /// Blocks of more fields are not remembered.
    static let maximumPairs = 24

    private var pairs: [Pair] = []
    private(set) var storage: HeaderStorage?

    var count: Int { self.pairs.count }

    func pair(at index: Int) -> Pair { self.pairs[index] }

    /// Whether the field at this position is made of the same buffers, or of the same bytes: some
    /// encoders never put `:path` into the table.
    func matches(_ name: OpaquePointer, _ value: OpaquePointer, at index: Int) -> Bool {
        guard index < self.pairs.count else { return false }
        let pair = self.pairs[index]
        return (pair.name == name || Self.areEqual(pair.name, name))
            && (pair.value == value || Self.areEqual(pair.value, value))
    }

    private static func areEqual(_ left: OpaquePointer, _ right: OpaquePointer) -> Bool {
        let left = nghttp2_rcbuf_get_buf(left)
        let right = nghttp2_rcbuf_get_buf(right)
        return left.len == right.len && memcmp(left.base, right.base, left.len) == 0
    }

    /// Remembers another block. Takes over the references in `pairs` and leaves it empty.
    mutating func replace(with pairs: inout [Pair], storage: HeaderStorage) {
        swap(&self.pairs, &pairs)
        for pair in pairs {
            nghttp2_rcbuf_decref(pair.name)
            nghttp2_rcbuf_decref(pair.value)
        }
        pairs.removeAll(keepingCapacity: true)
        self.storage = storage
    }

    mutating func clear() {
        for pair in self.pairs {
            nghttp2_rcbuf_decref(pair.name)
            nghttp2_rcbuf_decref(pair.value)
        }
        self.pairs = []
        self.storage = nil
    }
}
