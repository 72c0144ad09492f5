// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Metrics

/// What the repair of Services' addresses and ports counts.
///
/// Source: upstream `pkg/registry/core/service/{ipallocator,portallocator}/controller/metrics.go`.
struct RepairMetrics: Sendable {
    typealias Counters = MetricFamily<Counter>

    let addresses: Counters
    let addressFailures: Counter
    let ports: Counters
    let portFailures: Counter

    init(_ registry: MetricRegistry) {
        self.addresses = registry.counter(
            "apiserver_clusterip_repair_ip_errors_total",
            help: "Number of errors detected on clusterips by the repair loop broken down by type "
                + "of error: leak, repair, full, outOfRange, duplicate, unknown, invalid",
            labels: ["type"]
        )
        self.addressFailures = registry.counter(
            "apiserver_clusterip_repair_reconcile_errors_total",
            help: "Number of reconciliation failures on the clusterip repair reconcile loop"
        )
        self.ports = registry.counter(
            "apiserver_nodeport_repair_port_errors_total",
            help: "Number of errors detected on ports by the repair loop broken down by type of "
                + "error: leak, repair, full, outOfRange, duplicate, unknown",
            labels: ["type"]
        )
        self.portFailures = registry.counter(
            "apiserver_nodeport_repair_reconcile_errors_total",
            help: "Number of reconciliation failures on the nodeport repair reconcile loop"
        )
    }
}
