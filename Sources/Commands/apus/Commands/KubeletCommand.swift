// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import Kubeconfig
internal import Kubelet
internal import Logging
internal import Logs
internal import NIOPosix

extension Command {
    /// `apus kubelet`: the node's agent.
    static let kubelet = Command(
        "kubelet",
        summary: "Run pods on this node through a container runtime",
        isProgram: true,
        flags: KubeletFlags.all + LogFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let logger = LogFlags.logger("kubelet", invocation.flags)
        let settings = try KubeletFlags.settings(invocation.flags) { field in
            logger.warning(
                "a field of the configuration has no effect",
                metadata: ["field": "\(field)"]
            )
        }
        var cluster: APICluster?
        let kubeconfig = invocation.flags[KubeletFlags.kubeconfig]
        let bootstrap = invocation.flags[KubeletFlags.bootstrapKubeconfig]
        if !bootstrap.isEmpty {
            guard !kubeconfig.isEmpty else {
                throw UsageError("--bootstrap-kubeconfig: --kubeconfig says where to write")
            }
            try await KubeletBootstrap(
                settings: settings,
                bootstrapKubeconfig: bootstrap,
                kubeconfig: kubeconfig,
                logger: logger
            ).run()
        }
        if !kubeconfig.isEmpty {
            let connection = try Kubeconfig(path: kubeconfig).connection()
            cluster = APICluster(
                channel: try connection.makeClient(
                    group: MultiThreadedEventLoopGroup.singleton,
                    userAgent: "kubelet/\(settings.version)"
                ),
                nodeName: settings.nodeName,
                logger: logger
            )
        }
        try await Kubelet(settings: settings, cluster: cluster, logger: logger).run()
        return .success
    }
}

/// Flags of the kubelet, with upstream's names.
enum KubeletFlags {
    static let configuration = Flag(
        "config",
        default: "",
        help: "The Kubelet will load its initial configuration from this `file`. Command-line "
            + "flags override configuration from this file."
    )
    static let rootDirectory = Flag(
        "root-dir",
        default: "/var/lib/kubelet",
        help: "Directory `path` for managing kubelet files (volume mounts,etc)."
    )
    static let podLogs = Flag(
        "pod-logs-dir",
        default: "/var/log/pods",
        help: "`path` for pods' log files"
    )
    static let manifests = Flag(
        "pod-manifest-path",
        default: "",
        help: "`path` to the directory containing static pod files to run"
    )
    static let runtime = Flag(
        "container-runtime-endpoint",
        default: "unix:///run/containerd/containerd.sock",
        help: "The endpoint of container runtime service. Unix Domain Sockets are supported."
    )
    static let hostname = Flag(
        "hostname-override",
        default: "",
        help: "If non-empty, will use this string as identification instead of the actual hostname."
    )
    static let nodeIP = Flag(
        "node-ip",
        default: "",
        help: "IP address (or comma-separated dual-stack IP addresses) of the node."
    )
    static let clusterDNS = Flag(
        "cluster-dns",
        default: [String](),
        help: "list of DNS server IP address"
    )
    static let clusterDomain = Flag(
        "cluster-domain",
        default: "cluster.local",
        help: "Domain for this cluster."
    )
    static let resolver = Flag(
        "resolv-conf",
        default: "/etc/resolv.conf",
        help: "Resolver configuration file used as the basis for the container DNS resolution."
    )
    static let cgroupRoot = Flag(
        "cgroup-root",
        default: "/",
        help: "Optional root cgroup to use for pods."
    )
    static let maximumPods = Flag(
        "max-pods",
        default: 110,
        help: "Number of Pods that can run on this kubelet."
    )

    static let kubeconfig = Flag(
        "kubeconfig",
        default: "",
        help: "`path` to a kubeconfig file, specifying how to connect to the API server. "
            + "Providing --kubeconfig enables API server mode, omitting --kubeconfig enables "
            + "standalone mode."
    )
    static let bootstrapKubeconfig = Flag(
        "bootstrap-kubeconfig",
        default: "",
        help: "`path` to a kubeconfig file that will be used to get client certificate for "
            + "kubelet. If the file specified by --kubeconfig does not exist, the bootstrap "
            + "kubeconfig is used to request a client certificate from the API server."
    )
    static let certificateDirectory = Flag(
        "cert-dir",
        default: "/var/lib/kubelet/pki",
        help: "The `directory` where the TLS certs are located."
    )
    static let rotatesCertificates = Flag(
        "rotate-certificates",
        default: false,
        help: "Auto rotate the kubelet client certificates by requesting new certificates from "
            + "the kube-apiserver when the certificate expiration approaches."
    )
    static let rotatesServing = Flag(
        "rotate-server-certificates",
        default: false,
        help: "Auto-request and rotate the kubelet serving certificates by requesting new "
            + "certificates from the kube-apiserver when the certificate expiration approaches."
    )
    static let port = Flag(
        "port",
        default: 10250,
        help: "The port for the Kubelet to serve on."
    )
    static let address = Flag(
        "address",
        default: "0.0.0.0",
        help: "The IP `address` for the Kubelet to serve on."
    )
    static let healthzPort = Flag(
        "healthz-port",
        default: 10248,
        help: "The port of the localhost healthz endpoint (set to 0 to disable)."
    )
    static let healthzAddress = Flag(
        "healthz-bind-address",
        default: "127.0.0.1",
        help: "The IP `address` for the healthz server to serve on."
    )
    static let certificate = Flag(
        "tls-cert-file",
        default: "",
        help: "File containing x509 Certificate used for serving HTTPS."
    )
    static let privateKey = Flag(
        "tls-private-key-file",
        default: "",
        help: "File containing x509 private key matching --tls-cert-file."
    )
    static let clientCA = Flag(
        "client-ca-file",
        default: "",
        help: "If set, any request presenting a client certificate signed by one of the "
            + "authorities in the client-ca-file is authenticated."
    )
    static let cgroupDriver = Flag(
        "cgroup-driver",
        default: "cgroupfs",
        help: "Driver that the kubelet uses to manipulate cgroups on the host: cgroupfs."
    )
    static let registerNode = Flag(
        "register-node",
        default: true,
        help: "Register the node with the API server."
    )
    static let nodeLabels = Flag(
        "node-labels",
        default: [String: String](),
        help: "Labels to add when registering the node in the cluster."
    )
    static let taints = Flag(
        "register-with-taints",
        default: [String](),
        help: "Register the node with the given list of taints (<key>=<value>:<effect>)."
    )
    static let seccompDefault = Flag(
        "seccomp-default",
        default: false,
        help: "Enable the use of `RuntimeDefault` as the default seccomp profile for all workloads."
    )
    static let pidsLimit = Flag(
        "pod-max-pids",
        default: -1,
        help: "Set the maximum number of processes per pod. If -1, there is no limit."
    )
    static let systemReserved = Flag(
        "system-reserved",
        default: [String: String](),
        help: "Resources for processes that are no pods, as cpu=200m,memory=500Mi."
    )
    static let kubeReserved = Flag(
        "kube-reserved",
        default: [String: String](),
        help: "Resources for Kubernetes' own processes, as cpu=200m,memory=500Mi."
    )
    static let anonymous = Flag(
        "anonymous-auth",
        default: false,
        help: "Enables anonymous requests to the Kubelet server."
    )

    static let all: [any AnyFlag] =
        [
            Self.configuration, Self.kubeconfig, Self.bootstrapKubeconfig,
            Self.certificateDirectory, Self.rotatesCertificates, Self.rotatesServing, Self.port,
            Self.address, Self.healthzPort,
            Self.healthzAddress,
            Self.certificate, Self.privateKey, Self.clientCA, Self.cgroupDriver, Self.registerNode,
            Self.nodeLabels, Self.taints, Self.seccompDefault, Self.pidsLimit, Self.systemReserved,
            Self.kubeReserved, Self.anonymous,
            Self.rootDirectory, Self.podLogs, Self.manifests, Self.runtime, Self.hostname,
            Self.nodeIP, Self.clusterDNS, Self.clusterDomain, Self.resolver, Self.cgroupRoot,
            Self.maximumPods,
        ] + Self.housekeeping

    static func settings(
        _ flags: ParsedFlags,
        ignored: (String) -> Void
    ) throws -> KubeletSettings {
        let name = flags[Self.hostname]
        var settings = KubeletSettings(nodeName: name.isEmpty ? KubeletSettings.hostname : name)
        let file = flags[Self.configuration]
        if !file.isEmpty {
            for field in try settings.read(configuration: try FileContent.read(file)) {
                ignored(field)
            }
        }
        try Self.apply(flags, to: &settings)
        try Self.keepHouse(&settings, flags)
        return settings
    }

    /// Flags that are given count for more than the file.
    private static func apply(
        _ flags: ParsedFlags,
        to settings: inout KubeletSettings
    ) throws {
        func take<Value>(
            _ flag: Flag<Value>,
            _ path: WritableKeyPath<KubeletSettings, Value>
        ) {
            if flags.isSet(flag) { settings[keyPath: path] = flags[flag] }
        }
        take(Self.rootDirectory, \.rootDirectory)
        take(Self.podLogs, \.podLogsDirectory)
        take(Self.clusterDNS, \.clusterDNS)
        take(Self.clusterDomain, \.clusterDomain)
        take(Self.resolver, \.resolverConfiguration)
        take(Self.cgroupRoot, \.cgroupRoot)
        take(Self.maximumPods, \.maximumPods)
        take(Self.port, \.port)
        take(Self.address, \.address)
        take(Self.healthzPort, \.healthzPort)
        take(Self.healthzAddress, \.healthzAddress)
        take(Self.certificate, \.certificateFile)
        take(Self.privateKey, \.privateKeyFile)
        take(Self.clientCA, \.clientCAFile)
        take(Self.certificateDirectory, \.certificateDirectory)
        take(Self.rotatesCertificates, \.rotatesCertificates)
        take(Self.rotatesServing, \.requestsServingCertificate)
        take(Self.registerNode, \.registersNode)
        take(Self.nodeLabels, \.nodeLabels)
        take(Self.taints, \.nodeTaints)
        take(Self.seccompDefault, \.seccompDefault)
        take(Self.systemReserved, \.systemReserved)
        take(Self.kubeReserved, \.kubeReserved)
        take(Self.anonymous, \.allowsAnonymous)
        if flags.isSet(Self.pidsLimit) { settings.podPidsLimit = Int64(flags[Self.pidsLimit]) }
        if flags.isSet(Self.manifests) {
            let manifests = flags[Self.manifests]
            settings.staticPodPath = manifests.isEmpty ? nil : manifests
        }
        if flags.isSet(Self.runtime) {
            let endpoint = flags[Self.runtime]
            settings.runtimeEndpoint =
                endpoint.hasPrefix("unix://") ? String(endpoint.dropFirst(7)) : endpoint
            guard settings.runtimeEndpoint.hasPrefix("/") else {
                throw UsageError("--container-runtime-endpoint: '\(endpoint)' is no unix socket")
            }
        }
        settings.nodeAddresses = flags[Self.nodeIP].split(separator: ",").map(String.init)
        guard flags[Self.cgroupDriver] == "cgroupfs" else {
            throw UsageError("--cgroup-driver: only cgroupfs is supported")
        }
    }
}
