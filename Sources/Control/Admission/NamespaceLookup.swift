// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import ObjectModel
import ResourceTable
import Scalars
import Synchronization

/// Finds the objects of a namespace that decide about others, such as its quotas.
///
/// They are read from the cache. What this server has answered is in it; what another one has just
/// made need not be. So when the cache has none of a namespace, the store is asked, once in a while.
///
/// Source: apiserver `pkg/admission/plugin/resourcequota/resource_access.go`, which keeps what it
/// was told for as long and for as many namespaces.
final class NamespaceLookup: Sendable {
    /// How long the store is not asked again, in seconds.
    static let lifetime: Int64 = 30
    /// The most namespaces that are remembered.
    static let maximumNamespaces = 100

    private let objects: any ObjectReader
    /// Until when namespaces are not asked for.
    private let asked = Mutex<[String: Int64]>([:])

    init(_ objects: any ObjectReader) {
        self.objects = objects
    }

    func list(
        _ resource: GroupResource,
        namespace: String,
        now: Timestamp
    ) async throws(StatusError) -> [APIObject] {
        let found = self.objects.list(resource, namespace: namespace)
        guard found.isEmpty else { return found }
        let isKnown = self.asked.withLock { ($0[namespace] ?? .min) > now.seconds }
        if isKnown { return found }
        let current = try await self.objects.currentList(resource, namespace: namespace)
        if current.isEmpty { self.note(namespace, now) }
        return current
    }

    private func note(_ namespace: String, _ now: Timestamp) {
        self.asked.withLock { asked in
            if asked.count >= Self.maximumNamespaces {
                asked = asked.filter { $0.value > now.seconds }
            }
            // Which of many is forgotten matters little: it is asked for once more.
            if asked.count >= Self.maximumNamespaces, let one = asked.keys.first {
                asked[one] = nil
            }
            asked[namespace] = now.seconds + Self.lifetime
        }
    }
}
