// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import ClusterControllers
import ControllerHarness
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient

extension ClusterScenario {
    /// Objects with owners at random are made and deleted in all three ways: in the end nothing is
    /// left whose owners are gone, and nothing went whose owner was there.
    static let garbage = ClusterScenario(
        name: "garbage collector",
        resources: ["configmaps", "secrets"],
        controllers: { harness, monitor in
            [GarbageCollector(harness.context(), monitor: monitor)]
        },
        disturb: { harness, storm in
            let maps = harness.client(CoreV1.ConfigMap.self)
            let present = try await maps.list(in: "default").items
                .sorted { $0.metadata.name < $1.metadata.name }
            guard storm.random(below: 3) == 0, !present.isEmpty else {
                return try await Self.makeMap(maps, present, storm)
            }
            var victim = present[storm.random(below: present.count)]
            let ways: [ApusResource.Propagation] = [.background, .foreground, .orphan]
            victim.metadata.annotations[Self.asked] = "true"
            // It may have changed, or be gone by now: then somebody else goes another time.
            guard let marked = try? await maps.update(victim) else { return }
            _ = try? await maps.delete(
                marked.metadata.name,
                in: "default",
                DeleteOptions(propagation: ways[storm.random(below: ways.count)])
            )
        },
        settle: { _ in },
        isDone: { harness in
            let maps = try await harness.client(CoreV1.ConfigMap.self).list(in: "default").items
            let uids = Set(maps.map(\.metadata.uid))
            return maps.allSatisfy { map in
                map.metadata.deletionTimestamp == nil
                    && map.metadata.ownerReferences.allSatisfy { uids.contains($0.uid) }
            }
        },
        problems: { cluster in
            var maps: [String: CoreV1.ConfigMap] = [:]
            var problems: [String] = []
            for (version, isDeleted, map) in cluster.history(of: CoreV1.ConfigMap.self) {
                let uid = map.metadata.uid
                guard isDeleted else {
                    maps[uid] = map
                    continue
                }
                let last = maps.removeValue(forKey: uid) ?? map
                // What people asked to go themselves went for that, and is no concern of owners.
                guard last.metadata.annotations[Self.asked] == nil else { continue }
                let owner = last.metadata.ownerReferences.first { reference in
                    guard let owner = maps[reference.uid] else { return false }
                    return owner.metadata.deletionTimestamp == nil
                }
                if let owner {
                    problems.append(
                        "\(last.metadata.name) went at \(version) though \(owner.name) was there"
                    )
                }
            }
            return problems
        }
    )

    private static let asked = "asked"

    /// Makes an object with up to two owners, one of which may never have been.
    private static func makeMap(
        _ maps: Client<CoreV1.ConfigMap>,
        _ present: [CoreV1.ConfigMap],
        _ storm: Storm
    ) async throws {
        var map = CoreV1.ConfigMap.with {
            $0.metadata.namespace = "default"
            $0.metadata.generateName = "map-"
        }
        for _ in 0..<storm.random(below: 3) {
            var reference = MetaV1.OwnerReference.with {
                $0.apiVersion = "v1"
                $0.kind = "ConfigMap"
                $0.name = "nobody"
                $0.uid = "nobody"
                $0.blockOwnerDeletion = storm.random(below: 2) == 0
            }
            if !present.isEmpty, storm.random(below: 8) > 0 {
                let owner = present[storm.random(below: present.count)]
                reference.name = owner.metadata.name
                reference.uid = owner.metadata.uid
            }
            guard !map.metadata.ownerReferences.contains(where: { $0.uid == reference.uid })
            else { continue }
            map.metadata.ownerReferences.append(reference)
        }
        _ = try await maps.create(map)
    }
}
