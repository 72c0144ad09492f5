// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Clocks
import EventRecording
import Informers
import KubernetesAPI
package import LeaderElection
package import Logging
import Metrics
import ObjectModel
import Protobuf
package import RPCInterface
import ResourceClient
package import Scheduler
import Selectors

/// kube-scheduler: watches pods and nodes, and binds the ones to the others.
package struct KubeScheduler: Sendable {
    /// What it needs to know.
    package struct Configuration: Sendable {
        package var profiles: [Profile] = [.standard]
        package var initialBackoff: Duration = .seconds(1)
        package var maximumBackoff: Duration = .seconds(10)
        /// Nil for a replica that is alone.
        package var leaderElection: LeaderElectionConfiguration?
        /// Of the choice among nodes that are equally good.
        package var seed: UInt64 = 0

        package init() {}

        /// What a configuration file says.
        package init(_ file: SchedulerConfiguration) {
            self.profiles = file.profiles
            self.initialBackoff = .seconds(file.podInitialBackoffSeconds)
            self.maximumBackoff = .seconds(file.podMaxBackoffSeconds)
        }
    }

    private let configuration: Configuration
    private let writing: any RPCChannel
    private let clock: any ComponentClock
    private let logger: Logger
    private let inbox = SchedulerInbox()
    private let informers: InformerFactory
    package let metrics: SchedulerMetrics

    /// - Parameters:
    ///   - watching: for what the scheduler watches.
    ///   - writing: for what it writes; another connection, so that writes never wait.
    package init(
        _ configuration: Configuration,
        watching: any RPCChannel,
        writing: any RPCChannel,
        clock: any ComponentClock = SystemClock(),
        logger: Logger,
        metrics: SchedulerMetrics = SchedulerMetrics()
    ) {
        self.configuration = configuration
        self.writing = writing
        self.clock = clock
        self.logger = logger
        self.metrics = metrics
        self.informers = InformerFactory(watching, clock: clock) { resource, error in
            logger.warning(
                "Failed to watch",
                metadata: ["resource": "\(resource.plural)", "err": "\(error.message)"]
            )
        }
        SchedulerFeeds(self.informers, self.inbox).connect()
    }

    /// Whether all that the scheduler watches is known.
    package var hasSynced: Bool { self.informers.hasSynced }

    /// How often the scheduler has woken up to look what there is to do.
    package var turns: Int { self.inbox.turns }

    /// Returns when there is nothing to do and nothing under way.
    package func waitUntilIdle() async { await self.inbox.waitUntilIdle() }

    /// Schedules until the task is cancelled.
    ///
    /// - Returns: whether leadership was lost, after which the process must end.
    @discardableResult
    package func run() async throws -> Bool {
        let writer = SchedulerWriter(
            channel: self.writing,
            profiles: self.configuration.profiles,
            clock: self.clock,
            inbox: self.inbox,
            logger: self.logger
        )
        return try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask {
                await self.informers.run()
                return nil
            }
            group.addTask {
                await writer.run()
                return nil
            }
            group.addTask {
                await self.informers.waitForSync()
                await self.runLoop(writer)
                return nil
            }
            group.addTask { try await self.lead() }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                if let ended { return ended }
            }
            return false
        }
    }

    private func runLoop(_ writer: SchedulerWriter) async {
        let core = SchedulerCore(
            profiles: self.configuration.profiles,
            queue: PodQueue(
                initialBackoff: self.configuration.initialBackoff,
                maximumBackoff: self.configuration.maximumBackoff
            ),
            seed: self.configuration.seed
        )
        var loop = SchedulerLoop(
            core,
            inbox: self.inbox,
            writer: writer,
            metrics: self.metrics,
            clock: self.clock
        )
        await loop.run()
    }

    /// Lets the loop decide once this replica leads.
    private func lead() async throws -> Bool {
        let work: @Sendable () async throws -> Void = {
            await self.informers.waitForSync()
            self.inbox.put(.lead)
            let (stream, end) = AsyncStream<Void>.makeStream()
            await withTaskCancellationHandler {
                for await _ in stream {}
            } onCancel: {
                end.finish()
            }
        }
        guard let election = self.configuration.leaderElection else {
            try await work()
            return false
        }
        let status = self.metrics.isLeader.with(election.name)
        status.set(0)
        let elector = LeaderElector(election, channel: self.writing, clock: self.clock)
        return try await elector.run {
            status.set(1)
            defer { status.set(0) }
            try await work()
        }
    }
}
