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
    /// were deleted are gone with all that was in them. None went before its content, and nothing went
    /// while its namespace was to stay.
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
            let namespaces = cluster.history(of: CoreV1.Namespace.self)
            let ends = namespaces.filter(\.isDeleted).map { ($0.version, $0.object.metadata.name) }
            var problems: [String] = []
            var maps: [String: (namespace: String, made: Int, gone: Int)] = [:]
            for (version, isDeleted, map) in cluster.history(of: CoreV1.ConfigMap.self) {
                let uid = map.metadata.uid
                var life = maps[uid] ?? (map.metadata.namespace, version, Int.max)
                if isDeleted { life.gone = version }
                maps[uid] = life
                guard isDeleted || map.metadata.deletionTimestamp != nil else { continue }
                let namespace = namespaces.last {
                    $0.version < version && $0.object.metadata.name == map.metadata.namespace
                }
                if let namespace, !namespace.isDeleted,
                    namespace.object.metadata.deletionTimestamp == nil
                {
                    problems.append("\(map.metadata.name) went at \(version) without its namespace")
                }
            }
            for (version, name) in ends {
                let left = maps.values.filter {
                    $0.namespace == name && $0.made < version && $0.gone > version
                }
                if !left.isEmpty { problems.append("\(name) went at \(version) with content") }
            }
            return problems
        }
    )
}
