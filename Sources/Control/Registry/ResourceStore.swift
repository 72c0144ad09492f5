// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Bytes
import JSON
import KeyValueStore
import KubernetesAPI
import NameRules
package import ObjectModel
import Protobuf
package import ResourceTable
import Synchronization
package import WatchCache

/// The objects of one resource: everything that can be done with them, whatever the kind.
///
/// It works in the resource's hub version. Writes are transactions on the key's last revision, so
/// that two writers never lose each other's changes; reads come from the cache where their resource
/// version allows it.
package final class ResourceStore: Sendable {
    /// The row of the hub version.
    package let resource: APIResource
    package let cache: ResourceCache
    package let shared: StoreCache
    let strategy: Strategy
    let leases: LeasePool
    private let heldAllocator = Mutex<(any Allocator)?>(nil)

    init(
        _ resource: APIResource,
        cache: ResourceCache,
        shared: StoreCache,
        leases: LeasePool
    ) {
        self.resource = resource
        self.cache = cache
        self.shared = shared
        self.leases = leases
        self.strategy = Strategy.builtin(resource.groupResource)
    }

    /// What gives the objects what there is only so much of; nil for most resources.
    package var allocator: (any Allocator)? {
        get { self.heldAllocator.withLock { $0 } }
        set { self.heldAllocator.withLock { $0 = newValue } }
    }

    package var groupResource: GroupResource { self.resource.groupResource }

    /// The key of an object behind the resource's prefix.
    package func key(_ namespace: String, _ name: String) -> Bytes {
        Bytes(utf8: self.resource.isNamespaced ? "\(namespace)/\(name)" : name)
    }

    func storeKey(_ key: Bytes) -> Bytes {
        Bytes([UInt8](self.cache.prefix) + [UInt8](key))
    }

    var hasStatus: Bool { self.resource.subresource("status") != nil }

    // MARK: - Single objects

    /// What lies in the store under a key.
    func read(_ key: Bytes) async throws(StoreError) -> CachedObject? {
        let response = try await self.shared.store.range(
            RangeRequest(key: self.storeKey(key))
        )
        guard let keyValue = response.kvs.first else { return nil }
        guard let object = self.object(key, keyValue) else {
            throw StoreError(.dataLoss, "the object cannot be decoded")
        }
        return object
    }

    /// The object that a request reads.
    ///
    /// - Parameter resourceVersion: empty for the most recent state; `0` for any that is at hand;
    ///   else not older than this.
    package func get(
        _ namespace: String,
        _ name: String,
        resourceVersion: String = ""
    ) async throws(StatusError) -> CachedObject {
        let key = self.key(namespace, name)
        let found: CachedObject?
        if resourceVersion.isEmpty || !self.shared.isReady {
            found = try await self.mapped { () throws(StoreError) in try await self.read(key) }
        } else {
            try await self.waitFor(try Self.revision(resourceVersion))
            found = self.cache.object(key)
        }
        guard let found else { throw .notFound(self.groupResource, name) }
        return found
    }

    /// Decodes an object of the cache.
    package func decode(_ cached: CachedObject) throws(StatusError) -> APIObject {
        let schema = self.cache.form.schema
        do throws(DecodingError) {
            return try cached.withMessage { (bytes) throws(DecodingError) in
                try APIObject(serialized: bytes, as: schema)
            }
        } catch {
            throw .internalError("unable to decode the object: \(error)")
        }
    }

    /// Waits until this server goes by a client's write, where requests are decided by it.
    ///
    /// Without this a Pod that is created right after its namespace's quota could go uncounted. The
    /// wait is for one event of the store; when that does not come in time, the write stands, and
    /// is answered.
    func settle(_ revision: Int64, _ context: WriteContext) async {
        guard self.strategy.isDecisive, context.isOfClient, self.shared.isReady else { return }
        _ = await self.shared.waitUntilApplied(revision, timeout: Self.settling)
    }

    /// How long an answer is held back for ``settle(_:_:)``.
    private static let settling: Duration = .seconds(3)

    // MARK: - Transactions

    /// How a write ended.
    enum Outcome {
        case written(Int64)
        /// The key is not at the expected revision; what is there now, nil when nothing is.
        case conflict(CachedObject?)
    }

    /// Writes a key if it is still at a revision; 0 means that it is not there.
    func put(
        _ key: Bytes,
        _ value: Bytes,
        expecting revision: Int64,
        lease: Int64
    ) async throws(StoreError) -> Outcome {
        let storeKey = self.storeKey(key)
        return try await self.transact(
            key,
            storeKey,
            expecting: revision,
            .put(PutRequest(key: storeKey, value: value, lease: lease))
        )
    }

    /// Deletes a key if it is still at a revision.
    func remove(_ key: Bytes, expecting revision: Int64) async throws(StoreError) -> Outcome {
        let storeKey = self.storeKey(key)
        return try await self.transact(
            key,
            storeKey,
            expecting: revision,
            .deleteRange(DeleteRangeRequest(key: storeKey))
        )
    }

    private func transact(
        _ key: Bytes,
        _ storeKey: Bytes,
        expecting revision: Int64,
        _ operation: RequestOp
    ) async throws(StoreError) -> Outcome {
        let response = try await self.shared.store.txn(
            TxnRequest(
                compare: [Compare(key: storeKey, operand: .modRevision(revision))],
                success: [operation],
                failure: [.range(RangeRequest(key: storeKey))]
            )
        )
        if response.succeeded { return .written(response.header.revision) }
        guard case .range(let range)? = response.responses.first, let keyValue = range.kvs.first
        else { return .conflict(nil) }
        return .conflict(self.object(key, keyValue))
    }

    /// An object as it lies in the store.
    private func object(_ key: Bytes, _ keyValue: KeyValue) -> CachedObject? {
        CachedObject.make(key: key, keyValue, self.cache.form)
    }

    /// Runs an operation of the store, its failures as the API has them.
    func mapped<R: Sendable>(
        _ body: () async throws(StoreError) -> R
    ) async throws(StatusError) -> R {
        do throws(StoreError) {
            return try await body()
        } catch {
            throw StatusError(store: error)
        }
    }

    /// The stored form of an object.
    func value(of object: APIObject) throws(StatusError) -> Bytes {
        var object = object
        // What is left as it is need not be copied.
        if !object.metadata.resourceVersion.isEmpty { object.metadata.resourceVersion = "" }
        if !object.metadata.selfLink.isEmpty { object.metadata.selfLink = "" }
        do throws(JSONEncodingError) {
            return try self.cache.form.value(of: object)
        } catch {
            throw .internalError("unable to encode the object: \(error)")
        }
    }
}

extension StatusError {
    /// The failure of a request whose store failed.
    init(store error: StoreError) {
        switch error.code {
        case .unavailable, .deadlineExceeded, .canceled:
            self = StatusError(.timeout, code: 504, "Timeout: \(error.message)")
        case .resourceExhausted:
            self = .tooManyRequests(error.message, retryAfterSeconds: 1)
        default:
            self =
                error == .requestTooLarge
                ? .tooLarge(error.message) : .internalError(error.message)
        }
    }
}
