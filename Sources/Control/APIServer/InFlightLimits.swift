// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import ObjectModel
import RequestInfo
import Synchronization

/// How many requests may be under way at once, by class: what one class has is never taken by
/// another, so that the traffic of the system and of nodes flows whatever others do.
///
/// Watches and other requests that last are counted at their start only, by their connection's
/// limit of streams.
///
/// Source: upstream `--max-requests-inflight`, `--max-mutating-requests-inflight`; KEP-1040 for the
/// classes.
final class InFlightLimits: Sendable {
    /// Whose requests share a limit.
    enum Class: Int, CaseIterable, Sendable {
        /// Nodes and the control plane.
        case system
        case reading
        case writing
    }

    private let limits: [Int]
    private let running = Mutex<[Int]>(Array(repeating: 0, count: Class.allCases.count))

    init(reading: Int, writing: Int) {
        self.limits = [reading + writing, reading, writing]
    }

    /// The class of a request; nil for one that always passes.
    static func classify(_ user: UserInfo, isReadOnly: Bool) -> Class? {
        if user.isMaster { return nil }
        if user.isNode || user.name.hasPrefix("system:kube-")
            || user.groups.contains("system:serviceaccounts:kube-system")
        {
            return .system
        }
        return isReadOnly ? .reading : .writing
    }

    /// Runs a request if there is room for it.
    func run<R>(
        _ kind: Class?,
        _ body: () async throws(StatusError) -> R
    ) async throws(StatusError) -> R {
        guard let kind else { return try await body() }
        let hasRoom = self.running.withLock { running in
            guard running[kind.rawValue] < self.limits[kind.rawValue] else { return false }
            running[kind.rawValue] += 1
            return true
        }
        guard hasRoom else {
            throw .tooManyRequests(
                "Too many requests, please try again later.",
                retryAfterSeconds: 1
            )
        }
        defer { self.running.withLock { $0[kind.rawValue] -= 1 } }
        return try await body()
    }

    /// How many requests of a class are under way.
    func count(_ kind: Class) -> Int { self.running.withLock { $0[kind.rawValue] } }
}
