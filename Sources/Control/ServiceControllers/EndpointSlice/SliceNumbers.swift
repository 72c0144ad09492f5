// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf

/// What a plan makes of the slices of one Service, in numbers for the metrics. Pure.
///
/// Source: upstream `staging/src/k8s.io/endpointslice/reconciler.go`, `metrics/cache.go`.
package struct SliceNumbers: Equatable {
    /// Slices there are afterwards, and as many as their endpoints would fill.
    package var slices = 0
    package var desiredSlices = 0
    package var endpoints = 0
    /// Endpoints that came, that went, and that stay but are told differently.
    package var added = 0
    package var removed = 0
    package var updated = 0
    /// Slices that were written or deleted.
    package var changedSlices = 0

    private struct Group: Hashable {
        var type: String
        var ports: [DiscoveryV1.EndpointPort]
    }

    /// - Parameter maximum: the endpoints of a slice.
    package init(
        _ known: [DiscoveryV1.EndpointSlice],
        creations: [DiscoveryV1.EndpointSlice],
        updates: [DiscoveryV1.EndpointSlice],
        deletions: [DiscoveryV1.EndpointSlice],
        maximum: Int
    ) {
        let changed = Set((updates + deletions).map(\.metadata.uid))
        let kept = known.filter { !changed.contains($0.metadata.uid) }
        let after = kept + updates + creations
        self.slices = after.count
        self.changedSlices = creations.count + updates.count + deletions.count
        var groups: [Group: Int] = [:]
        for slice in after {
            self.endpoints += slice.endpoints.count
            groups[Group(type: slice.addressType, ports: Array(slice.ports)), default: 0] +=
                slice.endpoints.count
        }
        for count in groups.values {
            self.desiredSlices += max((count + maximum - 1) / max(maximum, 1), 1)
        }
        // What stays as it is needs no look.
        let old = Self.byKey(known.filter { changed.contains($0.metadata.uid) })
        let new = Self.byKey(updates + creations)
        for (key, endpoint) in new {
            if let before = old[key] {
                if before != endpoint { self.updated += 1 }
            } else {
                self.added += 1
            }
        }
        self.removed = old.keys.reduce(0) { $0 + (new[$1] == nil ? 1 : 0) }
    }

    private static func byKey(
        _ slices: [DiscoveryV1.EndpointSlice]
    ) -> [String: DiscoveryV1.Endpoint] {
        var endpoints: [String: DiscoveryV1.Endpoint] = [:]
        for slice in slices {
            for endpoint in slice.endpoints {
                let key = EndpointSlicePlan.key(endpoint)
                endpoints["\(slice.addressType) \(key)"] = endpoint
            }
        }
        return endpoints
    }
}

extension SliceNumbers {
    init(_ known: [DiscoveryV1.EndpointSlice], _ changes: some SliceChanges, maximum: Int) {
        self.init(
            known,
            creations: changes.creations,
            updates: changes.updates,
            deletions: changes.deletions,
            maximum: maximum
        )
    }
}
