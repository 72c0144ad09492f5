// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Metrics
import NodeHost
import PodLifecycle

/// `/metrics/resource`: what metrics-server and its like read.
///
/// Source: upstream `pkg/kubelet/metrics/collectors/resource_metrics.go`.
struct ResourceMetrics: Sendable {
    let stats: StatsProvider

    func text() async -> String {
        var text = Exposition()
        let containers = await self.stats.containers()
        let names = ["container", "namespace", "pod"]
        let rows = containers.map { container in
            (
                labels: Exposition.labels(
                    names,
                    [container.name, container.pod.metadata.namespace, container.pod.metadata.name]
                ),
                container: container
            )
        }
        text.header(
            "container_cpu_usage_seconds_total",
            .counter,
            help: "[STABLE] Cumulative cpu time consumed by the container in core-seconds"
        )
        for row in rows {
            let seconds = Double(row.container.use.cpuNanoseconds) / 1_000_000_000
            text.sample("container_cpu_usage_seconds_total", labels: row.labels, seconds)
        }
        text.header(
            "container_memory_working_set_bytes",
            .gauge,
            help: "[STABLE] Current working set of the container in bytes"
        )
        for row in rows {
            let bytes = Double(row.container.use.workingSetBytes)
            text.sample("container_memory_working_set_bytes", labels: row.labels, bytes)
        }
        text.header(
            "container_start_time_seconds",
            .gauge,
            help: "[STABLE] Start time of the container since unix epoch in seconds"
        )
        for row in rows {
            let start = Double(row.container.startedAt) / 1_000_000_000
            text.sample("container_start_time_seconds", labels: row.labels, start)
        }
        let node = await self.stats.nodeUse()
        text.header(
            "node_cpu_usage_seconds_total",
            .counter,
            help: "[STABLE] Cumulative cpu time consumed by the node in core-seconds"
        )
        let seconds = Double(node.use.cpuNanoseconds) / 1_000_000_000
        text.sample("node_cpu_usage_seconds_total", labels: "", seconds)
        text.header(
            "node_memory_working_set_bytes",
            .gauge,
            help: "[STABLE] Current working set of the node in bytes"
        )
        text.sample(
            "node_memory_working_set_bytes",
            labels: "",
            Double(node.use.workingSetBytes)
        )
        var pods: [(String, Double, Double)] = []
        for pod in await self.stats.fleet.pods {
            guard let use = await self.stats.podUse(pod)?.use else { continue }
            let labels = Exposition.labels(
                ["namespace", "pod"],
                [pod.metadata.namespace, pod.metadata.name]
            )
            pods.append(
                (labels, Double(use.cpuNanoseconds) / 1_000_000_000, Double(use.workingSetBytes))
            )
        }
        text.header(
            "pod_cpu_usage_seconds_total",
            .counter,
            help: "[STABLE] Cumulative cpu time consumed by the pod in core-seconds"
        )
        for (labels, cpu, _) in pods {
            text.sample("pod_cpu_usage_seconds_total", labels: labels, cpu)
        }
        text.header(
            "pod_memory_working_set_bytes",
            .gauge,
            help: "[STABLE] Current working set of the pod in bytes"
        )
        for (labels, _, memory) in pods {
            text.sample("pod_memory_working_set_bytes", labels: labels, memory)
        }
        text.header(
            "resource_scrape_error",
            .gauge,
            help: "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise"
        )
        text.sample("resource_scrape_error", labels: "", 0)
        return text.text
    }
}
