// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import ControllerKit
internal import Flags

/// The flags of `kube-controller-manager` that say how single controllers work, upstream's.
enum ControllerFlags {
    private static let evictionRate = Flag(
        "node-eviction-rate",
        default: 0.1,
        help: "`nodes` a second of a healthy zone whose pods are evicted when they fail"
    )
    private static let secondaryEvictionRate = Flag(
        "secondary-node-eviction-rate",
        default: 0.01,
        help: "the same of a large zone that is unhealthy"
    )
    private static let unhealthyThreshold = Flag(
        "unhealthy-zone-threshold",
        default: 0.55,
        help:
            "the `part` of a zone's nodes, and more than two, that must fail for it to be unhealthy"
    )
    private static let largeCluster = Flag(
        "large-cluster-size-threshold",
        default: 50,
        help: "`number` of nodes up to which a zone evicts nothing while it is unhealthy"
    )
    private static let endpointsPerSlice = Flag(
        "max-endpoints-per-slice",
        default: 100,
        help: "the most `endpoints` of an EndpointSlice"
    )
    private static let mirroredEndpoints = Flag(
        "mirroring-max-endpoints-per-subset",
        default: 1000,
        help: "the most `endpoints` of a subset that are mirrored"
    )
    private static let endpointsPeriod = Flag(
        "endpoint-updates-batch-period",
        default: Duration.zero,
        help: "from a pod's change until Endpoints follow, so that they follow many at once"
    )
    private static let slicesPeriod = Flag(
        "endpointslice-updates-batch-period",
        default: Duration.zero,
        help: "the same for EndpointSlices"
    )
    private static let mirroringPeriod = Flag(
        "mirroring-endpointslice-updates-batch-period",
        default: Duration.zero,
        help: "from a change of Endpoints until mirrored EndpointSlices follow"
    )
    private static let quotaPeriod = Flag(
        "resource-quota-sync-period",
        default: Duration.seconds(300),
        help: "from a count by admission until all that a quota counts is counted anew"
    )

    /// How many objects a controller works on at once, with upstream's defaults.
    private static let concurrency: [(controller: String, flag: Flag<Int>)] = [
        ("deployment-controller", "concurrent-deployment-syncs", 5),
        ("endpoints-controller", "concurrent-endpoint-syncs", 5),
        ("endpointslice-controller", "concurrent-service-endpoint-syncs", 5),
        (
            "endpointslice-mirroring-controller",
            "mirroring-concurrent-service-endpoint-syncs", 5
        ),
        ("garbage-collector-controller", "concurrent-gc-syncs", 20),
        ("namespace-controller", "concurrent-namespace-syncs", 10),
        ("replicaset-controller", "concurrent-replicaset-syncs", 5),
        ("replicationcontroller-controller", "concurrent-rc-syncs", 5),
        ("resourcequota-controller", "concurrent-resource-quota-syncs", 5),
        ("serviceaccount-token-controller", "concurrent-serviceaccount-token-syncs", 5),
        ("statefulset-controller", "concurrent-statefulset-syncs", 5),
        ("daemonset-controller", "concurrent-daemonset-syncs", 2),
        ("job-controller", "concurrent-job-syncs", 5),
        ("cronjob-controller", "concurrent-cron-job-syncs", 5),
        ("ttl-after-finished-controller", "concurrent-ttl-after-finished-syncs", 5),
        ("ephemeral-volume-controller", "concurrent-ephemeralvolume-syncs", 5),
    ].map { controller, name, count in
        let flag = Flag(
            name,
            default: count,
            help: "`number` of objects that \(controller) works on at once"
        )
        return (controller, flag)
    }

    static let all: [any AnyFlag] =
        [
            evictionRate, secondaryEvictionRate, unhealthyThreshold, largeCluster,
            endpointsPerSlice, mirroredEndpoints, endpointsPeriod, slicesPeriod, mirroringPeriod,
            quotaPeriod,
        ] + concurrency.map(\.flag)

    /// - Throws: when a number is out of its range.
    static func options(_ values: ParsedFlags) throws -> ControllerOptions {
        var options = ControllerOptions()
        options.nodeEvictionRate = values[Self.evictionRate]
        options.secondaryNodeEvictionRate = values[Self.secondaryEvictionRate]
        options.unhealthyZoneThreshold = values[Self.unhealthyThreshold]
        options.largeClusterSizeThreshold = values[Self.largeCluster]
        options.maximumEndpointsPerSlice = values[Self.endpointsPerSlice]
        // The range that upstream allows.
        guard (1...1000).contains(options.maximumEndpointsPerSlice) else {
            throw UsageError(
                "max-endpoints-per-slice must be in [1, 1000], but got"
                    + " \(options.maximumEndpointsPerSlice)"
            )
        }
        options.maximumMirroredEndpoints = values[Self.mirroredEndpoints]
        guard (1...1000).contains(options.maximumMirroredEndpoints) else {
            throw UsageError(
                "mirroring-max-endpoints-per-subset must be in [1, 1000], but got"
                    + " \(options.maximumMirroredEndpoints)"
            )
        }
        options.endpointsBatchPeriod = values[Self.endpointsPeriod]
        options.slicesBatchPeriod = values[Self.slicesPeriod]
        options.mirroringBatchPeriod = values[Self.mirroringPeriod]
        options.quotaSyncPeriod = values[Self.quotaPeriod]
        for (controller, flag) in Self.concurrency {
            options.workers[controller] = max(values[flag], 1)
        }
        return options
    }
}
