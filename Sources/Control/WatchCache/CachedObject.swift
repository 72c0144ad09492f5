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
    /// The values of the resource's selectable fields, in their order.
    package let fields: [String]
    private let keptJSON = Mutex<Bytes?>(nil)

    private init(
        storage: Bytes,
        keyCount: Int,
        revision: Int64,
        createRevision: Int64,
        lease: Int64,
        fields: [String]
    ) {
        self.storage = storage
        self.keyCount = keyCount
        self.revision = revision
        self.createRevision = createRevision
        self.lease = lease
        self.fields = fields
    }

    /// The key behind the resource's prefix: `namespace/name` or `name`.
    package var key: Bytes { self.storage.slice(0..<self.keyCount) }

    /// The message in the resource's storage version, `resourceVersion` set, without envelope.
    package var message: Bytes { self.storage.slice(self.keyCount..<self.storage.count) }

    /// About how much memory the object takes without what is made later, in bytes.
    package var footprint: Int { self.storage.count + 160 }

    /// The namespace; empty for a cluster-scoped object.
    package var namespace: String {
        self.key.withUnsafeBytes { key in
            guard let slash = key.firstIndex(of: UInt8(ascii: "/")) else { return "" }
            return String(decoding: key[..<slash], as: UTF8.self)
        }
    }

    package var name: String {
        self.key.withUnsafeBytes { key in
            let start = key.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
            return String(decoding: key[start...], as: UTF8.self)
        }
    }

    /// The JSON of the object in the resource's storage version, `make` the first time it is
    /// wanted.
    package func json<E: Error>(_ make: () throws(E) -> [UInt8]) throws(E) -> Bytes {
        if let kept = self.keptJSON.withLock({ $0 }) { return kept }
        let made = Bytes(try make())
        self.keptJSON.withLock { $0 = made }
        return made
    }
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
        var fields: [String] = []
        if let selectable = form.fields {
            let object = storage.withUnsafeBytes { bytes in
                try? APIObject(
                    serialized: UnsafeRawBufferPointer(rebasing: bytes[key.count...]),
                    as: form.schema
                )
            }
            guard let object else { return nil }
            fields = selectable.values(object)
        }
        return CachedObject(
            storage: storage,
            keyCount: key.count,
            revision: revision,
            createRevision: createRevision,
            lease: lease,
            fields: fields
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
            fields: self.fields
        )
    }

    /// Key and message in one piece, with the revision in the message.
    private static func splice(
        key: Bytes,
        message: Bytes,
        _ revision: Int64,
        _ form: StoredForm
    ) -> Bytes? {
        let isCanonical = message.withUnsafeBytes { ObjectBytes.layout($0) != nil }
        guard isCanonical else {
            // Foreign bytes: our encoder's order, then as usual.
            guard
                let object = message.withUnsafeBytes({ bytes in
                    try? APIObject(serialized: bytes, as: form.schema)
                })
            else { return nil }
            let canonical = object.withSerializedBytes { Bytes(copying: $0) }
            guard canonical.withUnsafeBytes({ ObjectBytes.layout($0) != nil }) else { return nil }
            return self.splice(key: key, message: canonical, revision, form)
        }
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
        self.message.withUnsafeBytes { ObjectBytes.withLabel(key, in: $0, body) }
    }
}
