// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit
package import PKI

/// What the flags say about single controllers.
package struct ControllerSettings: Sendable {
    /// `--allocate-node-cidrs`, `--cluster-cidr`, `--service-cluster-ip-range`.
    package var allocatesNodeCIDRs = false
    package var clusterCIDRs: [String] = []
    package var serviceCIDRs: [String] = []
    /// `--node-cidr-mask-size-ipv4`, `--node-cidr-mask-size-ipv6`.
    package var nodeMaskIPv4 = 24
    package var nodeMaskIPv6 = 64
    /// `--node-monitor-grace-period`.
    package var nodeGracePeriod: Duration = .seconds(50)
    /// `--node-startup-grace-period`.
    package var nodeStartupGracePeriod: Duration = .seconds(60)
    /// `--terminated-pod-gc-threshold`.
    package var terminatedPodThreshold = 12500
    /// Of `--cluster-signing-cert-file` and `--cluster-signing-key-file`; nil signs nothing.
    package var authority: CertificateAuthority?
    /// `--cluster-signing-duration`.
    package var signingDuration: Duration = .seconds(365 * 24 * 3600)
    /// Of `--service-account-private-key-file`; nil makes no tokens for Secrets.
    package var tokenKey: PrivateKey?
    package var options = ControllerOptions()

    package init() {}
}
