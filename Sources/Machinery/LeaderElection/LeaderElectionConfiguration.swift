// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Which Lease is fought for, by whom, and how patiently.
public struct LeaderElectionConfiguration: Sendable, Hashable {
    /// Namespace of the Lease.
    public var namespace: String
    /// Name of the Lease, such as `kube-controller-manager`.
    public var name: String
    /// Unique among the candidates.
    public var identity: String
    /// How long others wait before they take the Lease of a leader that is silent.
    public var leaseDuration: Duration = .seconds(15)
    /// How long the leader tries to renew before it gives up.
    public var renewDeadline: Duration = .seconds(10)
    /// Between two tries.
    public var retryPeriod: Duration = .seconds(2)
    /// Gives the Lease up when the leader ends.
    public var releasesOnCancel = true

    public init(namespace: String = "kube-system", name: String, identity: String) {
        self.namespace = namespace
        self.name = name
        self.identity = identity
    }
}
