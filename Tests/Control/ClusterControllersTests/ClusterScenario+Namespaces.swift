// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import ControllerHarness
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient

extension ClusterScenario {
    private static let names = ["a", "b", "c"]
    private static let hold = "example.com/hold"

    /// Namespaces are made, filled and deleted; some of what is in them is held. In the end those that
    /// were deleted are gone with all that was in them, and none went before its content.
    static let namespaces = ClusterScenario(
        name: "namespaces",
        resources: ["configmaps", "namespaces", "serviceaccounts"],
        controllers: { harness, monitor in
            [
                NamespaceController(harness.context(), monitor: monitor),
                ServiceAccountController(harness.context()),
                RootCAPublisher(harness.context(), authority: "CA"),
            ]
        },
        disturb: { harness, storm in
            let namespaces = harness.client(CoreV1.Namespace.self)
            let maps = harness.client(CoreV1.ConfigMap.self)
            let name = Self.names[storm.random(below: Self.names.count)]
            // What cannot be done now, because the namespace is not there or goes, is not done.
            switch storm.random(below: 6) {
            case 0: _ = try? await namespaces.delete(name)
            case 1, 2:
                _ = try? await namespaces.create(
                    CoreV1.Namespace.with { $0.metadata.name = name }
                )
            default:
                guard (try? await namespaces.get(name)) != nil else { return }
                let isHeld = storm.random(below: 4) == 0
                _ = try? await maps.create(
                    CoreV1.ConfigMap.with {
                        $0.metadata.generateName = "map-"
                        $0.metadata.namespace = name
                        if isHeld { $0.metadata.finalizers = [Self.hold] }
                    }
                )
            }
        },
        settle: { harness in
            let namespaces = harness.client(CoreV1.Namespace.self)
            for namespace in try await namespaces.list().items {
                _ = try? await namespaces.delete(namespace.metadata.name)
            }
        },
        isDone: { harness in
            let maps = harness.client(CoreV1.ConfigMap.self)
            for map in try await maps.list().items
            where map.metadata.deletionTimestamp != nil && !map.metadata.finalizers.isEmpty {
                var free = map
                free.metadata.finalizers = []
                _ = try? await maps.update(free)
            }
            return try await harness.client(CoreV1.Namespace.self).list().items.isEmpty
        },
        problems: { cluster in
            var ends: [(version: Int, name: String)] = []
            for (version, isDeleted, namespace) in cluster.history(of: CoreV1.Namespace.self)
            where isDeleted {
                ends.append((version, namespace.metadata.name))
            }
            var maps: [String: (namespace: String, made: Int, gone: Int)] = [:]
            for (version, isDeleted, map) in cluster.history(of: CoreV1.ConfigMap.self) {
                let uid = map.metadata.uid
                var life = maps[uid] ?? (map.metadata.namespace, version, Int.max)
                if isDeleted { life.gone = version }
                maps[uid] = life
            }
            return ends.flatMap { end in
                maps.values.filter {
                    $0.namespace == end.name && $0.made < end.version && $0.gone > end.version
                }.map { _ in "\(end.name) went at \(end.version) with something in it" }
            }
        }
    )
}
