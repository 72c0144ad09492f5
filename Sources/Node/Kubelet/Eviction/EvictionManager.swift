// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Logging
import NodeHost
import PodLifecycle
import Protobuf

/// Keeps the node from running out of memory, disk and processes: tells of it by conditions, takes
/// back what nobody uses, and ends pods, one at a time, in the order of `EvictionCandidate`.
///
/// Source: upstream `pkg/kubelet/eviction/eviction_manager.go`.
final class EvictionManager: Sendable {
    /// Between looks.
    private static let interval: Duration = .seconds(10)
    /// How long a pod's end is waited for before the node is looked at again.
    private static let cleanupLimit: Duration = .seconds(30)
    /// Seconds that a pod has to end when a hard threshold is met.
    private static let hardGrace: Int64 = 1

    private let services: PodServices
    private let fleet: PodFleet
    private let images: ImageCollector
    private let thresholds: [EvictionThreshold]
    private let onPressure: @Sendable () -> Void

    /// - Parameter onPressure: called when other pressures hold than before.
    init(
        services: PodServices,
        fleet: PodFleet,
        images: ImageCollector,
        thresholds: [EvictionThreshold],
        onPressure: @escaping @Sendable () -> Void
    ) {
        self.services = services
        self.fleet = fleet
        self.images = images
        self.thresholds = thresholds
        self.onPressure = onPressure
    }

    /// Watches until the task is cancelled.
    func run() async {
        let start = ContinuousClock.now
        var policy = EvictionPolicy(
            thresholds: self.thresholds,
            transition: self.services.settings.evictionPressureTransition
        )
        while !Task.isCancelled {
            let ended = await self.pass(&policy, now: .now - start)
            if let ended { await self.waitForEnd(of: ended) }
            // After an end the node is looked at again at once.
            if ended == nil { try? await Task.sleep(for: Self.interval) }
        }
    }

    /// Looks at the node once.
    ///
    /// - Returns: the UID of the pod that was ended.
    private func pass(_ policy: inout EvictionPolicy, now: Duration) async -> String? {
        let seen = await self.observe()
        let decision = policy.observe(seen, now: now)
        self.tell(decision.conditions)
        if let ended = await self.endOversized() { return ended }
        guard let threshold = decision.threshold, let observation = seen[threshold.signal] else {
            return nil
        }
        let node = self.services.settings.nodeName
        self.services.events.record(
            node: node,
            isWarning: true,
            reason: "EvictionThresholdMet",
            message: "Attempting to reclaim \(threshold.signal.resource)"
        )
        if threshold.signal.isDisk {
            await self.images.removeUnused()
            let after = await self.observe()
            if !policy.isMet(threshold, after) { return nil }
        }
        let candidates = await self.candidates(for: threshold.signal)
        for candidate in EvictionCandidate.ranked(candidates, for: threshold.signal)
        where candidate.isEvictable {
            var grace = Self.hardGrace
            if threshold.grace != nil {
                grace = min(
                    self.services.settings.evictionMaximumPodGracePeriod,
                    candidate.pod.spec.terminationGracePeriodSeconds ?? 30
                )
            }
            await self.end(
                candidate.pod,
                grace: grace,
                candidate.message(threshold, observation)
            )
            return candidate.pod.metadata.uid
        }
        return nil
    }

    private func end(_ pod: CoreV1.Pod, grace: Int64, _ message: String) async {
        self.services.events.warning(pod, "", "Evicted", message)
        self.services.logger.warning(
            "ending a pod for want of resources",
            metadata: ["pod": "\(pod.key)", "message": "\(message)"]
        )
        await self.fleet.evict(
            pod.metadata.uid,
            grace: grace,
            PodStatusBuilder.Ending(reason: "Evicted", message: message)
        )
    }

    private func waitForEnd(of uid: String) async {
        let limit = ContinuousClock.now + Self.cleanupLimit
        while !Task.isCancelled, .now < limit {
            if await self.fleet.isFinished(uid) { return }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    /// Notes conditions, and tells of changes by events.
    private func tell(_ conditions: Set<String>) {
        let before = self.services.health.pressures
        guard conditions != before else { return }
        self.services.health.set(pressures: conditions)
        let node = self.services.settings.nodeName
        let reasons = [
            ("MemoryPressure", "NodeHasInsufficientMemory", "NodeHasSufficientMemory"),
            ("DiskPressure", "NodeHasDiskPressure", "NodeHasNoDiskPressure"),
            ("PIDPressure", "NodeHasInsufficientPID", "NodeHasSufficientPID"),
        ]
        for (type, holds, free) in reasons
        where conditions.contains(type) != before.contains(type) {
            let reason = conditions.contains(type) ? holds : free
            self.services.events.record(
                node: node,
                isWarning: false,
                reason: reason,
                message: "Node \(node) status is now: \(reason)"
            )
        }
        self.onPressure()
    }

    // MARK: - Looking

    private func observe() async -> [EvictionSignal: EvictionObservation] {
        let signals = Set(self.thresholds.map(\.signal))
        let root = self.services.settings.rootDirectory
        let imageFolder = await self.images.folder()
        let groups = self.services.cgroups
        let limit = self.services.host.podMemoryBytes
        return await HostThreads.run {
            var seen: [EvictionSignal: EvictionObservation] = [:]
            seen[.memory] = EvictionObservation(
                available: Int64(clamping: HostInfo.memory("MemAvailable")),
                capacity: Int64(clamping: HostInfo.memory("MemTotal"))
            )
            if let groups, limit > 0, let use = groups.cgroups.use("kubepods") {
                seen[.allocatableMemory] = EvictionObservation(
                    available: limit - Int64(clamping: use.workingSetBytes),
                    capacity: limit
                )
            }
            let disk = FileSystemUse(of: root)
            if let disk { (seen[.nodeFiles], seen[.nodeInodes]) = Self.observations(disk) }
            if let disk = imageFolder.flatMap({ FileSystemUse(of: $0) }) ?? disk {
                let (bytes, inodes) = Self.observations(disk)
                (seen[.imageFiles], seen[.imageInodes]) = (bytes, inodes)
                (seen[.containerFiles], seen[.containerInodes]) = (bytes, inodes)
            }
            let processes = HostInfo.processLimit
            seen[.processes] = EvictionObservation(
                available: processes.maximum - processes.current,
                capacity: processes.maximum
            )
            return seen.filter { signals.contains($0.key) }
        }
    }

    private static func observations(
        _ disk: FileSystemUse
    ) -> (EvictionObservation?, EvictionObservation?) {
        let bytes = EvictionObservation(
            available: Int64(clamping: disk.availableBytes),
            capacity: Int64(clamping: disk.capacityBytes)
        )
        // Some file systems make inodes as they need them and say that there are none.
        guard disk.inodes > 0 else { return (bytes, nil) }
        let inodes = EvictionObservation(
            available: Int64(clamping: disk.inodesFree),
            capacity: Int64(clamping: disk.inodes)
        )
        return (bytes, inodes)
    }

    /// The pods that run, with what they use of what a signal is about.
    private func candidates(for signal: EvictionSignal) async -> [EvictionCandidate] {
        var result: [EvictionCandidate] = []
        let storage = signal.isDisk ? await PodStorage.read(self.services) : nil
        for pod in await self.fleet.activePods {
            if let storage {
                let use = await storage.use(of: pod)
                result.append(
                    EvictionCandidate(
                        pod: pod,
                        use: signal.resource == "inodes" ? use.inodes : use.bytes.total,
                        containerUse: signal.resource == "inodes" ? [:] : use.bytes.containers
                    )
                )
                continue
            }
            guard let groups = self.services.cgroups else {
                result.append(EvictionCandidate(pod: pod, use: 0))
                continue
            }
            let base = groups.path(pod)
            let running = self.services.observer.known(pod.metadata.uid).running
            result.append(
                await HostThreads.run {
                    let whole = groups.cgroups.use(ofPath: base) ?? CgroupUse()
                    if signal == .processes {
                        return EvictionCandidate(pod: pod, use: Int64(clamping: whole.processes))
                    }
                    var containers: [String: Int64] = [:]
                    for record in running {
                        let use = groups.cgroups.use(ofPath: "\(base)/\(record.id)")
                        containers[record.name] = Int64(clamping: use?.workingSetBytes ?? 0)
                    }
                    return EvictionCandidate(
                        pod: pod,
                        use: Int64(clamping: whole.workingSetBytes),
                        containerUse: containers
                    )
                }
            )
        }
        return result
    }

    /// Ends a pod that has more on disk than its limits allow.
    private func endOversized() async -> String? {
        var storage: PodStorage?
        for pod in await self.fleet.activePods where !pod.isCritical {
            let limits = LocalStorageLimits(of: pod)
            if limits.isEmpty { continue }
            if storage == nil { storage = await PodStorage.read(self.services) }
            guard let use = await storage?.use(of: pod),
                let message = limits.violation(use.bytes)
            else { continue }
            await self.end(pod, grace: Self.hardGrace, message)
            return pod.metadata.uid
        }
        return nil
    }
}
