// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Metrics
import Protobuf
import Synchronization

/// How many pods of StatefulSets are not available, and how many may be; counted when somebody asks.
///
/// Source: upstream `pkg/controller/statefulset/metrics/metrics.go`.
package final class StatefulSetMetrics: Sendable {
    private static let labels = [
        "statefulset_namespace", "statefulset_name", "pod_management_policy",
    ]

    private let reader = Mutex<(@Sendable () -> [AppsV1.StatefulSet])?>(nil)

    init(_ registry: MetricRegistry) {
        self.register(
            registry,
            "statefulset_controller_statefulset_max_unavailable",
            "Maximum number of unavailable pods allowed during StatefulSet rolling updates",
            Self.maximumUnavailable
        )
        self.register(
            registry,
            "statefulset_controller_statefulset_unavailable_replicas",
            "Current number of unavailable pods in StatefulSet"
        ) {
            max(Int($0.spec.replicas ?? 1) - Int($0.status.availableReplicas), 0)
        }
    }

    /// How many pods of a set an update may make unavailable.
    package static func maximumUnavailable(_ set: AppsV1.StatefulSet) -> Int {
        let limit = set.spec.updateStrategy.rollingUpdate?.maxUnavailable
        return max(limit?.scaled(of: Int(set.spec.replicas ?? 1), roundingUp: true) ?? 1, 1)
    }

    private func register(
        _ registry: MetricRegistry,
        _ name: String,
        _ help: String,
        _ value: @escaping @Sendable (AppsV1.StatefulSet) -> Int
    ) {
        registry.callback(name, .gauge, help: help, labels: Self.labels) { [weak self] in
            let read = self?.reader.withLock { $0 }
            return (read?() ?? []).map { set in
                Sample(
                    labels: [
                        set.metadata.namespace, set.metadata.name,
                        set.spec.podManagementPolicy.isEmpty
                            ? "OrderedReady" : set.spec.podManagementPolicy,
                    ],
                    Double(value(set))
                )
            }
        }
    }

    /// Says who knows the sets.
    package func read(by reader: @escaping @Sendable () -> [AppsV1.StatefulSet]) {
        self.reader.withLock { $0 = reader }
    }
}
