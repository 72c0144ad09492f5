// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerHarness
import ControllerKit
import ControllerManager
import JSON
import Kubeconfig
import KubernetesAPI
import MemoryCluster
import Metrics
import Protobuf
import RPC
import ResourceClient
import Scalars
import Testing
import WorkQueues
import WorkloadControllers

@Suite("ControllerManager")
struct ControllerManagerTests {
    private static func configuration(
        _ controllers: [String] = ["*"]
    ) -> ControllerManager.Configuration {
        var configuration = ControllerManager.Configuration(
            connection: ClusterConnection(
                cluster: Kubeconfig.Cluster(server: "https://127.0.0.1:1"),
                user: Kubeconfig.User()
            ),
            identity: "test"
        )
        configuration.controllers = controllers
        configuration.rootCA = "CA"
        configuration.settings.allocatesNodeCIDRs = true
        configuration.settings.clusterCIDRs = ["10.244.0.0/16"]
        // No kubelets are there, and time goes on while tests wait.
        configuration.settings.nodeGracePeriod = .seconds(36_000)
        return configuration
    }

    /// All controllers of the manager at work, until `body` is done.
    private static func run(
        _ harness: ControllerHarness,
        _ configuration: ControllerManager.Configuration,
        _ body: () async throws -> Void
    ) async throws {
        let set = ControllerSet(
            configuration,
            clock: harness.clock,
            metrics: ManagerMetrics(configuration.metrics),
            watching: harness.channel,
            writing: harness.channel,
            bare: harness.channel
        )
        let running = Task { await set.run() }
        do {
            try await body()
        } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }

    private static func deployment(_ number: Int) -> AppsV1.Deployment {
        AppsV1.Deployment.with {
            $0.metadata.name = "web-\(number)"
            $0.metadata.namespace = "default"
            $0.spec.replicas = 3
            $0.spec.selector = MetaV1.LabelSelector.with { $0.matchLabels["app"] = "web-\(number)" }
            $0.spec.template.metadata.labels["app"] = "web-\(number)"
            $0.spec.template.spec.containers.append(
                CoreV1.Container.with {
                    $0.name = "main"
                    $0.image = "web:1"
                }
            )
            $0.spec.strategy.type = "RollingUpdate"
            $0.spec.progressDeadlineSeconds = 600
        }
    }

    private static func setUp(_ harness: ControllerHarness) async throws {
        _ = try await harness.client(CoreV1.Namespace.self).create(
            CoreV1.Namespace.with { $0.metadata.name = "default" }
        )
        for number in 0..<10 {
            _ = try await harness.client(CoreV1.Node.self).create(
                CoreV1.Node.with {
                    $0.metadata.name = "node-\(number)"
                    $0.status.conditions.append(
                        CoreV1.NodeCondition.with {
                            $0.type = "Ready"
                            $0.status = "True"
                        }
                    )
                }
            )
        }
    }

    private static func isComplete(_ harness: ControllerHarness, _ count: Int) async throws -> Bool
    {
        try await harness.runPods()
        let deployments = try await harness.client(AppsV1.Deployment.self).list().items
        return deployments.count == count
            && deployments.allSatisfy { DeploymentProgress.isComplete($0, $0.status) }
    }

    @Test("killed and started again at random, leaks and doubles no pod")
    func restarts() async throws {
        let cluster = MemoryCluster()
        let clock = SimulatedClock(now: Timestamp(seconds: 1_800_000_000))
        try await Self.setUp(ControllerHarness(cluster: cluster, clock: clock))
        var random = RandomNumbers(seed: 7)
        for number in 0..<8 {
            let harness = ControllerHarness(cluster: cluster, clock: clock)
            let steps = Int.random(in: 1..<60, using: &random)
            try await Self.run(harness, Self.configuration()) {
                let deployments = harness.client(AppsV1.Deployment.self)
                _ = try await deployments.create(Self.deployment(number))
                if number > 0 {
                    try await harness.change(AppsV1.Deployment.self, "web-\(number - 1)") {
                        $0.spec.template.spec.containers[0].image = "web:2"
                    }
                }
                // As far as it comes until so many writes are done.
                let writes = cluster.writeCount + steps
                _ = try await harness.poll {
                    let isComplete = try await Self.isComplete(harness, number + 1)
                    return isComplete || cluster.writeCount >= writes
                }
            }
        }
        let harness = ControllerHarness(cluster: cluster, clock: clock)
        try await Self.run(harness, Self.configuration()) {
            #expect(try await harness.poll { try await Self.isComplete(harness, 8) })
            let pods = try await harness.client(CoreV1.Pod.self).list().items
            #expect(pods.count == 24)
            let apps = Dictionary(grouping: pods) { $0.metadata.labels["app"] ?? "" }
            #expect(apps.values.allSatisfy { $0.count == 3 })
            #expect(pods.allSatisfy { $0.metadata.controller != nil })
        }
    }

    @Test("in an idle cluster nobody asks, writes or wakes up")
    func idle() async throws {
        let harness = ControllerHarness()
        try await Self.setUp(harness)
        try await Self.run(harness, Self.configuration()) {
            _ = try await harness.client(AppsV1.Deployment.self).create(Self.deployment(0))
            #expect(try await harness.poll { try await Self.isComplete(harness, 1) })
            // Until the last echo is gone.
            let isStill = try await harness.poll {
                let before = harness.cluster.requests
                let fired = harness.clock.firedCount
                for _ in 0..<10 {
                    harness.advance(by: .milliseconds(100))
                    try await Task.sleep(for: .milliseconds(50))
                }
                return harness.cluster.requests == before && harness.clock.firedCount == fired
            }
            #expect(isStill)
            // The rollout's deadline, which was due to be looked at.
            harness.advance(by: .seconds(700))
            try await Task.sleep(for: .milliseconds(50))
            let writes = harness.cluster.writeCount
            let requests = harness.cluster.requests
            let wakeUps = harness.clock.firedCount
            // An hour is less than the deadlines that are a cause to wake up.
            for _ in 0..<60 {
                harness.advance(by: .seconds(60))
                await Task.yield()
            }
            #expect(harness.cluster.writeCount == writes)
            #expect(harness.cluster.requests == requests)
            #expect(harness.clock.firedCount == wakeUps)
        }
    }

    @Test("metrics by upstream's names")
    func metrics() async throws {
        let harness = ControllerHarness()
        try await Self.setUp(harness)
        let configuration = Self.configuration(["deployment", "replicaset"])
        try await Self.run(harness, configuration) {
            _ = try await harness.client(AppsV1.Deployment.self).create(Self.deployment(0))
            #expect(try await harness.poll { try await Self.isComplete(harness, 1) })
            let text = configuration.metrics.text()
            for line in [
                "workqueue_depth{name=\"deployment\"} 0",
                "workqueue_unfinished_work_seconds{name=\"replicaset\"} 0",
                "workqueue_longest_running_processor_seconds{name=\"replicaset\"} 0",
                "running_managed_controllers{manager=\"kube-controller-manager\","
                    + "name=\"deployment-controller\"} 1",
            ] {
                #expect(text.contains(line), "\(line)")
            }
            for name in [
                "workqueue_adds_total{name=\"deployment\"} ",
                "workqueue_queue_duration_seconds_count{name=\"deployment\"} ",
                "workqueue_work_duration_seconds_count{name=\"replicaset\"} ",
            ] {
                let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
                let value = line.flatMap { Double($0.dropFirst(name.count)) }
                #expect((value ?? 0) >= 1, "\(name)")
            }
            #expect(!text.contains("name=\"job\""))
            // Families of single controllers are there, though nothing was counted.
            for family in [
                "node_collector_zone_size", "job_controller_jobs_finished_total",
                "endpoint_slice_controller_changes", "pod_gc_collector_force_delete_pods_total",
                "taint_eviction_controller_pod_deletions_total",
                "root_ca_cert_publisher_sync_total", "pv_collector_total_pv_count",
                "node_ipam_controller_cidrset_usage_cidrs",
                "replicaset_controller_sorting_deletion_age_ratio",
                "endpoint_slice_mirroring_controller_desired_endpoint_slices",
                "job_controller_pod_failures_handled_by_failure_policy_total",
                "job_controller_terminated_pods_tracking_finalizer_total",
                "job_controller_jobs_by_external_controller_total",
                "garbagecollector_controller_resources_sync_error_total",
                "node_collector_update_node_health_duration_seconds",
                "node_collector_update_all_nodes_health_duration_seconds",
                "statefulset_controller_statefulset_max_unavailable",
            ] {
                #expect(text.contains("# TYPE \(family) "), "\(family)")
            }
        }
        #expect(
            configuration.metrics.text().contains("name=\"deployment-controller\"} 0")
        )
    }

    @Test("controllers count what they do")
    func counts() async throws {
        let harness = ControllerHarness()
        try await Self.setUp(harness)
        let configuration = Self.configuration(["job", "nodelifecycle", "root-ca-cert-publisher"])
        try await Self.run(harness, configuration) {
            _ = try await harness.client(BatchV1.Job.self).create(
                BatchV1.Job.with {
                    $0.metadata.name = "once"
                    $0.metadata.namespace = "default"
                    $0.spec.parallelism = 1
                    $0.spec.completions = 1
                    $0.spec.backoffLimit = 6
                    $0.spec.selector = MetaV1.LabelSelector.with { $0.matchLabels["job"] = "once" }
                    $0.spec.template.metadata.labels["job"] = "once"
                    $0.spec.template.spec.restartPolicy = "Never"
                    $0.spec.template.spec.containers.append(
                        CoreV1.Container.with { $0.name = "main" }
                    )
                }
            )
            let jobs = harness.client(BatchV1.Job.self)
            let isComplete = try await harness.poll {
                for pod in try await harness.client(CoreV1.Pod.self).list().items {
                    if pod.status.phase != "Succeeded" {
                        try await harness.end(pod, phase: "Succeeded")
                    }
                }
                return try await jobs.get("once", in: "default").status.succeeded == 1
            }
            #expect(isComplete)
            let lines = [
                "job_controller_jobs_finished_total{completion_mode=\"NonIndexed\","
                    + "result=\"succeeded\",reason=\"CompletionsReached\"} 1",
                "job_controller_job_pods_finished_total{completion_mode=\"NonIndexed\","
                    + "result=\"succeeded\"} 1",
                "job_controller_job_pods_creation_total{reason=\"new\",status=\"succeeded\"} 1",
                "node_collector_zone_size{zone=\"\"} 10",
                "node_collector_zone_health{zone=\"\"} 100",
                "node_collector_unhealthy_nodes_in_zone{zone=\"\"} 0",
                "node_collector_update_all_nodes_health_duration_seconds_bucket{le=\"+Inf\"} ",
                "root_ca_cert_publisher_sync_total{code=\"200\"} ",
            ]
            // The Job's last write is counted after it can be seen.
            let isCounted = await harness.poll {
                let text = configuration.metrics.text()
                return lines.allSatisfy { text.contains($0) }
            }
            #expect(isCounted, "\(configuration.metrics.text())")
        }
    }

    @Test("volumes, ranges of nodes and slices are counted")
    func stock() async throws {
        let harness = ControllerHarness()
        try await Self.setUp(harness)
        let configuration = Self.configuration([
            "persistentvolume-binder", "nodeipam", "endpointslice", "statefulset",
        ])
        try await Self.run(harness, configuration) {
            _ = try await harness.client(AppsV1.StatefulSet.self).create(
                AppsV1.StatefulSet.with {
                    $0.metadata.name = "db"
                    $0.metadata.namespace = "default"
                    $0.spec.replicas = 5
                    $0.spec.podManagementPolicy = "Parallel"
                    $0.spec.updateStrategy.type = "RollingUpdate"
                    $0.spec.updateStrategy.rollingUpdate = .with {
                        $0.maxUnavailable = IntStr.IntOrString(.string("50%"))
                    }
                }
            )
            _ = try await harness.client(CoreV1.PersistentVolume.self).create(
                CoreV1.PersistentVolume.with {
                    $0.metadata.name = "disk"
                    $0.spec.storageClassName = "fast"
                    $0.spec.volumeMode = "Block"
                    $0.spec.persistentVolumeSource.csi = CoreV1.CSIPersistentVolumeSource.with {
                        $0.driver = "disk.example.com"
                    }
                }
            )
            _ = try await harness.client(CoreV1.PersistentVolumeClaim.self).create(
                CoreV1.PersistentVolumeClaim.with {
                    $0.metadata.name = "data"
                    $0.metadata.namespace = "default"
                    $0.spec.storageClassName = "slow"
                }
            )
            _ = try await harness.client(CoreV1.Service.self).create(
                CoreV1.Service.with {
                    $0.metadata.name = "web"
                    $0.metadata.namespace = "default"
                    $0.spec.selector = ["app": "web"]
                    $0.spec.clusterIP = "10.96.0.5"
                    $0.spec.ipFamilies = ["IPv4"]
                    $0.spec.trafficDistribution = "PreferClose"
                }
            )
            let range = "{clusterCIDR=\"10.244.0.0/16\"}"
            let lines = [
                "pv_collector_total_pv_count{plugin_name=\"kubernetes.io/csi:disk.example.com\","
                    + "volume_mode=\"Block\"} 1",
                "pv_collector_unbound_pv_count{storage_class=\"fast\"} 1",
                "statefulset_controller_statefulset_max_unavailable{statefulset_namespace=\"default\","
                    + "statefulset_name=\"db\",pod_management_policy=\"Parallel\"} 3",
                "statefulset_controller_statefulset_unavailable_replicas{statefulset_namespace="
                    + "\"default\",statefulset_name=\"db\",pod_management_policy=\"Parallel\"} 5",
                "pv_collector_unbound_pvc_count{namespace=\"default\",storage_class=\"slow\","
                    + "volume_attributes_class=\"\"} 1",
                "node_ipam_controller_cirdset_max_cidrs\(range) 256",
                "node_ipam_controller_cidrset_cidrs_allocations_total\(range) 10",
                "node_ipam_controller_cidrset_usage_cidrs\(range) 0.0390625",
                "endpoint_slice_controller_num_endpoint_slices 1",
                "endpoint_slice_controller_services_count_by_traffic_distribution"
                    + "{traffic_distribution=\"PreferClose\"} 1",
            ]
            let isCounted = await harness.poll {
                let text = configuration.metrics.text()
                return lines.allSatisfy { text.contains($0) }
            }
            #expect(isCounted, "\(configuration.metrics.text())")
        }
    }

    @Test("/configz shows the configuration by upstream's names")
    func configz() {
        let document = Self.configuration(["*", "-job"]).document
        let root = document["kubecontrollermanager.config.k8s.io"]
        let election = root?["Generic"]?["LeaderElection"]
        #expect(election?["LeaderElect"]?.bool == true)
        #expect(election?["LeaseDuration"]?.string == "15s")
        #expect(election?["ResourceName"]?.string == "kube-controller-manager")
        #expect(root?["Generic"]?["Controllers"]?.items.compactMap(\.string) == ["*", "-job"])
        #expect(root?["KubeCloudShared"]?["ClusterCIDR"]?.string == "10.244.0.0/16")
        #expect(root?["CSRSigningController"]?["ClusterSigningDuration"]?.string == "8760h0m0s")
    }
}
