// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeHost
import PodLifecycle
import Scalars

/// The cgroups of pods and of their QoS classes.
///
/// Source: upstream `pkg/kubelet/cm/pod_container_manager_linux.go`, `qos_container_manager_linux.go`.
struct PodCgroups: Sendable {
    let cgroups: Cgroups
    let enforcesCPULimits: Bool
    let pidsLimit: Int64

    /// `kubepods`, or the class' group in it.
    static func parent(_ qos: QOSClass) -> String {
        switch qos {
        case .guaranteed: "kubepods"
        case .burstable: "kubepods/burstable"
        case .bestEffort: "kubepods/besteffort"
        }
    }

    static func name(_ pod: CoreV1.Pod) -> String {
        "\(Self.parent(QOSClass(of: pod)))/pod\(pod.metadata.uid)"
    }

    /// The path for the runtime.
    func path(_ pod: CoreV1.Pod) -> String { self.cgroups.path(Self.name(pod)) }

    /// Makes the groups of the classes. Blocks.
    ///
    /// - Parameter limits: what all pods may use together.
    func ensureClasses(limits: [String: Scalars.Quantity]) throws(HostError) {
        var all = Cgroups.Settings()
        all.cpuShares = ResourceMath.shares(milli: limits["cpu"]?.milliValue ?? 0)
        all.memoryLimit = limits["memory"]?.value
        try self.cgroups.ensure("kubepods", all)
        var best = Cgroups.Settings()
        best.cpuShares = ResourceMath.minimumShares
        try self.cgroups.ensure("kubepods/besteffort", best)
        try self.cgroups.ensure("kubepods/burstable", Cgroups.Settings())
    }

    /// Sets the shares of the burstable class to what its pods ask for. Blocks.
    func updateBurstable(_ pods: [CoreV1.Pod]) throws(HostError) {
        let milli = pods.filter { QOSClass(of: $0) == .burstable }
            .reduce(0) { $0 + PodResources(of: $1).cpuRequestMilli }
        var settings = Cgroups.Settings()
        settings.cpuShares = ResourceMath.shares(milli: milli)
        try self.cgroups.ensure("kubepods/burstable", settings)
    }

    /// Makes the group of a pod. Blocks.
    func ensure(_ pod: CoreV1.Pod) throws(HostError) {
        try self.cgroups.ensure(Self.name(pod), self.settings(pod))
    }

    func settings(_ pod: CoreV1.Pod) -> Cgroups.Settings {
        let resources = PodResources(of: pod)
        var settings = Cgroups.Settings()
        settings.pidsLimit = self.pidsLimit > 0 ? self.pidsLimit : nil
        let isGuaranteed = QOSClass(of: pod) == .guaranteed
        let limit = resources.limits["cpu"]?.milliValue ?? 0
        let request = resources.cpuRequestMilli
        settings.cpuShares = ResourceMath.shares(
            milli: request == 0 && isGuaranteed ? limit : request
        )
        guard QOSClass(of: pod) != .bestEffort else {
            settings.cpuShares = ResourceMath.minimumShares
            return settings
        }
        if self.enforcesCPULimits, resources.limited.contains("cpu"), limit > 0 {
            settings.cpuQuota = ResourceMath.quota(milli: limit)
            settings.cpuPeriod = ResourceMath.quotaPeriod
        }
        if resources.limited.contains("memory"), let memory = resources.limits["memory"]?.value {
            settings.memoryLimit = memory
        }
        return settings
    }

    /// Ends what still runs of a pod and removes its group. Blocks.
    @discardableResult
    func remove(_ pod: CoreV1.Pod) -> Bool { self.cgroups.remove(Self.name(pod)) }

    /// Names of groups of pods that are there, by UID. Blocks.
    func existing() -> [String: String] {
        var result: [String: String] = [:]
        for parent in ["kubepods", "kubepods/burstable", "kubepods/besteffort"] {
            for child in self.cgroups.children(parent) where child.hasPrefix("pod") {
                result[String(child.dropFirst(3))] = "\(parent)/\(child)"
            }
        }
        return result
    }
}
