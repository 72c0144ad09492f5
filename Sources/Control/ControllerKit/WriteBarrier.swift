// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Informers
package import Protobuf
import Synchronization

/// Keeps a controller from acting on a cache that does not show its own writes yet.
///
/// Resource versions of one cluster are comparable, so no counting of expected events is needed: a
/// key may be worked on once the informer has come as far as the key's last write.
///
/// Source: KEP-5504, comparable resource versions.
package final class WriteBarrier<Key: Hashable & Sendable>: Sendable {
    private let versions = Mutex<[Key: UInt64]>([:])

    package init() {}

    /// A write for the key is stored as this version.
    package func wrote(_ key: Key, _ resourceVersion: String) {
        guard let version = UInt64(resourceVersion) else { return }
        self.versions.withLock { $0[key] = max($0[key] ?? 0, version) }
    }

    /// Whether the informer shows all writes for the key. If not, `ready` is called when it does.
    package func isReached<Object: Message>(
        _ key: Key,
        by informer: Informer<Object>,
        _ ready: @escaping @Sendable () -> Void
    ) -> Bool {
        guard let version = self.versions.withLock({ $0[key] }) else { return true }
        guard informer.whenReached(version, ready) else { return false }
        self.versions.withLock { if $0[key] == version { $0[key] = nil } }
        return true
    }

    package func forget(_ key: Key) {
        self.versions.withLock { $0[key] = nil }
    }
}
