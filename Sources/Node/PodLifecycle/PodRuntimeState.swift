// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What the runtime has of one pod: its sandboxes and containers, newest first.
package struct PodRuntimeState: Sendable, Equatable {
    /// Newest first.
    package var sandboxes: [SandboxRecord]
    /// All instances of all containers, newest first.
    package var containers: [ContainerRecord]

    package init(sandboxes: [SandboxRecord] = [], containers: [ContainerRecord] = []) {
        self.sandboxes = sandboxes.sorted { $0.createdAt > $1.createdAt }
        self.containers = containers.sorted {
            $0.createdAt == $1.createdAt ? $0.restarts > $1.restarts : $0.createdAt > $1.createdAt
        }
    }

    /// The newest sandbox.
    package var sandbox: SandboxRecord? { self.sandboxes.first }

    /// The pod's addresses, from the newest sandbox when it is ready.
    package var addresses: [String] {
        guard let sandbox = self.sandbox, sandbox.isReady else { return [] }
        return sandbox.addresses
    }

    /// The newest instance of a container.
    package func container(named name: String) -> ContainerRecord? {
        self.containers.first { $0.name == name }
    }

    /// The newest instance of a container in the newest sandbox: what a pod's initialisation is
    /// judged by, as it begins anew with each sandbox.
    package func currentContainer(named name: String) -> ContainerRecord? {
        guard let sandbox = self.sandbox else { return nil }
        return self.containers.first { $0.name == name && $0.sandboxID == sandbox.id }
    }

    /// The instance before the newest.
    package func previousContainer(named name: String) -> ContainerRecord? {
        self.containers.lazy.filter { $0.name == name }.dropFirst().first
    }

    /// Containers that have a process.
    package var running: [ContainerRecord] { self.containers.filter { $0.state == .running } }

    /// Whether nothing of the pod runs, or can begin to. A container that was made and never started
    /// stays like that when it is told to stop; without a ready sandbox it cannot be started.
    package var isStopped: Bool {
        !self.sandboxes.contains { $0.isReady } && self.running.isEmpty
    }
}

/// A pod sandbox as the runtime tells it.
package struct SandboxRecord: Sendable, Equatable {
    package var id: String
    package var attempt: UInt32
    package var isReady: Bool
    /// Nanoseconds since 1970.
    package var createdAt: Int64
    package var addresses: [String]
    package var usesHostNetwork: Bool

    package init(
        id: String,
        attempt: UInt32 = 0,
        isReady: Bool = true,
        createdAt: Int64 = 0,
        addresses: [String] = [],
        usesHostNetwork: Bool = false
    ) {
        self.id = id
        self.attempt = attempt
        self.isReady = isReady
        self.createdAt = createdAt
        self.addresses = addresses
        self.usesHostNetwork = usesHostNetwork
    }
}

/// One instance of a container as the runtime tells it.
package struct ContainerRecord: Sendable, Equatable {
    package enum State: Sendable { case created, running, exited, unknown }

    package var id: String
    package var name: String
    package var sandboxID: String
    package var state: State
    /// How many instances there were before this one.
    package var restarts: Int32
    /// Nanoseconds since 1970; 0 when it has not happened.
    package var createdAt: Int64
    package var startedAt: Int64
    package var finishedAt: Int64
    package var exitCode: Int32
    package var reason: String
    package var message: String
    /// As the spec names it.
    package var image: String
    package var imageID: String
    /// What the container was made from, see `ContainerHash`.
    package var hash: String
    package var logPath: String
    /// As the runtime runs it; nil when it does not say.
    package var user: (uid: Int64, gid: Int64, groups: [Int64])?

    package init(
        id: String,
        name: String,
        sandboxID: String = "",
        state: State = .running,
        restarts: Int32 = 0,
        createdAt: Int64 = 0,
        startedAt: Int64 = 0,
        finishedAt: Int64 = 0,
        exitCode: Int32 = 0,
        reason: String = "",
        message: String = "",
        image: String = "",
        imageID: String = "",
        hash: String = "",
        logPath: String = ""
    ) {
        self.id = id
        self.name = name
        self.sandboxID = sandboxID
        self.state = state
        self.restarts = restarts
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.exitCode = exitCode
        self.reason = reason
        self.message = message
        self.image = image
        self.imageID = imageID
        self.hash = hash
        self.logPath = logPath
    }

    package static func == (left: ContainerRecord, right: ContainerRecord) -> Bool {
        left.id == right.id && left.state == right.state && left.exitCode == right.exitCode
            && left.startedAt == right.startedAt && left.finishedAt == right.finishedAt
            && left.reason == right.reason && left.message == right.message
    }
}
