// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import PodLifecycle
import Scalars

extension KubeletSettings {
    /// The configuration in effect, as `/configz` shows it: a `KubeletConfiguration` of the fields
    /// that have an effect here.
    ///
    /// Source: upstream `staging/src/k8s.io/kubelet/config/v1beta1/types.go`.
    var document: DynamicValue {
        var tree: DynamicValue = [
            "kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "cgroupDriver": "cgroupfs",
        ]
        tree["authentication"] = [
            "x509": ["clientCAFile": DynamicValue(self.clientCAFile)],
            "webhook": ["enabled": true],
            "anonymous": ["enabled": DynamicValue(self.allowsAnonymous)],
        ]
        tree["authorization"] = [
            "mode": self.usesWebhookAuthorization ? "Webhook" : "AlwaysAllow"
        ]
        tree["clusterDNS"] = Self.value(self.clusterDNS)
        tree["evictionHard"] = Self.value(self.evictionHard)
        let texts = [
            ("podLogsDir", self.podLogsDirectory), ("address", self.address),
            ("healthzBindAddress", self.healthzAddress), ("clusterDomain", self.clusterDomain),
            ("containerRuntimeEndpoint", "unix://\(self.runtimeEndpoint)"),
            ("resolvConf", self.resolverConfiguration), ("cgroupRoot", self.cgroupRoot),
            ("containerLogMaxSize", Self.size(self.logMaximumBytes)),
            ("syncFrequency", Self.text(self.syncFrequency)),
            ("nodeStatusUpdateFrequency", Self.text(self.nodeStatusUpdateFrequency)),
            ("nodeStatusReportFrequency", Self.text(self.nodeStatusReportFrequency)),
            ("imageMinimumGCAge", Self.text(self.imageMinimumAge)),
            ("containerLogMonitorInterval", Self.text(self.logMonitorInterval)),
            ("evictionPressureTransitionPeriod", Self.text(self.evictionPressureTransition)),
        ]
        for (key, text) in texts { tree[key] = DynamicValue(text) }
        let numbers: [(String, Int64)] = [
            ("port", Int64(self.port)), ("healthzPort", Int64(self.healthzPort)),
            ("nodeLeaseDurationSeconds", self.leaseDuration.components.seconds),
            ("podPidsLimit", self.podPidsLimit), ("maxPods", Int64(self.maximumPods)),
            ("imageGCHighThresholdPercent", Int64(self.imageHighThreshold)),
            ("imageGCLowThresholdPercent", Int64(self.imageLowThreshold)),
            ("containerLogMaxFiles", Int64(self.logMaximumFiles)),
            ("evictionMaxPodGracePeriod", self.evictionMaximumPodGracePeriod),
        ]
        for (key, number) in numbers { tree[key] = DynamicValue(number) }
        let flags = [
            ("rotateCertificates", self.rotatesCertificates),
            ("serverTLSBootstrap", self.requestsServingCertificate),
            ("registerNode", self.registersNode), ("cgroupsPerQOS", self.cgroupsPerQOS),
            ("cpuCFSQuota", self.enforcesCPULimits), ("seccompDefault", self.seccompDefault),
            ("serializeImagePulls", self.serializesImagePulls),
        ]
        for (key, flag) in flags { tree[key] = DynamicValue(flag) }
        self.addOptional(to: &tree)
        return tree
    }

    /// Fields that are left out when they say nothing.
    private func addOptional(to tree: inout DynamicValue) {
        if let path = self.staticPodPath { tree["staticPodPath"] = DynamicValue(path) }
        let texts = [
            ("tlsCertFile", self.certificateFile), ("tlsPrivateKeyFile", self.privateKeyFile),
            ("providerID", self.providerID),
        ]
        for (key, text) in texts where !text.isEmpty { tree[key] = DynamicValue(text) }
        let maps = [
            ("systemReserved", self.systemReserved), ("kubeReserved", self.kubeReserved),
            ("evictionSoft", self.evictionSoft),
            ("evictionMinimumReclaim", self.evictionMinimumReclaim),
            (
                "evictionSoftGracePeriod",
                self.evictionSoftGracePeriod.mapValues { Self.text($0) }
            ),
        ]
        for (key, map) in maps where !map.isEmpty { tree[key] = Self.value(map) }
        if !self.allowedUnsafeSysctls.isEmpty {
            tree["allowedUnsafeSysctls"] = Self.value(self.allowedUnsafeSysctls)
        }
        if let limit = self.maximumParallelPulls {
            tree["maxParallelImagePulls"] = DynamicValue(limit)
        }
        let taints = self.nodeTaints.compactMap { NodeReporter.taint($0) }
        guard !taints.isEmpty else { return }
        tree["registerWithTaints"] = DynamicValue(
            taints.map { taint -> DynamicValue in
                [
                    "key": DynamicValue(taint.key), "value": DynamicValue(taint.value),
                    "effect": DynamicValue(taint.effect),
                ]
            }
        )
    }

    private static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        return GoDuration(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000).text
    }

    private static func value(_ words: [String]) -> DynamicValue {
        DynamicValue(words.map { DynamicValue($0) })
    }

    private static func value(_ map: [String: String]) -> DynamicValue {
        var tree: DynamicValue = [:]
        for (key, text) in map { tree[key] = DynamicValue(text) }
        return tree
    }

    /// `10Mi` where it is so many whole ones.
    private static func size(_ bytes: Int64) -> String {
        bytes > 0 && bytes % (1 << 20) == 0 ? "\(bytes >> 20)Mi" : "\(bytes)"
    }
}
