// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Flags

/// The flags of leader election, which components of which one works at a time have alike.
///
/// Source: upstream `k8s.io/component-base/config/options/leaderelectionconfig.go`.
struct LeaderElectionFlags: Sendable {
    let elects = Flag(
        "leader-elect",
        default: true,
        help: "work only while this one of several replicas leads"
    )
    let leaseDuration = Flag(
        "leader-elect-lease-duration",
        default: Duration.seconds(15),
        help: "how long others wait for a leader that is silent"
    )
    let renewDeadline = Flag(
        "leader-elect-renew-deadline",
        default: Duration.seconds(10),
        help: "how long the leader tries to renew before it stops leading"
    )
    let retryPeriod = Flag(
        "leader-elect-retry-period",
        default: Duration.seconds(2),
        help: "the time between two tries"
    )
    let leaseNamespace = Flag(
        "leader-elect-resource-namespace",
        default: "kube-system",
        help: "the `namespace` of the Lease"
    )
    let leaseName: Flag<String>

    /// - Parameter component: what the Lease is called when nobody says otherwise.
    init(component: String) {
        self.leaseName = Flag(
            "leader-elect-resource-name",
            default: component,
            help: "the `name` of the Lease"
        )
    }

    var all: [any AnyFlag] {
        [
            self.elects, self.leaseDuration, self.renewDeadline, self.retryPeriod,
            self.leaseNamespace, self.leaseName,
        ]
    }
}
