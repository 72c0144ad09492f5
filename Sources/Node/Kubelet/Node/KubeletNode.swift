// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Informers
import KubernetesAPI
import Logging
import NodeHost
import PodLifecycle
import Protobuf
import Scalars
import Synchronization

/// A node that runs: its parts and how they hang together.
final class KubeletNode: Sendable {
    let settings: KubeletSettings
    let cluster: APICluster?
    let capacity: NodeCapacity
    let runtimeVersion: String
    let logger: Logger
    let services: PodServices
    let fleet: PodFleet
    let health: NodeHealth
    private let staticSource = Wakeup()
    private let reporter: NodeReporter?
    private let certificates: NodeCertificates?
    private let localVolumes: LocalVolumes?
    private let images: ImageCollector
    private let eviction: EvictionManager
    /// UIDs whose status changed and is to be reported.
    let changedStatuses: ChangeQueue
    private let staticUIDs = Mutex<Set<String>>([])

    init(
        settings: KubeletSettings,
        cluster: APICluster?,
        client: RuntimeClient,
        capacity: NodeCapacity,
        runtimeVersion: String,
        thresholds: [EvictionThreshold],
        logger: Logger
    ) {
        self.settings = settings
        self.cluster = cluster
        self.capacity = capacity
        self.runtimeVersion = runtimeVersion
        self.logger = logger
        let addresses = NodeAddresses(fixed: settings.nodeAddresses)
        let host = HostFacts(
            nodeAddresses: addresses,
            memoryBytes: capacity.capacity["memory"]?.value ?? 0,
            podMemoryBytes: capacity.enforced["memory"]?.value ?? 0,
            milliCPU: capacity.allocatable["cpu"]?.milliValue ?? 0,
            storageBytes: capacity.allocatable["ephemeral-storage"]?.value ?? 0,
            nodeName: settings.nodeName
        )
        let events: any EventSink = cluster?.events ?? LogEvents(logger: logger)
        let wakes = FleetWakes()
        let observer = RuntimeObserver(client: client, logger: logger) { wakes.wake($0) }
        let prober = Prober(client: client)
        let health = NodeHealth(client: client, observer: observer)
        self.health = health
        let localVolumes = cluster.map {
            LocalVolumes(settings: settings, cluster: $0, logger: logger)
        }
        self.localVolumes = localVolumes
        let changed = ChangeQueue()
        self.changedStatuses = changed
        let services = PodServices(
            settings: settings,
            client: client,
            observer: observer,
            puller: ImagePuller(
                client: client,
                events: events,
                parallel: settings.serializesImagePulls ? 1 : settings.maximumParallelPulls
            ),
            volumes: VolumeManager(
                settings: settings,
                cluster: cluster,
                tokens: cluster.map { TokenCache(cluster: $0) },
                references: cluster.map {
                    ReferencedObjects(channel: $0.channel) { wakes.refreshVolumes($0) }
                },
                localVolumes: localVolumes,
                context: { host.context }
            ),
            cgroups: settings.cgroupsPerQOS
                ? PodCgroups(
                    cgroups: Cgroups(root: settings.cgroupRoot),
                    enforcesCPULimits: settings.enforcesCPULimits,
                    pidsLimit: settings.podPidsLimit
                ) : nil,
            probes: ProbeManager(prober: prober, events: events) { wakes.wake($0) },
            prober: prober,
            events: events,
            cluster: cluster,
            statuses: StatusBoard { changed.insert($0) },
            host: host,
            crashes: CrashBackoff(),
            health: health,
            logger: logger
        )
        self.services = services
        let admission = NodeAdmission(
            allocatable: capacity.allocatable,
            sysctls: SysctlAllowlist(unsafe: settings.allowedUnsafeSysctls)
        )
        let fleet = PodFleet(services: services) { pod, others in
            admission.refusal(of: pod, beside: others, pressures: health.pressures)
        }
        self.fleet = fleet
        let certificates = cluster.map {
            NodeCertificates(settings, channel: $0.channel, addresses: addresses, logger: logger)
        }
        self.certificates = certificates
        let reporter = cluster.map {
            NodeReporter(
                cluster: $0,
                settings: settings,
                capacity: capacity,
                client: client,
                runtimeVersion: runtimeVersion,
                host: host,
                health: health,
                localVolumes: localVolumes,
                onAddressChange: { certificates?.serving?.wake() },
                logger: logger
            )
        }
        localVolumes?.connect { reporter?.wake() }
        self.reporter = reporter
        let images = ImageCollector(
            client: client,
            settings: settings,
            events: events,
            logger: logger
        )
        self.images = images
        self.eviction = EvictionManager(
            services: services,
            fleet: fleet,
            images: images,
            thresholds: thresholds,
            onPressure: { reporter?.wake() }
        )
        wakes.connect(self.fleet)
    }

    /// Runs until the task is cancelled.
    func run() async throws {
        if let cgroups = self.services.cgroups {
            let limits = self.capacity.enforced
            try await HostThreads.run { () throws(HostError) in
                try cgroups.ensureClasses(limits: limits)
            }
        }
        // Running containers are known before any pod is looked at, so that they are adopted.
        try await self.services.observer.refreshAll()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.services.observer.run() }
            group.addTask { await self.followManifests() }
            group.addTask { await self.cleanUp() }
            group.addTask { await self.serve() }
            group.addTask { await self.rotateLogs() }
            group.addTask { await self.images.run() }
            group.addTask { await self.eviction.run() }
            if let certificates = self.certificates {
                group.addTask { await certificates.run() }
            }
            if let cluster = self.cluster, let reporter = self.reporter {
                group.addTask { await cluster.run() }
                group.addTask { await reporter.run() }
                group.addTask { await PodFollower(cluster: cluster, fleet: self.fleet).run() }
                group.addTask { await self.report(to: cluster) }
                group.addTask { await self.mirror(in: cluster, reporter) }
                if let volumes = self.localVolumes { group.addTask { await volumes.run() } }
            } else {
                group.addTask { await self.watchHealth() }
            }
            await group.waitForAll()
        }
        await self.fleet.stop()
    }

    // MARK: - Static pods

    /// Between looks at the folder where the kernel does not tell of changes.
    private static let manifestInterval: Duration = .seconds(20)

    private func followManifests() async {
        guard let folder = self.settings.staticPodPath, !folder.isEmpty else { return }
        let source = StaticPods(
            folder: folder,
            nodeName: self.settings.nodeName,
            logger: self.logger
        )
        let wakeup = Wakeup()
        let watch = await FolderWatch.start(folder) { wakeup.wake() }
        while !Task.isCancelled {
            let pods = await HostThreads.run { source.read() }
            let uids = Set(pods.map(\.metadata.uid))
            let gone = self.staticUIDs.withLock { known in
                defer { known = uids }
                return known.subtracting(uids)
            }
            for uid in gone { await self.fleet.remove(uid) }
            for pod in pods where await self.fleet.pod(pod.metadata.uid) == nil {
                await self.fleet.apply(pod)
            }
            self.staticSource.wake()
            await wakeup.wait(for: Self.manifestInterval)
        }
        watch?.stop()
    }

    /// Static pods that are wanted.
    var wantedStaticPods: Set<String> { self.staticUIDs.withLock { $0 } }

    private func cleanUp() async {
        // Whoever wants pods must have been heard before others are ended.
        if let cluster = self.cluster {
            await cluster.pods.waitForSync()
        }
        try? await Task.sleep(for: .seconds(2))
        while !Task.isCancelled {
            var wanted = self.wantedStaticPods
            for pod in self.cluster?.pods.list() ?? [] { wanted.insert(pod.metadata.uid) }
            await self.fleet.removeOrphans(wanted: wanted)
            await self.fleet.removeRemains(wanted: wanted)
            try? await Task.sleep(for: .seconds(60))
        }
    }

    private func rotateLogs() async {
        await LogRotator(
            client: self.services.client,
            observer: self.services.observer,
            settings: self.settings,
            logger: self.logger
        ).run()
    }

    /// Serves the node's ports; a port that cannot be had is tried again.
    private func serve() async {
        let server = NodeServer(
            services: self.services,
            fleet: self.fleet,
            access: NodeAccess(settings: self.settings, channel: self.cluster?.channel),
            certificate: self.certificates?.serving,
            logger: self.logger
        )
        while !Task.isCancelled {
            do {
                try await server.run()
            } catch {
                self.logger.error("the ports cannot be served", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .seconds(2))
            }
        }
    }

    // MARK: - The API server

    private func report(to cluster: APICluster) async {
        await StatusReporter(
            cluster: cluster,
            statuses: self.services.statuses,
            changes: self.changedStatuses,
            logger: self.logger
        ).run()
    }

    private func mirror(in cluster: APICluster, _ reporter: NodeReporter) async {
        await cluster.pods.waitForSync()
        let mirrors = MirrorPods(cluster: cluster, logger: self.logger)
        cluster.pods.addHandler { [staticSource] event in
            // A mirror that changed or is gone is put right again.
            if event.object.isMirror { staticSource.wake() }
        }
        while !Task.isCancelled {
            let pods = await self.fleet.pods.filter { $0.isStatic }
            let wanted = self.wantedStaticPods
            let current = pods.filter { wanted.contains($0.metadata.uid) }
            let isDone = await mirrors.reconcile(current, node: reporter.registered)
            for pod in current { self.changedStatuses.insert(pod.metadata.uid) }
            await self.staticSource.wait(for: isDone ? nil : .seconds(1))
        }
    }

    private func watchHealth() async {
        while !Task.isCancelled {
            await self.health.check()
            try? await Task.sleep(for: self.health.isReady ? .seconds(10) : .milliseconds(500))
        }
    }
}

/// Passes wake-ups to the fleet, which is made after those who wake.
final class FleetWakes: Sendable {
    private let fleet = Mutex<PodFleet?>(nil)

    func connect(_ fleet: PodFleet) {
        self.fleet.withLock { $0 = fleet }
    }

    func wake(_ uid: String) {
        guard let fleet = self.fleet.withLock({ $0 }) else { return }
        // Owned by nobody: a hop to the fleet's executor that does not wait.
        Task { await fleet.wake(uid) }
    }

    /// What volumes of a pod are made from has changed.
    func refreshVolumes(_ uid: String) {
        guard let fleet = self.fleet.withLock({ $0 }) else { return }
        Task { await fleet.refreshVolumes(uid) }
    }
}

/// A set of keys that one task takes from.
final class ChangeQueue: Sendable {
    private let keys = Mutex<Set<String>>([])
    private let wakeup = Wakeup()

    func insert(_ key: String) {
        self.keys.withLock { _ = $0.insert(key) }
        self.wakeup.wake()
    }

    /// All keys; waits while there are none.
    func take() async -> Set<String> {
        while !Task.isCancelled {
            let taken = self.keys.withLock { keys in
                defer { keys = [] }
                return keys
            }
            if !taken.isEmpty { return taken }
            await self.wakeup.wait()
        }
        return []
    }
}
