// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
package import ObjectModel
import Protobuf
import ResourceClient

/// What a reflector does next: lists, then watches from where the list ended, for ever.
///
/// Source: upstream client-go `tools/cache/reflector.go`.
package struct ReflectorState {
    package enum Step: Equatable {
        /// List at least as new as the version; empty is the latest, `0` what is at hand.
        case list(resourceVersion: String)
        /// Watch what comes after the version.
        case watch(resourceVersion: String)
    }

    /// First wait after a failure.
    package static let initialBackoff: Duration = .milliseconds(200)
    /// The longest wait.
    package static let maximumBackoff: Duration = .seconds(10)

    /// How far the store has come; empty before the first list.
    package private(set) var resourceVersion = ""
    private var needsList = true
    private var isExpired = false
    private var failures = 0

    package init() {}

    package var step: Step {
        guard self.needsList else { return .watch(resourceVersion: self.resourceVersion) }
        // The first list takes what the server has at hand; later ones never go back in time.
        if self.isExpired { return .list(resourceVersion: "") }
        return .list(resourceVersion: self.resourceVersion.isEmpty ? "0" : self.resourceVersion)
    }

    /// The list was taken over.
    package mutating func listed(resourceVersion: String) {
        self.resourceVersion = resourceVersion
        self.needsList = false
        self.isExpired = false
        self.failures = 0
    }

    /// Events up to a version were taken over.
    package mutating func advanced(to resourceVersion: String) {
        if !resourceVersion.isEmpty { self.resourceVersion = resourceVersion }
        self.failures = 0
    }

    /// The server ended the watch in good order.
    ///
    /// - Parameter sawEvents: whether anything came; a server that only ends watches is not asked
    ///   again at once.
    /// - Returns: how long to wait before the next step.
    package mutating func watchEnded(sawEvents: Bool, jitter: Double) -> Duration {
        sawEvents ? .zero : self.backOff(jitter)
    }

    /// The step failed.
    ///
    /// - Parameter jitter: a random number from 0 to 1.
    /// - Returns: how long to wait before the next step.
    package mutating func failed(_ error: StatusError, jitter: Double) -> Duration {
        let isTooLarge =
            error.status.details?.causes.contains { $0.reason == "ResourceVersionTooLarge" } == true
        if error.isExpired || isTooLarge {
            // A list that is expired itself cannot be made at that version.
            if self.needsList { self.isExpired = true }
            self.needsList = true
            if self.failures == 0 {
                self.failures = 1
                return .zero
            }
        }
        return self.backOff(jitter)
    }

    private mutating func backOff(_ jitter: Double) -> Duration {
        let factor = 1 << min(self.failures, 10)
        self.failures += 1
        let wait = min(Self.initialBackoff * factor, Self.maximumBackoff)
        return wait * (1 + jitter)
    }
}
