// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Logging
import NodeAPI
import NodeHost
import PodLifecycle
import Protobuf
import RPCInterface
import Synchronization
import WellKnownTypes

/// Knows what the runtime has of each pod and tells when it changes.
///
/// The list of everything is read anew in intervals, as any CRI runtime allows. containerd says on
/// its own event stream when a container's process begins or ends; while that stream lives, changes
/// are seen at once and the lists are read rarely.
final class RuntimeObserver: Sendable {
    /// Between readings of everything without events, as upstream's generic PLEG.
    static let pollInterval: Duration = .seconds(1)
    /// Between readings of everything with events.
    static let safetyInterval: Duration = .seconds(30)
    /// How many readings follow one another as without events when a list did not say what an event
    /// had said.
    static let doubtfulReadings = 30
    /// Without a successful reading for so long the runtime counts as unhealthy.
    static let healthLimit: Duration = .seconds(180)

    private struct State {
        var pods: [String: PodRuntimeState] = [:]
        /// Pods' names as their sandboxes say, for those nobody else knows.
        var identities: [String: PodIdentity] = [:]
        /// The pod of a container or sandbox.
        var owners: [String: String] = [:]
        var lastReading: ContinuousClock.Instant?
        var lastError = ""
        /// Whether everything was read at least once.
        var isPrimed = false
        /// Counts readings as they begin.
        var ticket: UInt64 = 0
        /// The reading that is kept of a pod: one that began earlier must not replace it.
        var kept: [String: UInt64] = [:]

        mutating func nextTicket() -> UInt64 {
            self.ticket += 1
            return self.ticket
        }
    }

    private let client: RuntimeClient
    private let logger: Logger
    private let state = Mutex(State())
    /// Whether the event stream lives. Relaxed: it only chooses an interval.
    private let hasEvents = Atomic(false)
    /// How many more readings the events are not relied on.
    private let doubts = Atomic(0)
    private let nudge = Wakeup()
    private let onChange: @Sendable (String) -> Void

    /// - Parameter onChange: called with a pod's UID when what the runtime has of it has changed.
    init(
        client: RuntimeClient,
        logger: Logger,
        onChange: @escaping @Sendable (String) -> Void
    ) {
        self.client = client
        self.logger = logger
        self.onChange = onChange
    }

    // MARK: - What is known

    /// What is known of a pod.
    func known(_ uid: String) -> PodRuntimeState {
        self.state.withLock { $0.pods[uid] } ?? PodRuntimeState()
    }

    /// Every pod that the runtime has something of.
    var pods: [String: PodRuntimeState] { self.state.withLock { $0.pods } }

    func identity(_ uid: String) -> PodIdentity? { self.state.withLock { $0.identities[uid] } }

    /// Notes whose a container is before it starts, so that no event of it is missed.
    func adopt(_ id: String, pod uid: String) {
        self.state.withLock { $0.owners[id] = uid }
    }

    var isPrimed: Bool { self.state.withLock { $0.isPrimed } }

    /// Why the runtime is not healthy; nil when it is.
    var problem: String? {
        self.state.withLock { state in
            guard let last = state.lastReading else {
                return "container runtime is down"
                    + (state.lastError.isEmpty ? "" : ": \(state.lastError)")
            }
            let age = ContinuousClock.now - last
            guard age > Self.healthLimit else { return nil }
            return "PLEG is not healthy: pleg was last seen active \(age.goText) ago; "
                + "threshold is \(Self.healthLimit.goText)"
        }
    }

    // MARK: - Reading

    /// Reads what the runtime has of one pod.
    @discardableResult
    func refresh(_ uid: String) async throws(RPCError) -> PodRuntimeState {
        let labels = [RuntimeLabels.podUID: uid]
        let ticket = self.state.withLock { $0.nextTicket() }
        async let listed = self.client.sandboxes(labels: labels)
        let containers: [CRI.Container]
        let sandboxes: [CRI.PodSandbox]
        do {
            containers = try await self.client.containers(labels: labels)
            sandboxes = try await listed
        } catch {
            throw RPCError(wrapping: error)
        }
        return try await self.assemble(uid, sandboxes, containers, ticket)
    }

    /// Reads everything; tells of each pod that has changed.
    func refreshAll() async throws(RPCError) {
        let ticket = self.state.withLock { $0.nextTicket() }
        let sandboxes = try await self.client.sandboxes()
        let containers = try await self.client.containers()
        let byPod = Dictionary(grouping: sandboxes) { $0.labels[RuntimeLabels.podUID] ?? "" }
        let containersByPod = Dictionary(grouping: containers) {
            $0.labels[RuntimeLabels.podUID] ?? ""
        }
        var uids = Set(byPod.keys).union(containersByPod.keys)
        uids.remove("")
        var changed: [String] = []
        for uid in uids {
            let before = self.state.withLock { $0.pods[uid] }
            let own = byPod[uid] ?? []
            let ownContainers = containersByPod[uid] ?? []
            if let before, Self.matches(before, own, ownContainers) { continue }
            let after = try await self.assemble(uid, own, ownContainers, ticket)
            if after != before { changed.append(uid) }
        }
        let gone = self.state.withLock { state -> [String] in
            let gone = state.pods.keys.filter {
                !uids.contains($0) && state.kept[$0] ?? 0 < ticket
            }
            for uid in gone {
                state.kept[uid] = nil
                state.pods[uid] = nil
                state.identities[uid] = nil
            }
            state.owners = state.owners.filter {
                uids.contains($0.value) || state.pods[$0.value] != nil
            }
            state.lastReading = .now
            state.lastError = ""
            state.isPrimed = true
            return gone
        }
        for uid in changed + gone { self.onChange(uid) }
    }

    /// Whether the lists say nothing new.
    private static func matches(
        _ known: PodRuntimeState,
        _ sandboxes: [CRI.PodSandbox],
        _ containers: [CRI.Container]
    ) -> Bool {
        guard known.sandboxes.count == sandboxes.count, known.containers.count == containers.count
        else { return false }
        let sandboxStates = Dictionary(
            known.sandboxes.map { ($0.id, $0.isReady) },
            uniquingKeysWith: { $1 }
        )
        let containerStates = Dictionary(
            known.containers.map { ($0.id, $0.state) },
            uniquingKeysWith: { $1 }
        )
        return sandboxes.allSatisfy { sandboxStates[$0.id] == ($0.state == .sandboxReady) }
            && containers.allSatisfy {
                containerStates[$0.id] == ContainerRecord.State($0.state)
            }
    }

    private func assemble(
        _ uid: String,
        _ sandboxes: [CRI.PodSandbox],
        _ containers: [CRI.Container],
        _ ticket: UInt64
    ) async throws(RPCError) -> PodRuntimeState {
        let before = self.known(uid)
        var sandboxRecords: [SandboxRecord] = []
        for sandbox in sandboxes {
            let isReady = sandbox.state == .sandboxReady
            if let old = before.sandboxes.first(where: { $0.id == sandbox.id }),
                old.isReady == isReady, !old.addresses.isEmpty || old.usesHostNetwork || !isReady
            {
                sandboxRecords.append(old)
                continue
            }
            do throws(RPCError) {
                let status = try await self.client.sandboxStatus(sandbox.id).status
                if let record = status.map({ SandboxRecord($0) }) { sandboxRecords.append(record) }
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        var records: [ContainerRecord] = []
        for container in containers {
            let state = ContainerRecord.State(container.state)
            if let old = before.containers.first(where: { $0.id == container.id }),
                old.state == state
            {
                records.append(old)
                continue
            }
            do throws(RPCError) {
                let answer = try await self.client.containerStatus(container.id)
                guard let status = answer.status else { continue }
                var record = ContainerRecord(status, sandboxID: container.podSandboxId)
                if record.state == .exited {
                    let (code, message) = (record.exitCode, record.message)
                    record.message = await HostThreads.run {
                        TerminationMessage.read(status, exitCode: code, fallback: message)
                    }
                }
                records.append(record)
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        let after = PodRuntimeState(sandboxes: sandboxRecords, containers: records)
        return self.state.withLock { state in
            guard state.kept[uid] ?? 0 < ticket else {
                return state.pods[uid] ?? PodRuntimeState()
            }
            state.kept[uid] = ticket
            if sandboxes.isEmpty, containers.isEmpty {
                state.pods[uid] = nil
            } else {
                state.pods[uid] = after
            }
            for sandbox in sandboxes {
                state.owners[sandbox.id] = uid
                if let metadata = sandbox.metadata {
                    state.identities[uid] = PodIdentity(
                        namespace: metadata.namespace,
                        name: metadata.name,
                        uid: uid
                    )
                }
            }
            for container in containers { state.owners[container.id] = uid }
            return after
        }
    }

    // MARK: - Running

    /// Follows the runtime until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.followEvents() }
            group.addTask { await self.readInIntervals() }
        }
    }

    private func readInIntervals() async {
        while !Task.isCancelled {
            do throws(RPCError) {
                try await self.refreshAll()
            } catch {
                if Task.isCancelled { return }
                self.state.withLock { $0.lastError = error.message }
                self.logger.error(
                    "listing pods of the runtime failed",
                    metadata: ["error": "\(error)"]
                )
            }
            let isDoubtful = self.doubts.load(ordering: .relaxed) > 0
            if isDoubtful { self.doubts.subtract(1, ordering: .relaxed) }
            let pause =
                self.hasEvents.load(ordering: .relaxed) && !isDoubtful
                ? Self.safetyInterval : Self.pollInterval
            await self.nudge.wait(for: pause)
        }
    }

    private func followEvents() async {
        let events = ContainerdEvents.EventsClient(channel: self.client.channel)
        let request = ContainerdEvents.SubscribeRequest.with {
            $0.filters = ["namespace==k8s.io,topic~=\"^/tasks/(exit|oom|start)$\""]
        }
        while !Task.isCancelled {
            do throws(RPCError) {
                let stream = try await events.subscribe(request)
                self.hasEvents.store(true, ordering: .relaxed)
                // Whatever happened before the stream began.
                self.nudge.wake()
                for try await envelope in stream { await self.handle(envelope) }
            } catch {
                if error.code == .unimplemented {
                    self.logger.info("the runtime has no event stream; reading its lists instead")
                    return
                }
            }
            self.hasEvents.store(false, ordering: .relaxed)
            self.nudge.wake()
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Of asking the runtime about what its event said: after half a second in all.
    private static let lastAttempt = 27

    private func handle(_ envelope: ContainerdEvents.Envelope) async {
        guard let event = envelope.event,
            let exit = try? ContainerdTaskEvents.TaskExit(serialized: event.value)
        else { return }
        // Commands in a container end all the time.
        if envelope.topic == "/tasks/exit", !exit.id.isEmpty, exit.id != exit.containerId { return }
        guard let uid = self.state.withLock({ $0.owners[exit.containerId] }) else { return }
        // The CRI plugin of containerd learns of it from the same stream, maybe after us.
        for attempt in 0...Self.lastAttempt {
            guard let after = try? await self.refresh(uid) else { break }
            let isStale =
                after.sandboxes.contains { $0.id == exit.containerId && $0.isReady }
                || after.containers.contains {
                    $0.id == exit.containerId && $0.state != .exited
                }
            if !isStale || envelope.topic != "/tasks/exit" { break }
            if attempt == Self.lastAttempt {
                self.doubts.store(Self.doubtfulReadings, ordering: .relaxed)
                self.nudge.wake()
                break
            }
            try? await Task.sleep(for: .milliseconds(5 << min(attempt, 2)))
        }
        self.onChange(uid)
    }
}

/// Names a pod.
struct PodIdentity: Sendable, Hashable {
    var namespace: String
    var name: String
    var uid: String
}
