// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Bytes
package import KeyValueStore
import KubernetesAPI
import ObjectModel
import Protobuf
import Selectors
import Synchronization

/// An object as the cache keeps it: its bytes with the resource version set, ready to be sent.
///
/// Key and bytes lie in one piece of memory. Nothing is decoded to serve the object in protobuf;
/// other encodings are made when somebody first asks and kept.
package final class CachedObject: Sendable {
    private let storage: Bytes
    private let keyCount: Int
    /// The revision that wrote the object: its `resourceVersion`.
    package let revision: Int64
    /// The revision that created it.
    package let createRevision: Int64
    /// The lease that ends it; 0 for none.
    package let lease: Int64
    /// What of the object can be selected beside name and namespace.
    private let selectable: SelectableFields?
    private let keptJSON = Mutex<Bytes?>(nil)

    private init(
        storage: Bytes,
        keyCount: Int,
        revision: Int64,
        createRevision: Int64,
        lease: Int64,
        selectable: SelectableFields?
    ) {
        self.storage = storage
        self.keyCount = keyCount
        self.revision = revision
        self.createRevision = createRevision
        self.lease = lease
        self.selectable = selectable
    }

    /// The key behind the resource's prefix: `namespace/name` or `name`.
    package var key: Bytes { self.storage.slice(0..<self.keyCount) }

    /// The message in the resource's storage version, `resourceVersion` set, without envelope.
    package var message: Bytes { self.storage.slice(self.keyCount..<self.storage.count) }

    /// The size of ``message``.
    package var messageCount: Int { self.storage.count - self.keyCount }

    /// Gives the bytes of ``message`` to `body` without counting a reference.
    package func withMessage<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try self.storage.withUnsafeBytes { (bytes) throws(E) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[self.keyCount...]))
        }
    }

    /// Gives the bytes of ``key`` to `body` without counting a reference.
    func withKey<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        self.storage.withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[..<self.keyCount]))
        }
    }

    /// About how much memory the object takes without what is made later, in bytes.
    package var footprint: Int { self.storage.count + 160 }

    /// The namespace; empty for a cluster-scoped object.
    package var namespace: String {
        self.withKey { key in
            guard let slash = key.firstIndex(of: UInt8(ascii: "/")) else { return "" }
            return String(decoding: key[..<slash], as: UTF8.self)
        }
    }

    package var name: String {
        self.withKey { key in
            let start = key.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
            return String(decoding: key[start...], as: UTF8.self)
        }
    }

    /// The value of the resource's selectable field with this index; empty when there is none.
    func field(_ index: Int) -> String {
        guard let selectable = self.selectable, index < selectable.names.count else { return "" }
        return self.withMessage { selectable.value(index, in: $0) }
    }

    /// The JSON of the object in the resource's storage version, `make` when it is wanted and not
    /// kept. It is kept as long as all objects together keep no more than `limit` bytes.
    package func json<E: Error>(
        keptBelow limit: Int = CachedObject.maximumKeptBytes,
        _ make: () throws(E) -> [UInt8]
    ) throws(E) -> Bytes {
        if let kept = self.keptJSON.withLock({ $0 }) { return kept }
        let made = Bytes(try make())
        let total = Self.keptBytes.wrappingAdd(made.count, ordering: .relaxed).newValue
        let isKept =
            total <= limit
            && self.keptJSON.withLock { kept in
                if kept != nil { return false }
                kept = made
                return true
            }
        if !isKept { Self.keptBytes.wrappingSubtract(made.count, ordering: .relaxed) }
        return made
    }

    deinit {
        let count = self.keptJSON.withLock { $0?.count ?? 0 }
        if count > 0 { Self.keptBytes.wrappingSubtract(count, ordering: .relaxed) }
    }

    /// What the kept encodings of all objects take.
    private static let keptBytes = Atomic<Int>(0)

    /// The most memory for kept encodings; what goes beyond is made anew for each request.
    package static let maximumKeptBytes = 128 << 20
}

// MARK: - Making

extension CachedObject {
    /// Reads what lies in the store.
    ///
    /// - Returns: nil when the value is no object of the resource.
    package static func make(
        key: Bytes,
        _ keyValue: KeyValue,
        _ form: StoredForm
    ) -> CachedObject? {
        guard let message = form.message(keyValue.value) else { return nil }
        return self.make(
            key: key,
            message: message,
            revision: keyValue.modRevision,
            createRevision: keyValue.createRevision,
            lease: keyValue.lease,
            form
        )
    }

    /// Puts a resource version into a message.
    package static func make(
        key: Bytes,
        message: Bytes,
        revision: Int64,
        createRevision: Int64,
        lease: Int64 = 0,
        _ form: StoredForm
    ) -> CachedObject? {
        guard let storage = self.splice(key: key, message: message, revision, form) else {
            return nil
        }
        return CachedObject(
            storage: storage,
            keyCount: key.count,
            revision: revision,
            createRevision: createRevision,
            lease: lease,
            selectable: form.fields
        )
    }

    /// The object at its deletion: as it was, with the revision of that.
    package func deleted(at revision: Int64, _ form: StoredForm) -> CachedObject {
        let storage = Self.splice(key: self.key, message: self.message, revision, form)
        return CachedObject(
            storage: storage ?? self.storage,
            keyCount: self.keyCount,
            revision: revision,
            createRevision: self.createRevision,
            lease: self.lease,
            selectable: self.selectable
        )
    }

    /// Key and message in one piece, with the revision in the message.
    private static func splice(
        key: Bytes,
        message: Bytes,
        _ revision: Int64,
        _ form: StoredForm
    ) -> Bytes? {
        if let storage = self.spliceCanonical(key: key, message: message, revision) {
            return storage
        }
        // Foreign bytes: our encoder's order, then as usual.
        let object = message.withUnsafeBytes { bytes in
            try? APIObject(serialized: bytes, as: form.schema)
        }
        guard let object else { return nil }
        let canonical = object.withSerializedBytes { Bytes(copying: $0) }
        return self.spliceCanonical(key: key, message: canonical, revision)
    }

    /// The same for bytes that are in order; nil when they are not.
    private static func spliceCanonical(
        key: Bytes,
        message: Bytes,
        _ revision: Int64
    ) -> Bytes? {
        var text = String(revision)
        return text.withUTF8 { digits in
            message.withUnsafeBytes { raw in
                guard let layout = ObjectBytes.layout(raw) else { return nil }
                let splice = ObjectBytes.withVersion(
                    raw,
                    layout,
                    UnsafeRawBufferPointer(digits)
                )
                let total = key.count + splice.count
                let storage = ByteStorage(count: total) { target in
                    key.withUnsafeBytes { target.copyMemory(from: $0) }
                    splice.write(
                        to: UnsafeMutableRawBufferPointer(rebasing: target[key.count...])
                    )
                }
                return Bytes(
                    start: UnsafeRawPointer(storage.base),
                    count: total,
                    owner: storage
                )
            }
        }
    }
}

// MARK: - Selecting

extension CachedObject: LabelSource {
    package func withLabelValue<R>(
        _ key: String,
        _ body: (UnsafeRawBufferPointer?) -> R
    ) -> R {
        self.withMessage { ObjectBytes.withLabel(key, in: $0, body) }
    }
}
