// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import NIOCore
import NIOPosix
import Processes
import Synchronization

/// Keeps the processes of a cluster running until it is told to end them.
///
/// One task owns everything; threads that wait for processes, probes and the clock only send it
/// events. It sleeps when nothing happens.
public struct Supervisor: Sendable {
    private let components: [Component]
    private let layout: ClusterLayout

    public init(_ components: [Component], layout: ClusterLayout) {
        self.components = components
        self.layout = layout
    }

    private enum Event: Sendable {
        case exited(Int, processID: Int32, ChildProcess.Exit)
        case ready(Int, processID: Int32)
        case timer
        case stop
    }

    /// Starts the components and returns when all have been ended, which cancelling the task does.
    public func run() async {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        // A stream ends for a cancelled task at once; this one goes on until everything has ended.
        let task = Task {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            var loop = Loop(
                self.components,
                layout: self.layout,
                probe: ReadinessProbe(eventLoop: group.next()),
                send: { continuation.yield($0) }
            )
            loop.advance()
            for await event in events {
                loop.handle(event)
                if loop.isOver { break }
            }
            try? await group.shutdownGracefully()
        }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            continuation.yield(.stop)
        }
    }
}

extension Supervisor {
    /// The state of the one task.
    private struct Loop {
        private struct Entry {
            let component: Component
            var machine = ComponentMachine()
            var process: ChildProcess?
            var startTicks: UInt64 = 0
            var startedAt: Int64 = 0
            var isReady = false
            var lastExit = ""
        }

        private var entries: [Entry]
        private let layout: ClusterLayout
        private let probe: ReadinessProbe
        private let send: @Sendable (Event) -> Void
        private var timer: Task<Void, Never>?
        private var isStopping = false

        init(
            _ components: [Component],
            layout: ClusterLayout,
            probe: ReadinessProbe,
            send: @escaping @Sendable (Event) -> Void
        ) {
            self.entries = components.map { Entry(component: $0) }
            self.layout = layout
            self.probe = probe
            self.send = send
        }

        /// Whether everything has ended.
        var isOver: Bool {
            self.isStopping && self.entries.allSatisfy { $0.machine.state == .stopped }
        }

        mutating func handle(_ event: Event) {
            let now = MonotonicTime.nanoseconds
            switch event {
            case .exited(let index, let processID, let exit):
                guard self.entries[index].process?.processID == processID else { return }
                self.entries[index].process = nil
                self.entries[index].isReady = false
                self.entries[index].lastExit = exit.description
                self.perform(self.entries[index].machine.exited(at: now), index)
            case .ready(let index, let processID):
                guard self.entries[index].process?.processID == processID else { return }
                self.entries[index].isReady = true
            case .timer:
                for index in self.entries.indices {
                    self.perform(self.entries[index].machine.tick(at: now), index)
                }
            case .stop:
                self.isStopping = true
                // What stands on others ends first.
                for index in self.entries.indices.reversed() {
                    self.perform(self.entries[index].machine.stop(at: now), index)
                }
            }
            self.advance()
        }

        /// Starts what can be started now, sets the clock, and writes the state down.
        mutating func advance() {
            let now = MonotonicTime.nanoseconds
            let unready = Set(self.entries.filter { !$0.isReady }.map(\.component.name))
            for index in self.entries.indices
            where unready.isDisjoint(with: self.entries[index].component.after) {
                self.perform(self.entries[index].machine.prerequisitesReady(at: now), index)
            }
            self.timer?.cancel()
            self.timer = nil
            if let deadline = self.entries.compactMap(\.machine.deadline).min() {
                let send = self.send
                // Cancelled by the next call of this method.
                self.timer = Task {
                    let left = max(deadline - MonotonicTime.nanoseconds, 0)
                    guard (try? await Task.sleep(for: .nanoseconds(left))) != nil else { return }
                    send(.timer)
                }
            }
            self.writeState()
        }

        private mutating func perform(_ action: ComponentMachine.Action, _ index: Int) {
            switch action {
            case .start: self.start(index)
            case .terminate: self.entries[index].process?.send(signal: SIGTERM)
            case .kill: self.entries[index].process?.send(signal: SIGKILL)
            case .none: break
            }
        }

        private mutating func start(_ index: Int) {
            let component = self.entries[index].component
            let process: ChildProcess
            do throws(ProcessError) {
                process = try ChildProcess.start(component.command)
            } catch {
                self.entries[index].lastExit = error.description
                self.perform(
                    self.entries[index].machine.exited(at: MonotonicTime.nanoseconds),
                    index
                )
                return
            }
            self.entries[index].process = process
            self.entries[index].startedAt = Int64(time(nil))
            self.entries[index].startTicks =
                ProcessStatistics(processID: process.processID)?.startTicks ?? 0
            let send = self.send
            process.onExit { send(.exited(index, processID: process.processID, $0)) }
            let probe = self.probe
            // Ends when the component answers, or has ended.
            Task {
                var pause = Duration.milliseconds(5)
                while !(await probe.isReady(component.readiness)) {
                    try? await Task.sleep(for: pause)
                    guard kill(process.processID, 0) == 0 else { return }
                    pause = min(pause * 2, .milliseconds(250))
                }
                send(.ready(index, processID: process.processID))
            }
        }

        private func writeState() {
            let state = ClusterState(
                supervisor: getpid(),
                components: self.entries.map { entry in
                    ClusterState.Entry(
                        name: entry.component.name,
                        state: entry.machine.word,
                        processID: entry.process?.processID ?? 0,
                        startTicks: entry.startTicks,
                        restarts: entry.machine.restarts,
                        startedAt: entry.startedAt,
                        isReady: entry.isReady,
                        address: entry.component.address,
                        lastExit: entry.lastExit
                    )
                }
            )
            // A full disk must not end a cluster that runs: status is old then, nothing else.
            try? ClusterFile.write(state.json, to: self.layout.state, mode: 0o644, durably: false)
        }
    }
}

/// The clock that never goes back.
enum MonotonicTime {
    static var nanoseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
