// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Metrics
import NodeHost
import PodLifecycle

/// The kubelet's own numbers.
///
/// Source: upstream `pkg/kubelet/metrics/metrics.go`.
struct KubeletMetrics: Sendable {
    let registry = MetricRegistry()
    private let runningPods: Gauge
    private let runningContainers: MetricFamily<Gauge>
    private let nodeName: MetricFamily<Gauge>

    init(nodeName: String) {
        self.runningPods = self.registry.gauge(
            "kubelet_running_pods",
            help: "[ALPHA] Number of pods that have a running pod sandbox"
        )
        self.runningContainers = self.registry.gauge(
            "kubelet_running_containers",
            help: "[ALPHA] Number of containers currently running",
            labels: ["container_state"]
        )
        self.nodeName = self.registry.gauge(
            "kubelet_node_name",
            help: "[ALPHA] The node's name. The count is always 1.",
            labels: ["node"]
        )
        self.nodeName.with(nodeName).set(1)
    }

    /// Counts what runs now.
    func update(_ fleet: PodFleet, _ services: PodServices) async {
        var counts = ["created": 0, "exited": 0, "running": 0, "unknown": 0]
        var pods = 0
        for runtime in services.observer.pods.values {
            if runtime.sandbox?.isReady ?? false { pods += 1 }
            for record in runtime.containers {
                switch record.state {
                case .created: counts["created", default: 0] += 1
                case .running: counts["running", default: 0] += 1
                case .exited: counts["exited", default: 0] += 1
                case .unknown: counts["unknown", default: 0] += 1
                }
            }
        }
        self.runningPods.set(Double(pods))
        for (state, count) in counts { self.runningContainers.with(state).set(Double(count)) }
    }
}

/// `/metrics/cadvisor`: containers as cAdvisor counts them, as far as dashboards use it.
struct ContainerMetrics: Sendable {
    let stats: StatsProvider

    func text() async -> String {
        var text = Exposition()
        let containers = await self.stats.containers()
        let names = ["container", "image", "namespace", "pod"]
        let rows = containers.map { container in
            (
                Exposition.labels(
                    names,
                    [
                        container.name,
                        container.pod.containerSpec(named: container.name)?.container.image ?? "",
                        container.pod.metadata.namespace, container.pod.metadata.name,
                    ]
                ),
                container.use
            )
        }
        text.header(
            "container_cpu_usage_seconds_total",
            .counter,
            help: "Cumulative cpu time consumed in seconds."
        )
        for (labels, use) in rows {
            let seconds = Double(use.cpuNanoseconds) / 1_000_000_000
            text.sample("container_cpu_usage_seconds_total", labels: labels, seconds)
        }
        let gauges: [(String, String, (Int) -> Double)] = [
            (
                "container_memory_usage_bytes", "Current memory usage in bytes.",
                { Double(rows[$0].1.memoryBytes) }
            ),
            (
                "container_memory_working_set_bytes", "Current working set in bytes.",
                { Double(rows[$0].1.workingSetBytes) }
            ),
            ("container_memory_rss", "Size of RSS in bytes.", { Double(rows[$0].1.rssBytes) }),
            (
                "container_processes", "Number of processes running inside the container.",
                { Double(rows[$0].1.processes) }
            ),
        ]
        for (name, help, value) in gauges {
            text.header(name, .gauge, help: help)
            for index in rows.indices { text.sample(name, labels: rows[index].0, value(index)) }
        }
        text.header(
            "container_oom_events_total",
            .counter,
            help: "Count of out of memory events observed for the container"
        )
        for (labels, use) in rows {
            text.sample("container_oom_events_total", labels: labels, Double(use.oomKills))
        }
        return text.text
    }
}

/// `/metrics/probes`: what each container's probes found last.
struct ProbeMetrics: Sendable {
    let services: PodServices
    let fleet: PodFleet

    func text() async -> String {
        var text = Exposition()
        let results = self.services.probes.results
        text.header(
            "prober_probe_result",
            .gauge,
            help: "[ALPHA] The current status of a liveness, readiness or startup probe for a "
                + "container: 0 success, 1 failure, 2 unknown"
        )
        for pod in await self.fleet.pods {
            let runtime = self.services.observer.known(pod.metadata.uid)
            for record in runtime.running {
                for kind in ProbeManager.Kind.allCases {
                    guard let outcome = results[kind, record.id] else { continue }
                    let value: Double =
                        switch outcome {
                        case .success: 0
                        case .failure: 1
                        case .unknown: 2
                        }
                    let labels = Exposition.labels(
                        ["container", "namespace", "pod", "pod_uid", "probe_type"],
                        [
                            record.name, pod.metadata.namespace, pod.metadata.name,
                            pod.metadata.uid, kind.rawValue,
                        ]
                    )
                    text.sample("prober_probe_result", labels: labels, value)
                }
            }
        }
        return text.text
    }
}
