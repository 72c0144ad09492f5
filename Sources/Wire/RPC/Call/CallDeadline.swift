// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface

/// When a call must be over.
enum CallDeadline {
    /// The earlier of the options' deadline and timeout.
    static func of(
        _ options: CallOptions,
        default defaultTimeout: Duration?
    ) -> ContinuousClock.Instant? {
        guard let timeout = options.timeout ?? defaultTimeout else { return options.deadline }
        let other = ContinuousClock.now.advanced(by: min(timeout, Self.longest))
        return options.deadline.map { min($0, other) } ?? other
    }

    /// The longest timeout: one that can be added to any time.
    static let longest: Duration = .seconds(100 * 365 * 86_400)

    static var exceeded: RPCError {
        RPCError(code: .deadlineExceeded, message: "deadline exceeded")
    }
}
