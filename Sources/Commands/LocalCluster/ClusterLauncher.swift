// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
public import Processes

/// Starts and ends the supervisor of a cluster, and waits until the cluster works.
public struct ClusterLauncher: Sendable {
    private let layout: ClusterLayout
    /// Takes lines about what happens.
    private let report: @Sendable (String) -> Void

    public init(_ layout: ClusterLayout, report: @escaping @Sendable (String) -> Void) {
        self.layout = layout
        self.report = report
    }

    /// Why a cluster did not come up or go down.
    public enum Failure: Error, Sendable, CustomStringConvertible {
        case file(FileError)
        case process(ProcessError)
        /// The supervisor ended while the cluster was starting.
        case ended(log: String)
        case timedOut(waitingFor: [String], log: String)
        case nodeNotReady(String, _ reason: String)
        case interrupted

        public var description: String {
            switch self {
            case .file(let error): error.description
            case .process(let error): error.description
            case .ended(let log): "the cluster ended while it was starting; see \(log)"
            case .timedOut(let names, let log):
                "not ready in time: \(names.joined(separator: ", ")); see the logs in \(log)"
            case .nodeNotReady(let name, let reason): "the node \(name) is not ready: \(reason)"
            case .interrupted: "interrupted"
            }
        }
    }

    /// The supervisor that runs, if one does.
    public func supervisor() throws(FileError) -> Int32? {
        guard let state = try ClusterFile.read(self.layout.state).flatMap(ClusterState.init(json:)),
            SupervisorLock.isHeld(self.layout.lock)
        else { return nil }
        return state.supervisor
    }

    /// Starts a supervisor unless one runs.
    ///
    /// - Parameter command: what becomes the supervisor, in the background.
    public func start(_ command: ChildProcess.Command) throws(Failure) {
        do throws(FileError) {
            if try self.supervisor() != nil { return }
            unlink(self.layout.state)
        } catch {
            throw .file(error)
        }
        do throws(ProcessError) {
            _ = try ChildProcess.start(command)
        } catch {
            throw .process(error)
        }
    }

    /// Waits until every component works, and reports each as it does.
    public func waitUntilReady(timeout: Duration) async throws(Failure) {
        let start = ContinuousClock.now
        var reported: Set<String> = []
        var missing: [String] = ["supervisor"]
        while ContinuousClock.now - start < timeout {
            let content: [UInt8]?
            do throws(FileError) {
                content = try ClusterFile.read(self.layout.state)
            } catch {
                throw .file(error)
            }
            if let state = content.flatMap(ClusterState.init(json:)) {
                for entry in state.components where entry.isReady {
                    guard reported.insert(entry.name).inserted else { continue }
                    let (seconds, attoseconds) = (ContinuousClock.now - start).components
                    let hundredths = attoseconds / 10_000_000_000_000_000
                    let fraction = hundredths < 10 ? "0\(hundredths)" : "\(hundredths)"
                    self.report("\(entry.name) is ready after \(seconds).\(fraction) s")
                }
                if state.isReady { return }
                missing = state.components.filter { !$0.isReady }.map(\.name)
                guard SupervisorLock.isHeld(self.layout.lock) else {
                    throw .ended(log: self.layout.log("supervisor"))
                }
            }
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { throw .interrupted }
        }
        throw .timedOut(waitingFor: missing, log: self.layout.logs)
    }

    /// Ends the cluster and, unless they are to be kept, its pods.
    ///
    /// - Returns: false when none ran.
    public func stop(keepingPods: Bool, timeout: Duration) async throws -> Bool {
        let wasRunning = try await self.stop(timeout: timeout)
        // They may run although no cluster does: after one that was told to keep them.
        if !keepingPods, geteuid() == 0 {
            let count = try await PodRuntime(self.layout).endPods(removing: false).running
            if count > 0 { self.report("ended \(count) pods") }
        }
        return wasRunning
    }

    /// Ends the supervisor and with it every component; returns when they are gone.
    ///
    /// - Returns: false when none ran.
    public func stop(timeout: Duration) async throws(Failure) -> Bool {
        let supervisor: Int32?
        do throws(FileError) {
            supervisor = try self.supervisor()
        } catch {
            throw .file(error)
        }
        guard let supervisor else { return false }
        kill(supervisor, SIGTERM)
        let start = ContinuousClock.now
        while SupervisorLock.isHeld(self.layout.lock) {
            guard ContinuousClock.now - start < timeout else {
                throw .timedOut(waitingFor: ["supervisor"], log: self.layout.logs)
            }
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { throw .interrupted }
        }
        return true
    }
}

/// The lock that a supervisor holds as long as it lives: there is at most one for a data directory,
/// and whether it lives can be told without guessing from process numbers.
public struct SupervisorLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock; nil when another process has it.
    public init?(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .last("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { close(self.descriptor) }

    /// Whether a process has the lock.
    static func isHeld(_ path: String) -> Bool {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }
}
