// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import Kubelet
internal import Scalars

/// Flags about logs, images and eviction, with upstream's names and defaults.
extension KubeletFlags {
    static let logSize = Flag(
        "container-log-max-size",
        default: "10Mi",
        help: "The maximum size (e.g. 10Mi) of a container log file before it is rotated."
    )
    static let logFiles = Flag(
        "container-log-max-files",
        default: 5,
        help: "The maximum number of log files that can be present for a container. The number "
            + "must be >= 2."
    )
    static let logInterval = Flag(
        "container-log-monitor-interval",
        default: Duration.seconds(10),
        help: "How often containers' logs are looked at; sooner when they grow fast."
    )
    static let imageHigh = Flag(
        "image-gc-high-threshold",
        default: 85,
        help: "The percent of disk usage after which image garbage collection is always run. Set "
            + "to 100 to disable."
    )
    static let imageLow = Flag(
        "image-gc-low-threshold",
        default: 80,
        help: "The percent of disk usage that image garbage collection aims at."
    )
    static let imageAge = Flag(
        "minimum-image-ttl-duration",
        default: Duration.seconds(120),
        help: "Minimum age for an unused image before it is garbage collected."
    )
    static let evictionHard = Flag(
        "eviction-hard",
        default: "imagefs.available<15%,imagefs.inodesFree<5%,memory.available<100Mi,"
            + "nodefs.available<10%,nodefs.inodesFree<5%",
        help:
            "A set of eviction thresholds (e.g. memory.available<1Gi) that if met would trigger a "
            + "pod eviction."
    )
    static let evictionSoft = Flag(
        "eviction-soft",
        default: "",
        help: "A set of eviction thresholds (e.g. memory.available<1.5Gi) that if met over a "
            + "corresponding grace period would trigger a pod eviction."
    )
    static let evictionSoftGrace = Flag(
        "eviction-soft-grace-period",
        default: [String: String](),
        help: "A set of eviction grace periods (e.g. memory.available=1m30s) that correspond to "
            + "how long a soft eviction threshold must hold before triggering a pod eviction."
    )
    static let evictionMaximumGrace = Flag(
        "eviction-max-pod-grace-period",
        default: 0,
        help: "Maximum allowed grace period (in seconds) to use when terminating pods in response "
            + "to a soft eviction threshold being met."
    )
    static let evictionReclaim = Flag(
        "eviction-minimum-reclaim",
        default: [String: String](),
        help: "A set of minimum reclaims (e.g. imagefs.available=2Gi) that describes the minimum "
            + "amount of resource the kubelet will reclaim when performing a pod eviction."
    )
    static let evictionTransition = Flag(
        "eviction-pressure-transition-period",
        default: Duration.seconds(300),
        help: "Duration for which the kubelet has to wait before transitioning out of an eviction "
            + "pressure condition."
    )

    static let housekeeping: [any AnyFlag] = [
        Self.logSize, Self.logFiles, Self.logInterval, Self.imageHigh, Self.imageLow,
        Self.imageAge, Self.evictionHard, Self.evictionSoft, Self.evictionSoftGrace,
        Self.evictionMaximumGrace, Self.evictionReclaim, Self.evictionTransition,
    ]

    /// Takes the flags that are given.
    static func keepHouse(_ settings: inout KubeletSettings, _ flags: ParsedFlags) throws {
        if flags.isSet(Self.logSize) {
            guard let size = try? Quantity(parsing: flags[Self.logSize]) else {
                throw UsageError(
                    "--container-log-max-size: '\(flags[Self.logSize])' is no quantity"
                )
            }
            settings.logMaximumBytes = size.value
        }
        if flags.isSet(Self.logFiles) {
            guard flags[Self.logFiles] >= 2 else {
                throw UsageError(
                    "--container-log-max-files: \(flags[Self.logFiles]) is less than 2"
                )
            }
            settings.logMaximumFiles = flags[Self.logFiles]
        }
        if flags.isSet(Self.logInterval) { settings.logMonitorInterval = flags[Self.logInterval] }
        if flags.isSet(Self.imageHigh) { settings.imageHighThreshold = flags[Self.imageHigh] }
        if flags.isSet(Self.imageLow) { settings.imageLowThreshold = flags[Self.imageLow] }
        guard 0...100 ~= settings.imageHighThreshold, 0...100 ~= settings.imageLowThreshold,
            settings.imageLowThreshold < settings.imageHighThreshold
        else {
            throw UsageError(
                "--image-gc-low-threshold: must be from 0 to 100 and less than "
                    + "--image-gc-high-threshold"
            )
        }
        if flags.isSet(Self.imageAge) { settings.imageMinimumAge = flags[Self.imageAge] }
        try Self.evict(&settings, flags)
    }

    private static func evict(_ settings: inout KubeletSettings, _ flags: ParsedFlags) throws {
        if flags.isSet(Self.evictionHard) {
            settings.evictionHard = try Self.thresholds(flags[Self.evictionHard])
        }
        if flags.isSet(Self.evictionSoft) {
            settings.evictionSoft = try Self.thresholds(flags[Self.evictionSoft])
        }
        for (signal, text) in flags[Self.evictionSoftGrace] {
            guard let grace = Duration(flag: text) else {
                throw UsageError("--eviction-soft-grace-period: '\(text)' is no duration")
            }
            settings.evictionSoftGracePeriod[signal] = grace
        }
        if flags.isSet(Self.evictionMaximumGrace) {
            settings.evictionMaximumPodGracePeriod = Int64(flags[Self.evictionMaximumGrace])
        }
        if flags.isSet(Self.evictionReclaim) {
            settings.evictionMinimumReclaim = flags[Self.evictionReclaim]
        }
        if flags.isSet(Self.evictionTransition) {
            settings.evictionPressureTransition = flags[Self.evictionTransition]
        }
    }

    /// `SIGNAL<VALUE` pairs between commas.
    private static func thresholds(_ text: String) throws -> [String: String] {
        var result: [String: String] = [:]
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "<", omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw UsageError("'\(pair)' is no threshold such as memory.available<1Gi")
            }
            result[String(parts[0])] = String(parts[1])
        }
        return result
    }
}
