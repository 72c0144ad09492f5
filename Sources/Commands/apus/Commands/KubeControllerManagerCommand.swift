// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import ComponentServer
internal import ControllerManager
internal import Flags
internal import Glibc
internal import HTTP2Transport
internal import Kubeconfig
internal import LeaderElection
internal import Logging
internal import Logs
internal import NIOPosix
internal import PKI

extension Command {
    /// `apus kube-controller-manager`.
    static let kubeControllerManager = Command(
        "kube-controller-manager",
        summary: "Run the controllers that move the cluster towards its desired state",
        isProgram: true,
        flags: KubeControllerManagerFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let configuration = try KubeControllerManagerFlags(invocation.flags).configuration()
        let manager = ControllerManager(configuration)
        do {
            try await manager.run(group: MultiThreadedEventLoopGroup.singleton)
        } catch {
            invocation.output.writeError("kube-controller-manager: \(error)\n")
            return .failure
        }
        return .success
    }
}

/// The flags of `kube-controller-manager`, upstream's.
struct KubeControllerManagerFlags {
    private static let kubeconfig = Flag(
        "kubeconfig",
        default: "",
        help: "`file` that says where the API server is and who we are"
    )
    private static let controllers = Flag(
        "controllers",
        default: ["*"],
        help:
            "`names` of the controllers to run; '*' is all that are on by default, '-foo' turns foo off"
    )
    private static let leaderElection = LeaderElectionFlags(component: "kube-controller-manager")
    private static let serviceAccounts = Flag(
        "use-service-account-credentials",
        default: false,
        help: "give each controller the rights of its own ServiceAccount"
    )
    private static let bindAddress = Flag(
        "bind-address",
        default: "0.0.0.0",
        help: "the `address` to serve health and metrics on"
    )
    private static let securePort = Flag(
        "secure-port",
        default: 10257,
        help: "the `port` to serve them on; 0 serves nothing"
    )
    private static let certificate = Flag(
        "tls-cert-file",
        default: "",
        help: "`file` with the certificate; none makes one"
    )
    private static let privateKey = Flag(
        "tls-private-key-file",
        default: "",
        help: "`file` with its key"
    )
    private static let clientAuthority = Flag(
        "client-ca-file",
        default: "",
        help: "`file` with the authorities of client certificates"
    )
    private static let rootAuthority = Flag(
        "root-ca-file",
        default: "",
        help: "`file` with the CA that is published to pods"
    )
    private static let accountKey = Flag(
        "service-account-private-key-file",
        default: "",
        help: "`file` with the key that signs the tokens of Secrets; none makes none"
    )
    private static let signingCertificate = Flag(
        "cluster-signing-cert-file",
        default: "",
        help: "`file` with the CA that signs requests"
    )
    private static let signingKey = Flag(
        "cluster-signing-key-file",
        default: "",
        help: "`file` with its key"
    )
    private static let signingDuration = Flag(
        "cluster-signing-duration",
        default: Duration.seconds(365 * 24 * 3600),
        help: "the longest validity of what is signed"
    )
    private static let allocatesCIDRs = Flag(
        "allocate-node-cidrs",
        default: false,
        help: "give each node a range of pod addresses"
    )
    private static let clusterCIDR = Flag(
        "cluster-cidr",
        default: [String](),
        help: "the `ranges` of pod addresses"
    )
    private static let serviceCIDR = Flag(
        "service-cluster-ip-range",
        default: [String](),
        help: "the `ranges` of Service addresses"
    )
    private static let maskIPv4 = Flag(
        "node-cidr-mask-size-ipv4",
        default: 24,
        help: "`bits` of a node's IPv4 range"
    )
    private static let maskIPv6 = Flag(
        "node-cidr-mask-size-ipv6",
        default: 64,
        help: "`bits` of a node's IPv6 range"
    )
    private static let mask = Flag(
        "node-cidr-mask-size",
        default: 0,
        help: "`bits` of a node's range, for either family"
    )
    private static let nodeGrace = Flag(
        "node-monitor-grace-period",
        default: Duration.seconds(50),
        help: "how long a node may be silent"
    )
    private static let nodeStartup = Flag(
        "node-startup-grace-period",
        default: Duration.seconds(60),
        help: "how long a node may be silent at its start"
    )
    private static let podThreshold = Flag(
        "terminated-pod-gc-threshold",
        default: 12500,
        help: "ended pods that are kept"
    )
    private static let clusterName = Flag(
        "cluster-name",
        default: "kubernetes",
        help: "accepted for compatibility"
    )
    private static let authentication = Flag(
        "authentication-kubeconfig",
        default: "",
        help: "accepted; --kubeconfig is used"
    )
    private static let authorization = Flag(
        "authorization-kubeconfig",
        default: "",
        help: "accepted; --kubeconfig is used"
    )

    private static let requestHeader = Flag(
        "requestheader-client-ca-file",
        default: "",
        help: "accepted; nobody proxies to health and metrics"
    )
    private static let profiling = Flag(
        "profiling",
        default: true,
        help: "accepted; there is nothing to profile by request"
    )

    static let all: [any AnyFlag] =
        [
            kubeconfig, controllers, serviceAccounts, bindAddress, securePort, certificate,
            privateKey,
            clientAuthority, rootAuthority, accountKey, signingCertificate, signingKey,
            signingDuration, allocatesCIDRs, clusterCIDR, serviceCIDR, maskIPv4, maskIPv6, mask,
            nodeGrace, nodeStartup, podThreshold, clusterName, authentication, authorization,
            requestHeader, profiling,
        ] + ControllerFlags.all + leaderElection.all + LogFlags.all

    private let values: ParsedFlags

    init(_ values: ParsedFlags) { self.values = values }

    func configuration() throws -> ControllerManager.Configuration {
        let path = self.values[Self.kubeconfig]
        guard !path.isEmpty else { throw UsageError("--kubeconfig is required") }
        let connection = try Kubeconfig(path: path).connection()
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let name = String(
            decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
        let suffix = String(UInt64.random(in: .min ... .max), radix: 16)
        var configuration = ControllerManager.Configuration(
            connection: connection,
            identity: "\(name)_\(suffix)"
        )
        configuration.controllers = self.values[Self.controllers]
        if let problem = ControllerSelection(configuration.controllers).problem {
            throw UsageError(problem)
        }
        configuration.leaderElects = self.values[Self.leaderElection.elects]
        configuration.leaderElection.leaseDuration = self.values[Self.leaderElection.leaseDuration]
        configuration.leaderElection.renewDeadline = self.values[Self.leaderElection.renewDeadline]
        configuration.leaderElection.retryPeriod = self.values[Self.leaderElection.retryPeriod]
        configuration.leaderElection.namespace = self.values[Self.leaderElection.leaseNamespace]
        configuration.leaderElection.name = self.values[Self.leaderElection.leaseName]
        configuration.usesServiceAccounts = self.values[Self.serviceAccounts]
        let authority = self.values[Self.rootAuthority]
        if !authority.isEmpty { configuration.rootCA = try ConfigText.read(authority) }
        configuration.settings = try self.settings()
        let port = self.values[Self.securePort]
        if port > 0 {
            let address = self.values[Self.bindAddress]
            configuration.endpoint = .tcp(host: address, port: port)
            configuration.tls = try ComponentServer.tls(
                certificatePath: self.values[Self.certificate],
                keyPath: self.values[Self.privateKey],
                authorityPath: self.values[Self.clientAuthority],
                name: name.isEmpty ? "localhost" : name,
                hosts: ["localhost", "127.0.0.1"]
            )
        }
        let logger = LogFlags.logger("kube-controller-manager", self.values)
        configuration.log = { logger.error("\($0)") }
        return configuration
    }

    private func settings() throws -> ControllerSettings {
        var settings = ControllerSettings()
        settings.allocatesNodeCIDRs = self.values[Self.allocatesCIDRs]
        settings.clusterCIDRs = self.values[Self.clusterCIDR].filter { !$0.isEmpty }
        settings.serviceCIDRs = self.values[Self.serviceCIDR].filter { !$0.isEmpty }
        let mask = self.values[Self.mask]
        settings.nodeMaskIPv4 = mask > 0 ? mask : self.values[Self.maskIPv4]
        settings.nodeMaskIPv6 = mask > 32 ? mask : self.values[Self.maskIPv6]
        settings.nodeGracePeriod = self.values[Self.nodeGrace]
        settings.nodeStartupGracePeriod = self.values[Self.nodeStartup]
        settings.terminatedPodThreshold = self.values[Self.podThreshold]
        settings.signingDuration = self.values[Self.signingDuration]
        settings.options = try ControllerFlags.options(self.values)
        let tokenKey = self.values[Self.accountKey]
        if !tokenKey.isEmpty { settings.tokenKey = try PrivateKey(pem: ConfigText.read(tokenKey)) }
        let (certificate, key) = (
            self.values[Self.signingCertificate], self.values[Self.signingKey]
        )
        if !certificate.isEmpty, !key.isEmpty {
            settings.authority = try CertificateAuthority(
                certificate: Certificate(pem: ConfigText.read(certificate)),
                key: PrivateKey(pem: ConfigText.read(key))
            )
        }
        return settings
    }
}
