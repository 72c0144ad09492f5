// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import PodLifecycle
import Scalars
import YAML

extension KubeletSettings {
    private static let apiVersion = "kubelet.config.k8s.io/v1beta1"

    /// Takes over what a `KubeletConfiguration` v1beta1 in YAML or JSON says.
    ///
    /// Unknown fields and values that cannot be used are refused. Source: fact table `json_types`;
    /// upstream `pkg/kubelet/apis/config/v1beta1/defaults.go`, `validation/validation.go`.
    ///
    /// - Returns: fields that are set, are upstream's, and have no effect here.
    package mutating func read(
        configuration bytes: [UInt8]
    ) throws(ConfigurationError) -> [String] {
        let value: DynamicValue
        do {
            value = try DynamicValue(json: try YAML.json(from: bytes, duplicateKeys: .refused))
        } catch {
            throw .unreadable("\(error)")
        }
        return try self.take(value)
    }

    mutating func take(_ value: DynamicValue) throws(ConfigurationError) -> [String] {
        var reader = try ConfigurationReader(value)
        let version = try reader.string("apiVersion") ?? ""
        let kind = try reader.string("kind") ?? ""
        guard version == Self.apiVersion, kind == "KubeletConfiguration" else {
            throw .wrongKind(version)
        }
        try self.takeNode(&reader)
        try self.takeServing(&reader)
        try self.takeResources(&reader)
        try self.takeEviction(&reader)
        try self.takeHousekeeping(&reader)
        let ignored = reader.skip(Self.withoutEffect)
        try reader.end()
        return ignored
    }

    private mutating func takeNode(
        _ reader: inout ConfigurationReader
    ) throws(ConfigurationError) {
        if let path = try reader.string("staticPodPath") {
            self.staticPodPath = path.isEmpty ? nil : path
        }
        if let path = try reader.string("podLogsDir"), !path.isEmpty {
            guard path.hasPrefix("/") else {
                throw .invalid("podLogsDir", "must be an absolute path: \(path)")
            }
            self.podLogsDirectory = path
        }
        if let pause = try reader.duration("syncFrequency") { self.syncFrequency = pause }
        if let text = try reader.string("clusterDomain") { self.clusterDomain = text }
        if let list = try reader.strings("clusterDNS") { self.clusterDNS = list }
        if let path = try reader.string("resolvConf") { self.resolverConfiguration = path }
        if let pause = try reader.duration("nodeStatusUpdateFrequency") {
            self.nodeStatusUpdateFrequency = pause
        }
        if let pause = try reader.duration("nodeStatusReportFrequency") {
            self.nodeStatusReportFrequency = pause
        }
        if let seconds = try reader.integer(
            "nodeLeaseDurationSeconds",
            in: 0...Int64(Int32.max)
        ), seconds > 0 {
            self.leaseDuration = .seconds(seconds)
        }
        if let text = try reader.string("providerID") { self.providerID = text }
        if let flag = try reader.bool("registerNode") { self.registersNode = flag }
        if let taints = try reader.objects("registerWithTaints") {
            self.nodeTaints = []
            for var taint in taints {
                let key = try taint.string("key") ?? ""
                let value = try taint.string("value") ?? ""
                let effect = try taint.string("effect") ?? ""
                try taint.end()
                self.nodeTaints.append("\(key)=\(value):\(effect)")
            }
        }
        if let endpoint = try reader.string("containerRuntimeEndpoint"), !endpoint.isEmpty {
            let path = endpoint.hasPrefix("unix://") ? String(endpoint.dropFirst(7)) : endpoint
            guard path.hasPrefix("/") else {
                throw .invalid("containerRuntimeEndpoint", "no unix socket: \(endpoint)")
            }
            self.runtimeEndpoint = path
        }
    }

    private mutating func takeServing(
        _ reader: inout ConfigurationReader
    ) throws(ConfigurationError) {
        if let text = try reader.string("address"), !text.isEmpty { self.address = text }
        if let port = try reader.integer("port", in: 0...65_535), port > 0 { self.port = port }
        if try reader.bool("enableServer") == false { self.port = 0 }
        if let port = try reader.integer("readOnlyPort", in: 0...65_535), port > 0 {
            throw .invalid("readOnlyPort", "a port without authorization is not served")
        }
        if let port = try reader.integer("healthzPort", in: 0...65_535) { self.healthzPort = port }
        if let text = try reader.string("healthzBindAddress"), !text.isEmpty {
            self.healthzAddress = text
        }
        if let path = try reader.string("tlsCertFile") { self.certificateFile = path }
        if let path = try reader.string("tlsPrivateKeyFile") { self.privateKeyFile = path }
        if let flag = try reader.bool("rotateCertificates") { self.rotatesCertificates = flag }
        if let flag = try reader.bool("serverTLSBootstrap") {
            self.requestsServingCertificate = flag
        }
        if var authentication = try reader.object("authentication") {
            if var part = try authentication.object("x509") {
                if let path = try part.string("clientCAFile") { self.clientCAFile = path }
                try part.end()
            }
            if var part = try authentication.object("webhook") {
                _ = part.skip(["enabled", "cacheTTL"])
                try part.end()
            }
            if var part = try authentication.object("anonymous") {
                if let flag = try part.bool("enabled") { self.allowsAnonymous = flag }
                try part.end()
            }
            try authentication.end()
        }
        if var authorization = try reader.object("authorization") {
            switch try authorization.string("mode") ?? "Webhook" {
            case "Webhook", "": self.usesWebhookAuthorization = true
            case "AlwaysAllow": self.usesWebhookAuthorization = false
            case let mode:
                throw .invalid("authorization.mode", "unknown authorization mode \(mode)")
            }
            if var part = try authorization.object("webhook") {
                _ = part.skip(["cacheAuthorizedTTL", "cacheUnauthorizedTTL"])
                try part.end()
            }
            try authorization.end()
        }
    }

    private mutating func takeResources(
        _ reader: inout ConfigurationReader
    ) throws(ConfigurationError) {
        if let path = try reader.string("cgroupRoot"), !path.isEmpty { self.cgroupRoot = path }
        if let flag = try reader.bool("cgroupsPerQOS") { self.cgroupsPerQOS = flag }
        if let driver = try reader.string("cgroupDriver"), !driver.isEmpty, driver != "cgroupfs" {
            throw .invalid("cgroupDriver", "only cgroupfs is supported: \(driver)")
        }
        if let flag = try reader.bool("cpuCFSQuota") { self.enforcesCPULimits = flag }
        if let limit = try reader.integer("podPidsLimit") { self.podPidsLimit = limit }
        if let limit = try reader.integer("maxPods", in: 0...Int64(Int32.max)), limit > 0 {
            self.maximumPods = limit
        }
        if let map = try reader.map("systemReserved") {
            self.systemReserved = try Self.reservation(map, "systemReserved")
        }
        if let map = try reader.map("kubeReserved") {
            self.kubeReserved = try Self.reservation(map, "kubeReserved")
        }
        if let list = try reader.strings("allowedUnsafeSysctls") {
            if let name = SysctlAllowlist.invalid(among: list) {
                let problem = "the sysctls \"\(name)\" are not known to be namespaced"
                throw .invalid("allowedUnsafeSysctls", problem)
            }
            self.allowedUnsafeSysctls = list
        }
        if let flag = try reader.bool("seccompDefault") { self.seccompDefault = flag }
    }

    private static func reservation(
        _ map: [String: String],
        _ field: String
    ) throws(ConfigurationError) -> [String: String] {
        for (name, text) in map {
            guard ["cpu", "memory", "ephemeral-storage", "pid"].contains(name) else {
                throw .invalid(field, "cannot reserve \"\(name)\" resource")
            }
            guard let amount = try? Quantity(parsing: text), amount.sign >= 0 else {
                throw .invalid(field, "\"\(name)\" is no quantity from 0: \(text)")
            }
        }
        return map
    }

    private mutating func takeEviction(
        _ reader: inout ConfigurationReader
    ) throws(ConfigurationError) {
        let merges = try reader.bool("mergeDefaultEvictionSettings") ?? false
        if let map = try reader.map("evictionHard") {
            // A threshold that is not named is none, unless they are merged.
            self.evictionHard = merges ? self.evictionHard.merging(map) { $1 } : map
        }
        if let map = try reader.map("evictionSoft") { self.evictionSoft = map }
        if let map = try reader.map("evictionSoftGracePeriod") {
            self.evictionSoftGracePeriod = [:]
            for (signal, text) in map {
                guard let grace = ConfigurationReader.duration(text) else {
                    throw .invalid("evictionSoftGracePeriod", "\(signal): no duration: \(text)")
                }
                self.evictionSoftGracePeriod[signal] = grace
            }
        }
        if let map = try reader.map("evictionMinimumReclaim") { self.evictionMinimumReclaim = map }
        if let pause = try reader.duration("evictionPressureTransitionPeriod") {
            self.evictionPressureTransition = pause
        }
        if let seconds = try reader.integer("evictionMaxPodGracePeriod") {
            self.evictionMaximumPodGracePeriod = seconds
        }
        do {
            _ = try self.evictionThresholds()
        } catch {
            throw .invalid("eviction", error.description)
        }
    }

    private mutating func takeHousekeeping(
        _ reader: inout ConfigurationReader
    ) throws(ConfigurationError) {
        if let flag = try reader.bool("serializeImagePulls") { self.serializesImagePulls = flag }
        if let limit = try reader.integer("maxParallelImagePulls", in: 1...Int64(Int32.max)) {
            if self.serializesImagePulls, limit > 1 {
                throw .invalid(
                    "maxParallelImagePulls",
                    "cannot be larger than 1 unless serializeImagePulls is false"
                )
            }
            self.maximumParallelPulls = limit
        }
        if let age = try reader.duration("imageMinimumGCAge") { self.imageMinimumAge = age }
        if let share = try reader.integer("imageGCHighThresholdPercent", in: 0...100) {
            self.imageHighThreshold = share
        }
        if let share = try reader.integer("imageGCLowThresholdPercent", in: 0...100) {
            self.imageLowThreshold = share
        }
        guard self.imageLowThreshold < self.imageHighThreshold else {
            throw .invalid(
                "imageGCLowThresholdPercent",
                "\(self.imageLowThreshold) must be less than imageGCHighThresholdPercent "
                    + "\(self.imageHighThreshold)"
            )
        }
        if let text = try reader.string("containerLogMaxSize"), !text.isEmpty {
            guard let size = try? Quantity(parsing: text) else {
                throw .invalid("containerLogMaxSize", "no quantity: \(text)")
            }
            self.logMaximumBytes = size.value
        }
        if let count = try reader.integer("containerLogMaxFiles", in: 2...Int64(Int32.max)) {
            self.logMaximumFiles = count
        }
        if let pause = try reader.duration("containerLogMonitorInterval") {
            self.logMonitorInterval = pause
        }
    }

    /// Fields of upstream that are taken and have no effect.
    private static let withoutEffect = [
        "fileCheckFrequency", "httpCheckFrequency", "staticPodURL", "staticPodURLHeader",
        "tlsCipherSuites", "tlsCurvePreferences", "tlsMinVersion", "registryPullQPS",
        "registryBurst",
        "imagePullCredentialsVerificationPolicy", "preloadedImagesVerificationAllowlist",
        "eventRecordQPS", "eventBurst", "enableDebuggingHandlers", "enableContentionProfiling",
        "oomScoreAdj", "streamingConnectionIdleTimeout", "imageMaximumGCAge",
        "volumeStatsAggPeriod", "kubeletCgroups", "systemCgroups", "cpuManagerPolicy",
        "singleProcessOOMKill", "cpuManagerPolicyOptions", "cpuManagerReconcilePeriod",
        "memoryManagerPolicy", "topologyManagerPolicy", "topologyManagerScope",
        "topologyManagerPolicyOptions", "qosReserved", "runtimeRequestTimeout", "hairpinMode",
        "podCIDR", "runOnce", "cpuCFSQuotaPeriod", "nodeStatusMaxImages", "maxOpenFiles",
        "contentType", "kubeAPIQPS", "kubeAPIBurst", "podsPerCore", "enableControllerAttachDetach",
        "protectKernelDefaults", "makeIPTablesUtilChains", "iptablesMasqueradeBit",
        "iptablesDropBit", "featureGates", "failSwapOn", "memorySwap", "containerLogMaxWorkers",
        "configMapAndSecretChangeDetectionStrategy", "reservedSystemCPUs",
        "showHiddenMetricsForVersion", "systemReservedCgroup", "kubeReservedCgroup",
        "enforceNodeAllocatable", "volumePluginDir", "kernelMemcgNotification", "logging",
        "enableSystemLogHandler", "enableSystemLogQuery", "shutdownGracePeriod",
        "shutdownGracePeriodCriticalPods", "shutdownGracePeriodByPodPriority", "crashLoopBackOff",
        "reservedMemory", "enableProfilingHandler", "enableDebugFlagsHandler",
        "memoryThrottlingFactor", "memoryReservationPolicy", "tracing",
        "localStorageCapacityIsolation", "imageServiceEndpoint", "failCgroupV1", "userNamespaces",
    ]
}
