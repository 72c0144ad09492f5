// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

/// What records say that the index has to know, of some of them that follow each other.
struct IndexBatch: Sendable {
    private struct Entry: Sendable {
        var revision: Revision
        var keyBytes: Int
        var isTombstone: Bool
        var createRevision: Int64
        var version: Int64
        var lease: Int64
    }

    /// How many records are a full batch, and how many bytes of keys.
    private static let fullCount = 2048
    private static let fullBytes = 1 << 20

    private var entries: [Entry] = []
    /// The keys, one behind the other.
    private var keys: [UInt8] = []

    var isEmpty: Bool { self.entries.isEmpty }

    var isFull: Bool {
        self.entries.count >= Self.fullCount || self.keys.count >= Self.fullBytes
    }

    mutating func add(_ revision: Revision, _ keyValue: EncodedKeyValue, isTombstone: Bool) {
        if self.entries.isEmpty { self.entries.reserveCapacity(Self.fullCount) }
        self.keys.append(contentsOf: keyValue.key)
        self.entries.append(
            Entry(
                revision: revision,
                keyBytes: keyValue.key.count,
                isTombstone: isTombstone,
                createRevision: keyValue.createRevision,
                version: keyValue.version,
                lease: isTombstone ? 0 : keyValue.lease
            )
        )
    }

    /// Adds the records to an index, and the keys to their leases.
    func apply(to index: inout KeyIndex, _ leases: inout LeaseTable) {
        self.keys.withUnsafeBytes { keys in
            var start = 0
            for entry in self.entries {
                let end = start + entry.keyBytes
                let key = UnsafeRawBufferPointer(rebasing: keys[start..<end])
                start = end
                index.restore(
                    key,
                    entry.revision,
                    isTombstone: entry.isTombstone,
                    createRevision: entry.createRevision,
                    version: entry.version
                )
                if leases.count > 0 { leases.attach(Bytes(copying: key), to: entry.lease) }
            }
        }
    }
}
