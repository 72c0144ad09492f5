// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a plugin will not have a pod, on one node or on any.
package final class Rejection: Sendable, Equatable {
    /// Whether removing pods from the node could help, which is what preemption asks.
    package let isResolvable: Bool
    /// In upstream's words.
    package let reasons: [String]

    package init(isResolvable: Bool, reasons: [String]) {
        self.isResolvable = isResolvable
        self.reasons = reasons
    }

    /// A refusal that may end when pods leave the node: upstream's `Unschedulable`.
    package static func resolvable(_ reasons: String...) -> Rejection {
        Rejection(isResolvable: true, reasons: reasons)
    }

    /// A refusal that no preemption ends: upstream's `UnschedulableAndUnresolvable`.
    package static func unresolvable(_ reasons: String...) -> Rejection {
        Rejection(isResolvable: false, reasons: reasons)
    }

    package static func == (left: Rejection, right: Rejection) -> Bool {
        left.isResolvable == right.isResolvable && left.reasons == right.reasons
    }
}
