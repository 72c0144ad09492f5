// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GRPCServices
import Protobuf
import RPC
import RPCInterface

/// What ``HealthStatusService`` keeps behind its lock: statuses and who watches them.
struct HealthState {
    typealias Status = HealthStatusService.Status

    /// Where a watcher's changes go.
    enum Outlet {
        /// To a task, which looks for itself.
        case task(AsyncStream<Void>.Continuation)
        /// Into the call.
        case call(any RPCDeferredCall)
    }

    /// One `Watch`. It sees the newest status only, so a slow client costs no memory.
    struct Watcher {
        let service: String
        let outlet: Outlet
        /// What was written into the call last.
        var last: Status?
        /// Whether the client has to read before the next message is written into the call.
        var isFull = false
    }

    /// Who is left to be told, without the lock.
    struct Told {
        var tasks: [AsyncStream<Void>.Continuation] = []
        /// Calls that are full now.
        var full: [(number: Int, call: any RPCDeferredCall)] = []
    }

    let maximumWatchers: Int
    private(set) var statuses: [String: Status] = ["": .serving]
    var watchers: [Int: Watcher] = [:]
    private var lastNumber = 0
    private var isShutDown = false

    init(maximumWatchers: Int) { self.maximumWatchers = maximumWatchers }

    /// Sets a status.
    ///
    /// - Returns: the watchers whose service has changed.
    mutating func set(_ status: Status, for service: String) -> [Int] {
        guard !self.isShutDown, self.statuses[service] != status else { return [] }
        self.statuses[service] = status
        return self.watchers.compactMap { $0.value.service == service ? $0.key : nil }
    }

    /// Ends all services.
    ///
    /// - Returns: all watchers.
    mutating func shutDown() -> [Int] {
        self.isShutDown = true
        for service in self.statuses.keys { self.statuses[service] = .notServing }
        return Array(self.watchers.keys)
    }

    /// A watcher's number.
    mutating func takeNumber() -> Int {
        self.lastNumber += 1
        return self.lastNumber
    }

    /// Adds a watcher.
    ///
    /// - Returns: its number; nil when there are too many.
    mutating func add(_ service: String, _ outlet: Outlet, as number: Int? = nil) -> Int? {
        guard self.watchers.count < self.maximumWatchers else { return nil }
        let number = number ?? self.takeNumber()
        self.watchers[number] = Watcher(service: service, outlet: outlet)
        return number
    }

    /// Writes a watcher's status into its call if it is another than the last, or notes its task.
    mutating func tell(_ number: Int, _ told: inout Told) {
        guard let watcher = self.watchers[number] else { return }
        switch watcher.outlet {
        case .task(let wake): told.tasks.append(wake)
        case .call(let call):
            let status = self.statuses[watcher.service] ?? .serviceUnknown
            guard !watcher.isFull, status != watcher.last else { return }
            let response = Health.HealthCheckResponse.with { $0.status = status }
            // An error means that the call is over, which the watcher hears another way.
            let hasRoom = try? call.append { sink in try response.encodeRPC(to: &sink) }
            self.watchers[number]?.last = status
            if hasRoom == false {
                self.watchers[number]?.isFull = true
                told.full.append((number, call))
            }
        }
    }
}
