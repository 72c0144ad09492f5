// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Clocks
public import KubernetesAPI
public import ObjectModel
public import Protobuf
public import RPCInterface
public import ResourceClient
import Synchronization

/// The informers of a process: one for each resource and scope, shared by all who ask.
///
/// Objects are kept without `managedFields`, which nobody in the process reads and which would be
/// half of the memory.
public final class InformerFactory: Sendable {
    private struct Key: Hashable {
        var resource: ResourceName
        var isMetadata: Bool
        var scope: InformerScope
    }

    private struct Entry {
        var informer: any Sendable
        var run: @Sendable () async -> Void
        var isSynced: @Sendable () -> Bool
        var waitForSync: @Sendable () async -> Void
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var starts: AsyncStream<@Sendable () async -> Void>.Continuation?
    }

    private let channel: any RPCChannel
    public let clock: any ComponentClock
    private let failed: @Sendable (ResourceName, StatusError) -> Void
    private let state = Mutex(State())

    /// - Parameter failed: hears of failures to list or watch, which are tried again.
    public init(
        _ channel: any RPCChannel,
        clock: any ComponentClock = SystemClock(),
        failed: @escaping @Sendable (ResourceName, StatusError) -> Void = { _, _ in }
    ) {
        self.channel = channel
        self.clock = clock
        self.failed = failed
    }

    /// The informer of a kind. It runs when the factory does, at once when that runs already.
    public func informer<Object: Message>(
        of type: Object.Type,
        scope: InformerScope = InformerScope()
    ) -> Informer<Object> {
        self.informer(Client<Object>(self.channel), scope)
    }

    /// An informer of the metadata of any resource's objects.
    public func metadataInformer(
        of resource: ResourceName,
        scope: InformerScope = InformerScope()
    ) -> Informer<MetaV1.PartialObjectMetadata> {
        self.informer(
            Client<MetaV1.PartialObjectMetadata>(self.channel, resource: resource),
            scope
        )
    }

    private func informer<Object: Message>(
        _ client: Client<Object>,
        _ scope: InformerScope
    ) -> Informer<Object> {
        let key = Key(
            resource: client.resource,
            isMetadata: Object.schema === MetaV1.PartialObjectMetadata.schema,
            scope: scope
        )
        return self.state.withLock { state in
            if let known = state.entries[key]?.informer as? Informer<Object> { return known }
            let resource = client.resource
            let informer = Informer(
                client,
                scope: scope,
                clock: self.clock,
                transform: { $0.withoutManagedFields() },
                failed: { [failed] error in failed(resource, error) }
            )
            state.entries[key] = Entry(
                informer: informer,
                run: { await informer.run() },
                isSynced: { informer.hasSynced },
                waitForSync: { await informer.waitForSync() }
            )
            state.starts?.yield { await informer.run() }
            return informer
        }
    }

    /// Whether every informer that was asked for has synced.
    public var hasSynced: Bool {
        self.state.withLock { Array($0.entries.values) }.allSatisfy { $0.isSynced() }
    }

    /// Returns when every informer that was asked for until now has synced, or the task is
    /// cancelled.
    public func waitForSync() async {
        for entry in self.state.withLock({ Array($0.entries.values) }) {
            await entry.waitForSync()
        }
    }

    /// Runs all informers until the task is cancelled.
    public func run() async {
        let (stream, starts) = AsyncStream<@Sendable () async -> Void>.makeStream()
        self.state.withLock { state in
            for entry in state.entries.values { starts.yield(entry.run) }
            state.starts = starts
        }
        await withDiscardingTaskGroup { group in
            for await run in stream { group.addTask { await run() } }
            group.cancelAll()
        }
        self.state.withLock { $0.starts = nil }
    }
}

extension Message {
    /// The object without the record of who set which field, in a block as small as that makes it.
    public func withoutManagedFields() -> Self {
        guard !self.objectMetadata.managedFields.isEmpty else { return self }
        var object = APIObject(self)
        object.metadata.managedFields = RepeatedField()
        let block = object.storage.block
        block.wasted = block.used
        return Self(storage: object.storage.copied(Self.schema.table))
    }
}
