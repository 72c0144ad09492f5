// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NodeHost

/// How a kubelet runs: what flags and its configuration file say.
///
/// Defaults are those of `KubeletConfiguration` v1beta1 in upstream 1.36.
package struct KubeletSettings: Sendable {
    package var nodeName: String
    package var rootDirectory = "/var/lib/kubelet"
    package var podLogsDirectory = "/var/log/pods"
    package var containerLogsDirectory = "/var/log/containers"
    /// A folder of manifests; nil for none.
    package var staticPodPath: String?
    package var runtimeEndpoint = "/run/containerd/containerd.sock"
    /// Addresses of this node; empty for the one of its default route.
    package var nodeAddresses: [String] = []
    package var clusterDNS: [String] = []
    package var clusterDomain = "cluster.local"
    package var resolverConfiguration = "/etc/resolv.conf"
    package var cgroupRoot = "/"
    package var cgroupsPerQOS = true
    package var enforcesCPULimits = true
    package var podPidsLimit: Int64 = -1
    package var maximumPods = 110
    package var serializesImagePulls = true
    package var maximumParallelPulls: Int?
    package var registersNode = true
    package var nodeLabels: [String: String] = [:]
    package var nodeTaints: [String] = []
    package var providerID = ""
    package var unschedulable = false
    package var nodeStatusReportFrequency: Duration = .seconds(300)
    package var nodeStatusUpdateFrequency: Duration = .seconds(10)
    package var leaseDuration: Duration = .seconds(40)
    package var systemReserved: [String: String] = [:]
    package var kubeReserved: [String: String] = [:]
    package var seccompDefault = false
    package var allowedUnsafeSysctls: [String] = []
    package var evictionHard: [String: String] = [
        "memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%",
        "imagefs.available": "15%", "imagefs.inodesFree": "5%",
    ]
    package var evictionSoft: [String: String] = [:]
    package var evictionSoftGracePeriod: [String: Duration] = [:]
    package var evictionMinimumReclaim: [String: String] = [:]
    package var evictionMaximumPodGracePeriod: Int64 = 0
    package var evictionPressureTransition: Duration = .seconds(300)
    package var imageHighThreshold = 85
    package var imageLowThreshold = 80
    package var imageMinimumAge: Duration = .seconds(120)
    package var logMaximumBytes: Int64 = 10 << 20
    package var logMaximumFiles = 5
    package var logMonitorInterval: Duration = .seconds(10)
    /// Between updates of configMap and secret volumes and the like.
    package var syncFrequency: Duration = .seconds(60)
    package var address = "0.0.0.0"
    /// 0 serves nothing.
    package var port = 10250
    package var healthzAddress = "127.0.0.1"
    /// 0 serves nothing.
    package var healthzPort = 10248
    package var certificateFile = ""
    package var privateKeyFile = ""
    package var clientCAFile = ""
    /// Where certificates lie that the kubelet asks the cluster for.
    package var certificateDirectory = "/var/lib/kubelet/pki"
    /// Whether a new client certificate is asked for before the old one's end.
    package var rotatesCertificates = false
    /// Whether the serving certificate is asked of the cluster, rather than read from files.
    package var requestsServingCertificate = false
    package var allowsAnonymous = false
    /// Whether requests are authorized by the API server, rather than all let in.
    package var usesWebhookAuthorization = true
    /// As the node reports it.
    package var version = "v1.36.0"

    package init(nodeName: String) {
        self.nodeName = nodeName
    }

    /// The machine's name, which is the node's unless something else is said.
    package static var hostname: String { HostInfo.hostname }
}
