// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import Metrics
import ProcessMetrics
import WorkQueues

/// The metrics of the manager, by upstream's names.
///
/// Source: upstream controller-manager `pkg/leadermigration`, `controller/metrics`; client-go
/// `tools/leaderelection/metrics.go`.
package final class ManagerMetrics: Sendable {
    private static let manager = "kube-controller-manager"

    let queues: WorkQueueMetrics
    let controllers: ControllerMetrics
    let isLeader: MetricFamily<Gauge>
    private let running: MetricFamily<Gauge>

    package init(_ registry: MetricRegistry) {
        self.queues = WorkQueueMetrics(registry)
        self.controllers = ControllerMetrics(registry)
        self.isLeader = registry.gauge(
            "leader_election_master_status",
            help: "Gauge of if the reporting system is master of the relevant lease, 0 indicates"
                + " backup, 1 indicates master. 'name' is the string used to identify the lease."
                + " Please make sure to group by name.",
            labels: ["name"]
        )
        self.running = registry.gauge(
            "running_managed_controllers",
            help: "Indicates where instances of a controller are currently running",
            labels: ["manager", "name"]
        )
        ProcessMetrics.register(in: registry)
    }

    func note(running controller: String) {
        self.running.with(Self.manager, controller).set(1)
    }

    func note(ended controller: String) {
        self.running.with(Self.manager, controller).set(0)
    }
}
