// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import KubernetesAPI
import ObjectModel
public import Protobuf
import ResourceTable
import Synchronization

/// What networks and busy servers do to watches, at the word of a test: events of one resource come
/// late, so that those of others overtake them, or twice.
extension MemoryCluster {
    /// Holds back the events of a resource, such as `pods`, until they are released.
    public func hold(_ resource: String) {
        self.state.withLock { _ = $0.held.insert(resource) }
    }

    /// Lets go of what is held back, in order.
    public func release(_ resource: String) {
        self.state.withLock { state in
            state.held.remove(resource)
            for (id, changes) in state.pending {
                for change in changes where change.resource == resource {
                    state.watchers[id]?.yield(change)
                }
                state.pending[id] = changes.filter { $0.resource != resource }
            }
        }
    }

    public func releaseAll() {
        for resource in self.state.withLock({ $0.held }) { self.release(resource) }
    }

    /// Sends the last event of each object of a resource once more.
    public func repeatEvents(of resource: String) {
        self.state.withLock { state in
            guard !state.held.contains(resource) else { return }
            var last: [String: Change] = [:]
            for change in state.history where change.resource == resource {
                let metadata = change.object.metadata
                last["\(metadata.namespace)/\(metadata.name)"] = change
            }
            for change in last.values.sorted(by: { $0.version < $1.version }) {
                var again = change
                again.old = change.type == .deleted ? change.old : change.object
                for watcher in state.watchers.values { watcher.yield(again) }
            }
        }
    }

    /// Every state that an object of a kind ever had, in the order of versions; the last one of a
    /// deleted object is marked.
    public func history<Object: Message>(
        of type: Object.Type
    ) -> [(version: Int, isDeleted: Bool, object: Object)] {
        self.state.withLock { $0.log }.compactMap { change in
            let object: Object? = change.object.message()
            return object.map { (change.version, change.type == .deleted, $0) }
        }
    }
}
