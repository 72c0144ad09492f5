// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
package import Protobuf
package import Scalars

/// Amounts by resource.
package typealias ResourceAmounts = [String: Quantity]

/// What a pod asks for as a whole: the most that it needs at any time of its life.
///
/// Source: component-helpers `resource/helpers.go`.
package enum PodResources {
    /// The amounts that can be read.
    package static func amounts(_ map: MapField<String, Resource.Quantity>) -> ResourceAmounts {
        var amounts: ResourceAmounts = [:]
        for (name, quantity) in map {
            if let amount = try? quantity.parsed() { amounts[name] = amount }
        }
        return amounts
    }

    /// Adds amounts to a sum.
    package static func add(_ amounts: ResourceAmounts, to sum: inout ResourceAmounts) {
        for (name, amount) in amounts {
            var total = sum[name] ?? .zero
            total.add(amount)
            sum[name] = sum[name] == nil ? amount : total
        }
    }

    /// What is left of amounts when others are taken from them; nothing below zero.
    package static func difference(
        _ amounts: ResourceAmounts,
        _ others: ResourceAmounts
    ) -> ResourceAmounts {
        var rest: ResourceAmounts = [:]
        for (name, amount) in amounts {
            var left = amount
            if let other = others[name] { left.subtract(other) }
            if left.sign > 0 { rest[name] = left }
        }
        return rest
    }

    private static func raise(_ sum: inout ResourceAmounts, to amounts: ResourceAmounts) {
        for (name, amount) in amounts where (sum[name].map { $0 < amount } ?? true) {
            sum[name] = amount
        }
    }

    /// The requests of a pod, overhead included.
    package static func requests(of spec: CoreV1.PodSpec) -> ResourceAmounts {
        var sum = self.total(of: spec) { $0.requests }
        self.add(self.amounts(spec.overhead), to: &sum)
        return sum
    }

    /// The limits of a pod; overhead counts for those that are there.
    package static func limits(of spec: CoreV1.PodSpec) -> ResourceAmounts {
        var sum = self.total(of: spec) { $0.limits }
        self.add(self.amounts(spec.overhead).filter { sum[$0.key] != nil }, to: &sum)
        return sum
    }

    private static func total(
        of spec: CoreV1.PodSpec,
        _ part: (CoreV1.ResourceRequirements) -> MapField<String, Resource.Quantity>
    ) -> ResourceAmounts {
        var sum: ResourceAmounts = [:]
        for container in spec.containers {
            self.add(self.amounts(part(container.resources)), to: &sum)
        }
        // Initial containers run one after the other beside the sidecars before them.
        var sidecars: ResourceAmounts = [:]
        var peak: ResourceAmounts = [:]
        for container in spec.initContainers {
            let own = self.amounts(part(container.resources))
            if container.restartPolicy == "Always" {
                self.add(own, to: &sum)
                self.add(own, to: &sidecars)
                self.raise(&peak, to: sidecars)
            } else {
                var both = sidecars
                self.add(own, to: &both)
                self.raise(&peak, to: both)
            }
        }
        self.raise(&sum, to: peak)
        // What the pod says as a whole counts instead of the sum.
        if let whole = spec.resources {
            for (name, amount) in self.amounts(part(whole)) { sum[name] = amount }
        }
        return sum
    }
}
