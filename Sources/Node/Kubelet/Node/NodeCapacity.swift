// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeHost
import PodLifecycle
import Protobuf
import Scalars

/// What the node has, and what of it pods may use.
///
/// Source: upstream `pkg/kubelet/cm/node_container_manager_linux.go`.
struct NodeCapacity: Sendable {
    let capacity: [String: Scalars.Quantity]
    let allocatable: [String: Scalars.Quantity]
    /// What the cgroup of all pods is limited to: the capacity without what is reserved. Thresholds of
    /// eviction lie within it.
    let enforced: [String: Scalars.Quantity]

    init(settings: KubeletSettings) {
        let disk = FileSystemUse(of: settings.rootDirectory)
        let capacity: [String: Scalars.Quantity] = [
            "cpu": Scalars.Quantity(Int64(HostInfo.processors)),
            "memory": Scalars.Quantity(
                Int64(HostInfo.memory("MemTotal")) / 1024 * 1024,
                format: .binarySI
            ),
            "ephemeral-storage": Scalars.Quantity(
                Int64(clamping: disk?.capacityBytes ?? 0) / 1024 * 1024,
                format: .binarySI
            ),
            "pods": Scalars.Quantity(Int64(settings.maximumPods)),
            "hugepages-1Gi": .zero,
            "hugepages-2Mi": .zero,
        ]
        var allocatable = capacity
        for reserved in [settings.systemReserved, settings.kubeReserved] {
            for (name, text) in reserved {
                guard let amount = try? Scalars.Quantity(parsing: text) else { continue }
                allocatable[name]?.subtract(amount)
            }
        }
        self.enforced = allocatable.mapValues { $0.sign < 0 ? .zero : $0 }
        for (signal, resource) in [
            ("memory.available", "memory"), ("nodefs.available", "ephemeral-storage"),
        ] {
            guard let text = settings.evictionHard[signal], let total = capacity[resource],
                let value = EvictionThreshold.Value(text)
            else { continue }
            allocatable[resource]?.subtract(value.quantity(of: total.value))
        }
        for (name, amount) in allocatable where amount.sign < 0 { allocatable[name] = .zero }
        self.capacity = capacity
        self.allocatable = allocatable
    }

    static func list(_ amounts: [String: Scalars.Quantity]) -> MapField<String, Resource.Quantity> {
        MapField(amounts.map { ($0.key, Resource.Quantity($0.value)) })
    }
}
