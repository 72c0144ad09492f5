// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Logging
import PodLifecycle
import Synchronization

/// What the workers of all pods share.
struct PodServices: Sendable {
    let settings: KubeletSettings
    let client: RuntimeClient
    let observer: RuntimeObserver
    let puller: ImagePuller
    let volumes: VolumeManager
    let cgroups: PodCgroups?
    let probes: ProbeManager
    let prober: Prober
    let events: any EventSink
    let cluster: (any ClusterAccess)?
    let statuses: StatusBoard
    let host: HostFacts
    let crashes: CrashBackoff
    let health: NodeHealth
    let logger: Logger

    var remains: PodRemains { PodRemains(settings: self.settings) }
}

/// What pods need to know of their node.
struct HostFacts: Sendable {
    let nodeAddresses: NodeAddresses
    let memoryBytes: Int64
    /// What pods may use together before the kernel ends some.
    let podMemoryBytes: Int64
    let milliCPU: Int64
    let storageBytes: Int64
    let nodeName: String

    /// The node's addresses as they are now, the first one first.
    var addresses: [String] { self.nodeAddresses.all }

    var context: FieldReferences.Context {
        FieldReferences.Context(
            nodeName: self.nodeName,
            hostAddresses: self.addresses,
            allocatableMilliCPU: self.milliCPU,
            allocatableMemory: self.memoryBytes,
            allocatableStorage: self.storageBytes
        )
    }
}

/// The pauses of containers that crash.
final class CrashBackoff: Sendable {
    private let state = Mutex(Backoff.crashLoop)

    func remaining(_ key: String, since event: Int64) -> Duration? {
        self.state.withLock { $0.remaining(of: key, since: event, now: WallClock.now) }
    }

    func pause(_ key: String) -> Duration { self.state.withLock { $0.pause(of: key) } }

    func next(_ key: String, event: Int64) {
        self.state.withLock { $0.next(key, event: event, now: WallClock.now) }
    }

    func forget(uid: String) {
        self.state.withLock { $0.removeAll { $0.hasPrefix(uid) } }
    }
}

/// The newest status of each pod; whoever reports them is told of changes.
final class StatusBoard: Sendable {
    /// A pod with its status.
    struct Entry: Sendable {
        var pod: CoreV1.Pod
        var status: CoreV1.PodStatus
        /// Whether nothing of the pod is left on the node: it may be deleted from the API.
        var isFinished: Bool
        var version: UInt64
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let onChange: @Sendable (String) -> Void

    init(onChange: @escaping @Sendable (String) -> Void) {
        self.onChange = onChange
    }

    func entry(_ uid: String) -> Entry? { self.entries.withLock { $0[uid] } }

    var all: [Entry] { self.entries.withLock { Array($0.values) } }

    /// Notes a status; tells when it is another than before.
    func set(_ pod: CoreV1.Pod, _ status: CoreV1.PodStatus, isFinished: Bool = false) {
        let uid = pod.metadata.uid
        let isNew = self.entries.withLock { entries in
            let old = entries[uid]
            let isNew = old?.status != status || old?.isFinished != isFinished
            entries[uid] = Entry(
                pod: pod,
                status: status,
                isFinished: isFinished,
                version: (old?.version ?? 0) + (isNew ? 1 : 0)
            )
            return isNew
        }
        if isNew { self.onChange(uid) }
    }

    func remove(_ uid: String) {
        self.entries.withLock { $0[uid] = nil }
    }
}
