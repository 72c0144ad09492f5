// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import KubernetesAPI
import NodeHost
import PodLifecycle
import Protobuf
import Scalars
import Synchronization

/// What the node, its pods and their containers use, read from cgroups and file systems when it is
/// asked for.
///
/// Source: upstream `pkg/kubelet/stats`, `pkg/kubelet/server/stats/summary.go`.
final class StatsProvider: Sendable {
    /// A value of a counter, for the rate between two readings.
    private struct Reading {
        var nanoseconds: UInt64
        var time: Int64
        var rate: UInt64?
    }

    /// Rates are taken over at least so long.
    private static let rateInterval: Int64 = 1_000_000_000

    let services: PodServices
    let fleet: PodFleet
    private let readings = Mutex<[String: Reading]>([:])

    init(services: PodServices, fleet: PodFleet) {
        self.services = services
        self.fleet = fleet
    }

    /// The pods of the node with their newest statuses.
    func podsWithStatus() async -> [CoreV1.Pod] {
        await self.fleet.pods.map { pod in
            var pod = pod
            if let status = self.services.statuses.entry(pod.metadata.uid)?.status {
                pod.status = status
            }
            return pod
        }.sorted { $0.key < $1.key }
    }

    /// One container's use.
    struct ContainerUse: Sendable {
        var pod: CoreV1.Pod
        var name: String
        var startedAt: Int64
        var use: CgroupUse
        var nanocores: UInt64?
    }

    /// Use of every running container. Blocks for a moment on a thread of its own.
    func containers() async -> [ContainerUse] {
        guard let groups = self.services.cgroups else { return [] }
        var result: [ContainerUse] = []
        for pod in await self.fleet.pods {
            let runtime = self.services.observer.known(pod.metadata.uid)
            let base = groups.path(pod)
            for record in runtime.running {
                let path = "\(base)/\(record.id)"
                guard let use = await HostThreads.run({ groups.cgroups.use(ofPath: path) }) else {
                    continue
                }
                result.append(
                    ContainerUse(
                        pod: pod,
                        name: record.name,
                        startedAt: record.startedAt,
                        use: use,
                        nanocores: self.rate(record.id, use.cpuNanoseconds)
                    )
                )
            }
        }
        return result
    }

    /// Use of a pod as a whole.
    func podUse(_ pod: CoreV1.Pod) async -> (use: CgroupUse, nanocores: UInt64?)? {
        guard let groups = self.services.cgroups else { return nil }
        let path = groups.path(pod)
        guard let use = await HostThreads.run({ groups.cgroups.use(ofPath: path) }) else {
            return nil
        }
        return (use, self.rate("pod-" + pod.metadata.uid, use.cpuNanoseconds))
    }

    /// Use of the whole node.
    func nodeUse() async -> (use: CgroupUse, nanocores: UInt64?) {
        let use = await HostThreads.run { () -> CgroupUse in
            var use = Cgroups().use(ofPath: "") ?? CgroupUse()
            let total = HostInfo.memory("MemTotal")
            let available = HostInfo.memory("MemAvailable")
            use.workingSetBytes = total > available ? total - available : 0
            if use.memoryBytes == 0 { use.memoryBytes = total - HostInfo.memory("MemFree") }
            return use
        }
        return (use, self.rate("node", use.cpuNanoseconds))
    }

    /// Nanoseconds of a processor for each second since the reading before.
    private func rate(_ key: String, _ nanoseconds: UInt64) -> UInt64? {
        let now = SteadyClock.now
        return self.readings.withLock { readings in
            guard let before = readings[key], nanoseconds >= before.nanoseconds else {
                readings[key] = Reading(nanoseconds: nanoseconds, time: now, rate: nil)
                return nil
            }
            let elapsed = now - before.time
            guard elapsed >= Self.rateInterval else { return before.rate }
            let rate = UInt64(
                Double(nanoseconds - before.nanoseconds) * 1_000_000_000 / Double(elapsed)
            )
            readings[key] = Reading(nanoseconds: nanoseconds, time: now, rate: rate)
            return rate
        }
    }

    // MARK: - The summary

    /// Everything, as `/stats/summary` gives it.
    func summary(onlyCPUAndMemory: Bool) async -> ApusNode.Summary {
        let now = MetaV1.Time(WallClock.timestamp)
        let node = await self.nodeUse()
        let settings = self.services.settings
        var summary = ApusNode.Summary()
        summary.node = ApusNode.NodeStats.with {
            $0.nodeName = settings.nodeName
            $0.startTime = MetaV1.Time(Timestamp(seconds: HostInfo.bootTime))
            $0.cpu = Self.cpu(node.use, node.nanocores, now)
            $0.memory = Self.memory(
                node.use,
                now,
                available: HostInfo.memory("MemAvailable")
            )
        }
        if !onlyCPUAndMemory {
            let limits = HostInfo.processLimit
            summary.node.rlimit = ApusNode.RlimitStats.with {
                $0.time = now
                $0.maxpid = limits.maximum
                $0.curproc = limits.current
            }
            let root = settings.rootDirectory
            if let disk = await HostThreads.run({ FileSystemUse(of: root) }) {
                summary.node.fs = Self.fs(disk, now)
                summary.node.runtime = ApusNode.RuntimeStats.with {
                    $0.imageFs = Self.fs(disk, now)
                    $0.containerFs = Self.fs(disk, now)
                }
            }
        }
        let containers = await self.containers()
        for pod in await self.fleet.pods {
            let own = containers.filter { $0.pod.metadata.uid == pod.metadata.uid }
            if let stats = await self.stats(of: pod, own, now, onlyCPUAndMemory) {
                summary.pods.append(stats)
            }
        }
        return summary
    }

    private func stats(
        of pod: CoreV1.Pod,
        _ containers: [ContainerUse],
        _ now: MetaV1.Time,
        _ onlyCPUAndMemory: Bool
    ) async -> ApusNode.PodStats? {
        guard let whole = await self.podUse(pod) else { return nil }
        var stats = ApusNode.PodStats()
        stats.podRef = ApusNode.PodReference.with {
            $0.name = pod.metadata.name
            $0.namespace = pod.metadata.namespace
            $0.uid = pod.metadata.uid
        }
        if let start = self.services.statuses.entry(pod.metadata.uid)?.status.startTime {
            stats.startTime = start
        }
        stats.cpu = Self.cpu(whole.use, whole.nanocores, now)
        stats.memory = Self.memory(whole.use, now, available: nil)
        stats.processStats = ApusNode.ProcessStats.with { $0.processCount = whole.use.processes }
        for container in containers {
            stats.containers.append(
                ApusNode.ContainerStats.with {
                    $0.name = container.name
                    $0.startTime = MetaV1.Time(
                        Timestamp(seconds: container.startedAt / 1_000_000_000)
                    )
                    $0.cpu = Self.cpu(container.use, container.nanocores, now)
                    $0.memory = Self.memory(container.use, now, available: nil)
                }
            )
        }
        if onlyCPUAndMemory { return stats }
        let paths = PodPaths(pod, self.services.settings)
        let disk = FileSystemUse(of: self.services.settings.rootDirectory)
        let used = await HostThreads.run {
            let volumes = FolderUse(of: paths.volumes)
            let logs = FolderUse(of: paths.logs)
            return (bytes: volumes.bytes + logs.bytes, inodes: volumes.inodes + logs.inodes)
        }
        if let disk {
            stats.ephemeralStorage = Self.fs(disk, now)
            stats.ephemeralStorage?.usedBytes = used.bytes
            stats.ephemeralStorage?.inodesUsed = used.inodes
        }
        return stats
    }

    private static func cpu(
        _ use: CgroupUse,
        _ nanocores: UInt64?,
        _ now: MetaV1.Time
    ) -> ApusNode.CPUStats {
        ApusNode.CPUStats.with {
            $0.time = now
            $0.usageCoreNanoSeconds = use.cpuNanoseconds
            $0.usageNanoCores = nanocores
        }
    }

    private static func memory(
        _ use: CgroupUse,
        _ now: MetaV1.Time,
        available: UInt64?
    ) -> ApusNode.MemoryStats {
        ApusNode.MemoryStats.with {
            $0.time = now
            $0.availableBytes = available
            $0.usageBytes = use.memoryBytes
            $0.workingSetBytes = use.workingSetBytes
            $0.rssBytes = use.rssBytes
            $0.pageFaults = use.pageFaults
            $0.majorPageFaults = use.majorPageFaults
        }
    }

    private static func fs(_ use: FileSystemUse, _ now: MetaV1.Time) -> ApusNode.FsStats {
        ApusNode.FsStats.with {
            $0.time = now
            $0.availableBytes = use.availableBytes
            $0.capacityBytes = use.capacityBytes
            $0.usedBytes = use.usedBytes
            $0.inodesFree = use.inodesFree
            $0.inodes = use.inodes
            $0.inodesUsed = use.inodes - use.inodesFree
        }
    }
}
