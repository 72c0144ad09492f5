// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ApusAPI
import Bytes
import CallStatus
import JSON
import KubernetesAPI
import NameRules
public import ObjectModel
import Protobuf
import RPCInterface
import ResourceTable
import Selectors
import Synchronization

/// An API server's store in memory, as far as controllers can tell: versions, conflicts, watches,
/// finalizers, graceful deletion, reviews of what users may do. No defaulting, no validation, no
/// admission.
///
/// Tests of the machinery and of controllers run against it where the real server would only be in
/// the way: with faults between the two, and in large numbers.
public final class MemoryCluster: ApusResource.ResourcesService {
    struct Record {
        var tree: DynamicValue
        var object: APIObject
    }

    struct Change {
        var version: Int
        var resource: String
        var type: ApusResource.WatchEvent.Type_
        var object: APIObject
        /// Before the change; nil for a new object.
        var old: APIObject?
    }

    struct State {
        var version = 1
        /// By resource, then key.
        var objects: [String: [String: Record]] = [:]
        var history: [Change] = []
        /// As the history, but never forgotten.
        var log: [Change] = []
        /// Resources whose events are held back, and those events by watcher.
        var held: Set<String> = []
        var pending: [Int: [Change]] = [:]
        /// Versions up to this are forgotten.
        var compacted = 0
        var watchers: [Int: AsyncStream<Change>.Continuation] = [:]
        var nextWatcher = 0
        var nextUID = 1
        var writes = 0
        var requests: [String: Int] = [:]
        var seconds: Int64 = 1_800_000_000
        /// What users may do, and since which version.
        var permissions: [String: Int] = [:]
    }

    /// May refuse a write before it is done, or lose the answer after it.
    public enum Fault: Sendable {
        case refuse(StatusError)
        case loseAnswer
    }

    let state = Mutex(State())
    private let fault: @Sendable (_ verb: String, ApusResource.Target) -> Fault?
    private let table: ResourceTable

    /// - Parameter fault: asked before each write.
    public init(
        fault: @escaping @Sendable (_ verb: String, ApusResource.Target) -> Fault? = { _, _ in nil }
    ) {
        self.fault = fault
        self.table = .builtin
    }

    /// Writes done so far.
    public var writeCount: Int { self.state.withLock { $0.writes } }

    /// Requests so far by verb and resource, such as `list pods`.
    public var requests: [String: Int] { self.state.withLock { $0.requests } }

    /// Moves the time that is written into objects.
    public func setTime(seconds: Int64) { self.state.withLock { $0.seconds = seconds } }

    /// Forgets the changes so far: a watch from before answers 410.
    public func compact() {
        self.state.withLock { state in
            state.compacted = state.version
            state.history = []
        }
    }

    /// Ends all watches, as a server that restarts.
    public func dropWatches() {
        let watchers = self.state.withLock { state in
            defer {
                state.watchers = [:]
                state.pending = [:]
            }
            return state.watchers
        }
        for watcher in watchers.values { watcher.finish() }
    }

    /// From now on access reviews say that a user may do something, such as `create
    /// certificatesigningrequests/nodeclient`. Nobody may do anything before.
    public func permit(_ user: String, _ action: String) {
        self.state.withLock { state in
            let key = Self.permission(user, action)
            if state.permissions[key] == nil { state.permissions[key] = state.version }
        }
    }

    /// The version of the store at which a user was permitted something; nil when never.
    public func permitted(_ user: String, _ action: String) -> Int? {
        self.state.withLock { $0.permissions[Self.permission(user, action)] }
    }

    static func permission(_ user: String, _ action: String) -> String { "\(user) \(action)" }

    func resource(_ target: ApusResource.Target?) throws(StatusError) -> APIResource {
        guard let target else { throw .badRequest("no target") }
        let version =
            target.group.isEmpty ? target.version : "\(target.group)/\(target.version)"
        guard let resource = self.table.resource(apiVersion: version, plural: target.resource)
        else {
            throw .notFound(GroupResource(group: target.group, resource: target.resource), "")
        }
        return resource
    }

    func count(_ verb: String, _ resource: APIResource) {
        self.state.withLock { $0.requests["\(verb) \(resource.groupResource)", default: 0] += 1 }
    }

    /// Runs a write with the faults that the test wants.
    func faulty<R>(
        _ verb: String,
        _ target: ApusResource.Target?,
        _ body: () throws(StatusError) -> R
    ) throws -> R {
        let fault = target.flatMap { self.fault(verb, $0) }
        do throws(StatusError) {
            if case .refuse(let error) = fault { throw error }
            let result = try body()
            if case .loseAnswer = fault { throw .timeout("the answer was lost") }
            return result
        } catch {
            throw RPCError(error)
        }
    }
}
