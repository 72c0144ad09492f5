// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeHost
import Protobuf
import Scalars

/// What the node has, and what of it pods may use.
///
/// Source: upstream `pkg/kubelet/cm/node_container_manager_linux.go`.
struct NodeCapacity: Sendable {
    let capacity: [String: Scalars.Quantity]
    let allocatable: [String: Scalars.Quantity]

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
        for (signal, resource) in [
            ("memory.available", "memory"), ("nodefs.available", "ephemeral-storage"),
        ] {
            guard let text = settings.evictionHard[signal], let total = capacity[resource],
                let amount = EvictionThreshold.bytes(text, of: total.value)
            else { continue }
            allocatable[resource]?.subtract(Scalars.Quantity(amount, format: .binarySI))
        }
        for (name, amount) in allocatable where amount.sign < 0 { allocatable[name] = .zero }
        self.capacity = capacity
        self.allocatable = allocatable
    }

    static func list(_ amounts: [String: Scalars.Quantity]) -> MapField<String, Resource.Quantity> {
        MapField(amounts.map { ($0.key, Resource.Quantity($0.value)) })
    }
}

/// A limit for eviction: an amount, or a share of the whole in per cent.
enum EvictionThreshold {
    /// The limit in bytes; nil when the text is none.
    static func bytes(_ text: String, of total: Int64) -> Int64? {
        if text.hasSuffix("%") {
            guard let share = Double(text.dropLast()) else { return nil }
            return Int64(Double(total) * share / 100)
        }
        return (try? Scalars.Quantity(parsing: text))?.value
    }
}
