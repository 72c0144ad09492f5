// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Synchronization
import WatchCache

/// The named checks behind `/livez`, `/readyz` and `/healthz`.
///
/// Source: upstream k8s.io/apiserver `pkg/server/healthz/healthz.go`.
final class HealthChecks: Sendable {
    private let shared: StoreCache
    private let state = Mutex(State())

    private struct State {
        var isBootstrapped = false
        var isShuttingDown = false
    }

    /// The endpoints, each with its own set of checks.
    enum Endpoint: String {
        case livez
        case readyz
        case healthz
    }

    init(shared: StoreCache) {
        self.shared = shared
    }

    /// Everything that has to exist exists.
    func bootstrapIsDone() { self.state.withLock { $0.isBootstrapped = true } }

    /// The server goes away: not ready from now on.
    func shutDown() { self.state.withLock { $0.isShuttingDown = true } }

    /// The checks of an endpoint: name, and what is wrong.
    private func checks(_ endpoint: Endpoint) -> [(name: String, failure: String?)] {
        let state = self.state.withLock { $0 }
        var checks: [(String, String?)] = [("ping", nil), ("log", nil)]
        checks.append(("etcd", self.shared.failure))
        if endpoint == .readyz {
            checks.append(("etcd-readiness", self.shared.failure))
            checks.append(("informer-sync", self.shared.isReady ? nil : "not synced"))
        }
        let bootstrap = state.isBootstrapped ? nil : "not finished"
        for name in [
            "poststarthook/start-apiserver-admission-initializer",
            "poststarthook/generic-apiserver-start-informers",
            "poststarthook/priority-and-fairness-config-producer",
            "poststarthook/scheduling/bootstrap-system-priority-classes",
            "poststarthook/rbac/bootstrap-roles",
            "poststarthook/start-service-ip-repair-controllers",
            "poststarthook/start-kubernetes-service-cidr-controller",
            "poststarthook/bootstrap-controller",
        ] {
            checks.append((name, bootstrap))
        }
        if endpoint == .readyz {
            checks.append(("shutdown", state.isShuttingDown ? "process is shutting down" : nil))
        }
        return checks
    }

    /// The answer of an endpoint.
    ///
    /// - Parameters:
    ///   - check: only the check of this name.
    ///   - isVerbose: whether all checks are listed when all is well.
    ///   - excluded: checks that do not count.
    func answer(
        _ endpoint: Endpoint,
        check: String? = nil,
        isVerbose: Bool = false,
        excluded: [String] = []
    ) -> (code: Int, text: String) {
        let checks = self.checks(endpoint)
        if let check {
            guard let found = checks.first(where: { $0.name == check }) else {
                return (404, "404 page not found\n")
            }
            if let failure = found.failure {
                return (500, "internal server error: \(failure)\n")
            }
            return (200, "ok")
        }
        var text = ""
        var hasFailed = false
        for (name, failure) in checks {
            if excluded.contains(name) {
                text += "[+]\(name) excluded: ok\n"
            } else if failure != nil {
                hasFailed = true
                text += "[-]\(name) failed: reason withheld\n"
            } else {
                text += "[+]\(name) ok\n"
            }
        }
        if hasFailed { return (500, text + "\(endpoint.rawValue) check failed\n") }
        return (200, isVerbose ? text + "\(endpoint.rawValue) check passed\n" : "ok")
    }
}
