// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import JSON
import Scalars

extension SchedulerConfiguration {
    /// The configuration in effect, as the page `/configz` shows it: upstream prints its internal
    /// type, so keys are as Go's fields are called.
    ///
    /// Source: upstream `cmd/kube-scheduler/app/server.go`, installMetricHandler and configz.
    package var page: DynamicValue {
        let election = self.leaderElection
        return [
            "componentconfig": [
                "LeaderElection": [
                    "LeaderElect": DynamicValue(election.leaderElect),
                    "LeaseDuration": Self.text(election.leaseDuration),
                    "RenewDeadline": Self.text(election.renewDeadline),
                    "RetryPeriod": Self.text(election.retryPeriod),
                    "ResourceLock": "leases",
                    "ResourceName": DynamicValue(election.resourceName),
                    "ResourceNamespace": DynamicValue(election.resourceNamespace),
                ],
                "ClientConnection": ["Kubeconfig": DynamicValue(self.kubeconfig)],
                "EnableProfiling": DynamicValue(self.enableProfiling),
                "PercentageOfNodesToScore": DynamicValue(self.percentageOfNodesToScore),
                "PodInitialBackoffSeconds": DynamicValue(self.podInitialBackoffSeconds),
                "PodMaxBackoffSeconds": DynamicValue(self.podMaxBackoffSeconds),
                "Profiles": DynamicValue(self.profiles.map(\.page)),
                "Extenders": .null,
            ]
        ]
    }

    private static func text(_ duration: Duration) -> DynamicValue {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        return DynamicValue(GoDuration(nanoseconds: nanoseconds).description)
    }
}

extension Profile {
    fileprivate var page: DynamicValue {
        [
            "SchedulerName": DynamicValue(self.name),
            "PercentageOfNodesToScore": DynamicValue(self.percentageOfNodesToScore),
            "Plugins": [
                "PreEnqueue": Self.set(self.preEnqueue.map { ($0.name, 0) }),
                "QueueSort": Self.set([(.prioritySort, 0)]),
                "Filter": Self.set(self.filters.map { ($0.name, 0) }),
                "PostFilter": Self.set(self.preemption == nil ? [] : [(.defaultPreemption, 0)]),
                "Score": Self.set(self.scores.map { ($0.plugin.name, $0.weight) }),
                "Bind": Self.set([(.defaultBinder, 0)]),
            ],
        ]
    }

    private static func set(_ plugins: [(name: PluginName, weight: Int64)]) -> DynamicValue {
        [
            "Enabled": DynamicValue(
                plugins.map { plugin -> DynamicValue in
                    [
                        "Name": DynamicValue(plugin.name.rawValue),
                        "Weight": DynamicValue(plugin.weight),
                    ]
                }
            ),
            "Disabled": .null,
        ]
    }
}
