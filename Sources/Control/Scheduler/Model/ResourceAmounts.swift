// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
package import Protobuf
import Scalars

/// Amounts of resources in the units that the scheduler counts in: thousandths of a CPU, bytes, and
/// pieces of anything else.
package struct ResourceAmounts: Sendable, Hashable {
    /// An amount of a resource that is neither CPU, memory nor ephemeral storage.
    package struct Scalar: Sendable, Hashable {
        package let name: String
        package var amount: Int64
    }

    package var milliCPU: Int64 = 0
    package var memory: Int64 = 0
    package var ephemeralStorage: Int64 = 0
    /// How many pods; only nodes say so.
    package var pods: Int64 = 0
    /// The others, in the order of their names.
    package var scalars: [Scalar] = []

    package init() {}

    /// The amounts of a resource list; a text that is no quantity counts as nothing.
    package init(_ list: MapField<String, Resource.Quantity>) {
        for (name, quantity) in list { self[name] = Self.amount(of: quantity, name) }
    }

    /// The amount of a resource in the scheduler's unit.
    static func amount(of quantity: Resource.Quantity, _ name: String) -> Int64 {
        let text = quantity.string ?? "0"
        guard let parsed = try? Quantity(parsing: text) else { return 0 }
        return name == ResourceName.cpu ? parsed.milliValue : parsed.value
    }

    /// The amount of a resource by its name.
    package subscript(name: String) -> Int64 {
        get {
            switch name {
            case ResourceName.cpu: return self.milliCPU
            case ResourceName.memory: return self.memory
            case ResourceName.ephemeralStorage: return self.ephemeralStorage
            case ResourceName.pods: return self.pods
            default:
                for scalar in self.scalars where scalar.name == name { return scalar.amount }
                return 0
            }
        }
        set {
            switch name {
            case ResourceName.cpu: self.milliCPU = newValue
            case ResourceName.memory: self.memory = newValue
            case ResourceName.ephemeralStorage: self.ephemeralStorage = newValue
            case ResourceName.pods: self.pods = newValue
            default: self.setScalar(name, newValue)
            }
        }
    }

    private mutating func setScalar(_ name: String, _ amount: Int64) {
        // The scheduler counts hugepages, attachable volumes and what has a domain in its name.
        guard ResourceName.isScalar(name) else { return }
        let index = self.scalars.firstIndex { $0.name >= name } ?? self.scalars.endIndex
        if index < self.scalars.endIndex, self.scalars[index].name == name {
            self.scalars[index].amount = amount
        } else {
            self.scalars.insert(Scalar(name: name, amount: amount), at: index)
        }
    }

    /// Adds other amounts; a sum beyond 64 bits stays at the largest number.
    package mutating func add(_ other: ResourceAmounts) {
        self.milliCPU = Self.sum(self.milliCPU, other.milliCPU)
        self.memory = Self.sum(self.memory, other.memory)
        self.ephemeralStorage = Self.sum(self.ephemeralStorage, other.ephemeralStorage)
        self.pods = Self.sum(self.pods, other.pods)
        for scalar in other.scalars {
            self[scalar.name] = Self.sum(self[scalar.name], scalar.amount)
        }
    }

    /// Takes the larger of both amounts of each resource.
    package mutating func formMaximum(_ other: ResourceAmounts) {
        self.milliCPU = max(self.milliCPU, other.milliCPU)
        self.memory = max(self.memory, other.memory)
        self.ephemeralStorage = max(self.ephemeralStorage, other.ephemeralStorage)
        self.pods = max(self.pods, other.pods)
        for scalar in other.scalars {
            self[scalar.name] = max(self[scalar.name], scalar.amount)
        }
    }

    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}

/// The names of resources that the scheduler knows.
package enum ResourceName {
    package static let cpu = "cpu"
    package static let memory = "memory"
    package static let ephemeralStorage = "ephemeral-storage"
    package static let pods = "pods"

    /// Whether a resource is counted by the piece.
    ///
    /// Source: upstream `pkg/apis/core/v1/helper/helpers.go`, IsScalarResourceName.
    package static func isScalar(_ name: String) -> Bool {
        self.isExtended(name) || name.hasPrefix("hugepages-")
            || name.hasPrefix("attachable-volumes-") || self.isNative(name) && name.contains("/")
    }

    /// Whether a resource belongs to Kubernetes itself.
    package static func isNative(_ name: String) -> Bool {
        !name.contains("/") || name.contains("kubernetes.io/")
    }

    /// Whether a resource is of somebody else's domain.
    package static func isExtended(_ name: String) -> Bool {
        !self.isNative(name) && !name.hasPrefix("requests.")
    }
}
