// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import JSON
import LeaderElection
import Scalars

extension ControllerManager.Configuration {
    /// What `/configz` shows, by the names of upstream's KubeControllerManagerConfiguration.
    package var document: DynamicValue {
        let election = self.leaderElection
        let settings = self.settings
        let options = settings.options
        let generic: DynamicValue = [
            "LeaderElection": [
                "LeaderElect": DynamicValue(self.leaderElects),
                "LeaseDuration": Self.text(election.leaseDuration),
                "RenewDeadline": Self.text(election.renewDeadline),
                "RetryPeriod": Self.text(election.retryPeriod),
                "ResourceLock": "leases",
                "ResourceName": DynamicValue(election.name),
                "ResourceNamespace": DynamicValue(election.namespace),
            ],
            "Controllers": Self.list(self.controllers),
        ]
        let shared: DynamicValue = [
            "UseServiceAccountCredentials": DynamicValue(self.usesServiceAccounts),
            "AllocateNodeCIDRs": DynamicValue(settings.allocatesNodeCIDRs),
            "ClusterCIDR": DynamicValue(settings.clusterCIDRs.joined(separator: ",")),
        ]
        let addresses: DynamicValue = [
            "ServiceCIDR": DynamicValue(settings.serviceCIDRs.first ?? ""),
            "SecondaryServiceCIDR": DynamicValue(settings.serviceCIDRs.dropFirst().first ?? ""),
            "NodeCIDRMaskSizeIPv4": DynamicValue(Int64(settings.nodeMaskIPv4)),
            "NodeCIDRMaskSizeIPv6": DynamicValue(Int64(settings.nodeMaskIPv6)),
        ]
        let lifecycle: DynamicValue = [
            "NodeMonitorGracePeriod": Self.text(settings.nodeGracePeriod),
            "NodeStartupGracePeriod": Self.text(settings.nodeStartupGracePeriod),
            "NodeEvictionRate": Self.number(options.nodeEvictionRate),
            "SecondaryNodeEvictionRate": Self.number(options.secondaryNodeEvictionRate),
            "UnhealthyZoneThreshold": Self.number(options.unhealthyZoneThreshold),
            "LargeClusterSizeThreshold": DynamicValue(options.largeClusterSizeThreshold),
        ]
        return [
            "kubecontrollermanager.config.k8s.io": [
                "Generic": generic,
                "KubeCloudShared": shared,
                "CSRSigningController": [
                    "ClusterSigningDuration": Self.text(settings.signingDuration)
                ],
                "NodeIPAMController": addresses,
                "NodeLifecycleController": lifecycle,
                "EndpointSliceController": [
                    "MaxEndpointsPerSlice": DynamicValue(Int64(options.maximumEndpointsPerSlice))
                ],
                "ResourceQuotaController": [
                    "ResourceQuotaSyncPeriod": Self.text(options.quotaSyncPeriod)
                ],
                "PodGCController": [
                    "TerminatedPodGCThreshold": DynamicValue(
                        Int64(settings.terminatedPodThreshold)
                    )
                ],
            ]
        ]
    }

    private static func text(_ duration: Duration) -> DynamicValue {
        DynamicValue(
            GoDuration(nanoseconds: Int64(duration / .nanoseconds(1))).text
        )
    }

    /// JSON has no number that is not finite; flags take none.
    private static func number(_ number: Double) -> DynamicValue {
        DynamicValue(number) ?? .null
    }

    private static func list(_ texts: [String]) -> DynamicValue {
        DynamicValue(texts.map { DynamicValue($0) })
    }
}
