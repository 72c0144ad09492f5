// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
package import Scalars

/// What a pod asks for and may use, over all its containers.
///
/// Source: upstream `k8s.io/component-helpers/resource`.
package struct PodResources: Sendable {
    package var requests: [String: Scalars.Quantity]
    package var limits: [String: Scalars.Quantity]
    /// Whether every container limits this resource: only then the pod has a limit.
    package var limited: Set<String>

    /// The sums of `pod`: of all regular containers and sidecars, or of the init step that needs
    /// most, with overhead.
    package init(of pod: CoreV1.Pod) {
        self.requests = Self.total(pod) { $0.requests }
        self.limits = Self.total(pod) { $0.limits }
        let own = pod.spec.resources
        self.limited = []
        for name in ["cpu", "memory"] {
            let all = (Array(pod.spec.initContainers) + Array(pod.spec.containers)).allSatisfy {
                $0.resources.limits[name] != nil
            }
            if all || own?.limits[name] != nil { self.limited.insert(name) }
        }
        for (name, value) in own?.requests ?? [:] {
            self.requests[name] = (try? value.parsed()) ?? .zero
        }
        for (name, value) in own?.limits ?? [:] {
            self.limits[name] = (try? value.parsed()) ?? .zero
        }
        for (name, value) in pod.spec.overhead {
            let amount = (try? value.parsed()) ?? .zero
            self.requests[name, default: .zero].add(amount)
            if self.limits[name] != nil { self.limits[name, default: .zero].add(amount) }
        }
    }

    private static func total(
        _ pod: CoreV1.Pod,
        _ list: (CoreV1.ResourceRequirements) -> MapField<String, Resource.Quantity>
    ) -> [String: Scalars.Quantity] {
        var sum: [String: Scalars.Quantity] = [:]
        for container in pod.spec.containers { sum.add(list(container.resources)) }
        var sidecars: [String: Scalars.Quantity] = [:]
        var most: [String: Scalars.Quantity] = [:]
        for spec in pod.initSpecs {
            var here = sidecars
            here.add(list(spec.container.resources))
            if spec.kind == .sidecar { sidecars = here }
            most.raise(to: here)
        }
        for (name, amount) in sidecars { sum[name, default: .zero].add(amount) }
        sum.raise(to: most)
        return sum
    }

    package var cpuRequestMilli: Int64 { self.requests["cpu"]?.milliValue ?? 0 }
    package var memoryRequest: Int64 { self.requests["memory"]?.value ?? 0 }
}

extension [String: Scalars.Quantity] {
    fileprivate mutating func add(_ other: MapField<String, Resource.Quantity>) {
        for (name, value) in other {
            self[name, default: .zero].add((try? value.parsed()) ?? .zero)
        }
    }

    fileprivate mutating func raise(to other: [String: Scalars.Quantity]) {
        for (name, amount) in other where self[name].map({ $0 < amount }) ?? true {
            self[name] = amount
        }
    }
}

/// Shares, quotas and scores from amounts.
///
/// Source: upstream `pkg/kubelet/cm/helpers_linux.go`, `pkg/kubelet/qos/policy.go`.
package enum ResourceMath {
    package static let minimumShares: Int64 = 2
    package static let maximumShares: Int64 = 262_144
    package static let quotaPeriod: Int64 = 100_000
    package static let minimumQuota: Int64 = 1_000

    /// `cpu.shares` of so many thousandths of a processor.
    package static func shares(milli: Int64) -> Int64 {
        milli == 0
            ? Self.minimumShares
            : min(max(milli * 1024 / 1000, Self.minimumShares), Self.maximumShares)
    }

    /// Microseconds of processor time in each period; 0 without a limit.
    package static func quota(milli: Int64, period: Int64 = Self.quotaPeriod) -> Int64 {
        milli == 0 ? 0 : max(milli * period / 1000, Self.minimumQuota)
    }

    /// `oom_score_adj` of a container.
    package static func oomScore(
        of container: CoreV1.Container,
        in pod: CoreV1.Pod,
        nodeMemory: Int64
    ) -> Int64 {
        if pod.isStatic || (pod.spec.priority ?? 0) >= 2_000_000_000 { return -997 }
        switch QOSClass(of: pod) {
        case .guaranteed: return -997
        case .bestEffort: return 1000
        case .burstable: break
        }
        let request = (try? container.resources.requests["memory"]?.parsed())?.value ?? 0
        let score = nodeMemory > 0 ? 1000 - 1000 * request / nodeMemory : 999
        if score < 3 { return 3 }
        return score == 1000 ? 999 : score
    }

    /// Weight of cgroup v2 for a number of shares.
    package static func weight(shares: Int64) -> Int64 {
        1 + (max(shares, 2) - 2) * 9999 / 262_142
    }
}
