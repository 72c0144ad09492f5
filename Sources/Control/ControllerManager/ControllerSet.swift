// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Clocks
import ClusterControllers
import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
package import RPCInterface
import ResourceClient
import ServiceControllers
import WorkloadControllers

/// The controllers of one manager, which share informers.
package struct ControllerSet: Sendable {
    private let configuration: ControllerManager.Configuration
    private let clock: any ComponentClock
    private let metrics: ManagerMetrics
    private let informers: InformerFactory
    private let watching: any RPCChannel
    private let writing: any RPCChannel
    private let bare: any RPCChannel

    /// - Parameters:
    ///   - watching: for watches, which have a connection of their own.
    ///   - writing: with the manager's credentials.
    ///   - bare: without any, for the tokens of ServiceAccounts.
    package init(
        _ configuration: ControllerManager.Configuration,
        clock: any ComponentClock,
        metrics: ManagerMetrics,
        watching: any RPCChannel,
        writing: any RPCChannel,
        bare: any RPCChannel
    ) {
        self.configuration = configuration
        self.clock = clock
        self.metrics = metrics
        self.watching = watching
        self.writing = writing
        self.bare = bare
        let log = configuration.log
        self.informers = InformerFactory(watching, clock: clock) { resource, error in
            log("cannot watch \(resource): \(error.message)")
        }
    }

    /// Runs all controllers until the task is cancelled.
    package func run() async {
        let monitor = ResourceMonitor(self.context("metadata-informers", self.watching))
        let controllers = self.controllers(monitor)
        for controller in controllers { self.metrics.note(running: type(of: controller).name) }
        defer {
            for controller in controllers { self.metrics.note(ended: type(of: controller).name) }
        }
        await withDiscardingTaskGroup { group in
            for controller in controllers { group.addTask { await controller.run() } }
            group.addTask { await monitor.run() }
            group.addTask { await self.informers.run() }
        }
    }

    private func controllers(_ monitor: ResourceMonitor) -> [any Controller] {
        let selection = ControllerSelection(self.configuration.controllers)
        var controllers: [any Controller] = []
        func add<C: Controller>(
            _ type: C.Type,
            _ account: String,
            _ make: (ControllerContext) -> C = { C($0) }
        ) {
            guard selection.includes(C.name) else { return }
            controllers.append(make(self.context(account)))
        }
        add(ReplicaSetController.self, "replicaset-controller")
        add(ReplicationControllerController.self, "replication-controller")
        add(DeploymentController.self, "deployment-controller")
        add(EndpointSliceController.self, "endpointslice-controller")
        add(EndpointSliceMirroringController.self, "endpointslicemirroring-controller")
        add(EndpointsController.self, "endpoint-controller")
        add(ServiceAccountController.self, "service-account-controller")
        if let key = self.configuration.settings.tokenKey,
            selection.includes(TokenController.name)
        {
            // With the manager's own credentials, as upstream: it is what makes those of accounts.
            controllers.append(
                TokenController(
                    self.context("tokens-controller", self.writing),
                    key: key,
                    authority: self.configuration.rootCA ?? ""
                )
            )
        }
        if let authority = self.configuration.rootCA {
            add(RootCAPublisher.self, "root-ca-cert-publisher") {
                RootCAPublisher($0, authority: authority)
            }
        }
        add(NamespaceController.self, "namespace-controller") {
            NamespaceController($0, monitor: monitor)
        }
        add(GarbageCollector.self, "generic-garbage-collector") {
            GarbageCollector($0, monitor: monitor)
        }
        add(JobController.self, "job-controller")
        add(CronJobController.self, "cronjob-controller")
        add(DaemonSetController.self, "daemon-set-controller")
        add(StatefulSetController.self, "statefulset-controller")
        add(DisruptionController.self, "disruption-controller")
        add(TTLAfterFinishedController.self, "ttl-after-finished-controller")
        let settings = self.configuration.settings
        add(NodeLifecycleController.self, "node-controller") {
            NodeLifecycleController(
                $0,
                grace: settings.nodeGracePeriod,
                startupGrace: settings.nodeStartupGracePeriod
            )
        }
        add(TaintEvictionController.self, "node-controller")
        add(PodGarbageCollector.self, "pod-garbage-collector") {
            PodGarbageCollector($0, threshold: settings.terminatedPodThreshold)
        }
        if settings.allocatesNodeCIDRs {
            let ranges = settings.clusterCIDRs.compactMap { text in
                AddressRange(
                    text,
                    partPrefix: text.contains(":") ? settings.nodeMaskIPv6 : settings.nodeMaskIPv4
                )
            }
            add(NodeIPAMController.self, "node-controller") {
                NodeIPAMController($0, ranges: ranges, reserved: settings.serviceCIDRs)
            }
        }
        add(ResourceQuotaController.self, "resourcequota-controller") {
            ResourceQuotaController($0, monitor: monitor)
        }
        add(ClusterRoleAggregationController.self, "clusterrole-aggregation-controller")
        add(ClaimProtectionController.self, "pvc-protection-controller")
        add(VolumeProtectionController.self, "pv-protection-controller")
        add(EphemeralVolumeController.self, "ephemeral-volume-controller")
        add(VolumeBinder.self, "persistent-volume-binder")
        add(LocalVolumeProvisioner.self, "persistent-volume-binder")
        add(NodeTTLController.self, "ttl-controller")
        add(BootstrapSigner.self, "bootstrap-signer")
        add(TokenCleaner.self, "token-cleaner")
        add(CertificateApprover.self, "certificate-controller")
        add(ServingCertificateApprover.self, "kubelet-serving-approver") {
            ServingCertificateApprover($0, reserved: settings.serviceCIDRs)
        }
        add(CertificateCleaner.self, "certificate-controller")
        add(CertificateSigner.self, "certificate-controller") {
            CertificateSigner(
                $0,
                authority: settings.authority,
                duration: settings.signingDuration
            )
        }
        return controllers
    }

    /// What a controller is given: with credentials of its own where that is asked for.
    private func context(
        _ account: String,
        _ channel: (any RPCChannel)? = nil
    ) -> ControllerContext {
        var own = channel ?? self.writing
        if channel == nil, self.configuration.usesServiceAccounts {
            own = ServiceAccountChannel(
                account: account,
                channel: self.bare,
                issuer: self.writing,
                clock: self.clock
            )
        }
        return ControllerContext(
            component: account,
            informers: self.informers,
            channel: own,
            clock: self.clock,
            log: self.configuration.log,
            metrics: self.metrics.queues,
            counts: self.metrics.controllers,
            options: self.configuration.settings.options
        )
    }
}
