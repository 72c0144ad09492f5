// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import ComponentServer
internal import Flags
internal import Glibc
internal import HTTP2Transport
internal import JSON
internal import KubeScheduler
internal import Kubeconfig
internal import LeaderElection
internal import Logging
internal import Logs
internal import Metrics
internal import NIOCore
internal import Scheduler
internal import YAML

/// The flags of `apus kube-scheduler`, upstream's.
///
/// Source: upstream `cmd/kube-scheduler/app/options`.
struct KubeSchedulerFlags {
    private static let config = Flag(
        "config",
        default: "",
        help: "The `path` to the configuration file."
    )
    static let kubeconfig = Flag(
        "kubeconfig",
        default: "",
        help: "`path` to kubeconfig file with authorization and master location information"
    )
    private static let bindAddress = Flag(
        "bind-address",
        default: "0.0.0.0",
        help: "The IP `address` on which to listen for the --secure-port port."
    )
    private static let securePort = Flag(
        "secure-port",
        default: 10259,
        help: "The `port` on which to serve HTTPS. If 0, don't serve HTTPS at all."
    )
    private static let certificate = Flag(
        "tls-cert-file",
        default: "",
        help: "`file` with the certificate; without one, the scheduler makes one for itself"
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
    private static let leaderElection = LeaderElectionFlags(component: "kube-scheduler")
    private static let leaseLock = Flag(
        "leader-elect-resource-lock",
        default: "leases",
        help: "The `type` of the lock; there is only leases."
    )
    private static let profiling = Flag(
        "profiling",
        default: true,
        help: "accepted for compatibility"
    )
    private static let authentication = Flag(
        "authentication-kubeconfig",
        default: "",
        help: "accepted for compatibility; --kubeconfig is used"
    )
    private static let authorization = Flag(
        "authorization-kubeconfig",
        default: "",
        help: "accepted for compatibility; --kubeconfig is used"
    )
    private static let featureGates = Flag(
        "feature-gates",
        default: [String](),
        help: "accepted for compatibility: `Name=bool` pairs"
    )

    static let all: [any AnyFlag] =
        [
            config, kubeconfig, bindAddress, securePort, certificate, privateKey, clientAuthority,
            leaseLock, profiling, authentication, authorization, featureGates,
        ] + leaderElection.all + LogFlags.all

    private let values: ParsedFlags

    init(_ values: ParsedFlags) {
        self.values = values
    }

    var logger: Logger { LogFlags.logger("kube-scheduler", self.values) }

    /// The configuration file; nil when none is named.
    func file() throws -> SchedulerConfiguration? {
        let path = self.values[Self.config]
        return path.isEmpty ? nil : try Self.read(path)
    }

    /// Reads a configuration file.
    static func read(_ path: String) throws -> SchedulerConfiguration {
        let json = try YAML.json(from: try FileContent.read(path), duplicateKeys: .refused)
        return try SchedulerConfiguration(try DynamicValue(json: json))
    }

    func connection(_ file: SchedulerConfiguration?) throws -> ClusterConnection {
        var path = self.values[Self.kubeconfig]
        if path.isEmpty { path = file?.kubeconfig ?? "" }
        guard !path.isEmpty else { throw UsageError("--kubeconfig is required") }
        return try Kubeconfig(path: path).connection()
    }

    /// What the scheduler is to do. As upstream, flags of leader election that are set win over the
    /// file.
    func configuration(_ file: SchedulerConfiguration?) throws -> KubeScheduler.Configuration {
        var configuration = KubeScheduler.Configuration(file ?? SchedulerConfiguration())
        configuration.seed = UInt64.random(in: .min ... .max)
        let election = self.election(file)
        guard election.leaderElect else { return configuration }
        let suffix = String(UInt64.random(in: .min ... .max), radix: 16)
        var lease = LeaderElectionConfiguration(
            namespace: election.resourceNamespace,
            name: election.resourceName,
            identity: "\(Self.hostName)_\(suffix)"
        )
        lease.leaseDuration = election.leaseDuration
        lease.renewDeadline = election.renewDeadline
        lease.retryPeriod = election.retryPeriod
        configuration.leaderElection = lease
        return configuration
    }

    /// How replicas agree: what flags say, else the file.
    private func election(
        _ file: SchedulerConfiguration?
    ) -> SchedulerConfiguration.LeaderElection {
        var election = file?.leaderElection ?? SchedulerConfiguration.LeaderElection()
        if self.values.isSet(Self.leaderElection.elects) {
            election.leaderElect = self.values[Self.leaderElection.elects]
        }
        if self.values.isSet(Self.leaderElection.leaseDuration) {
            election.leaseDuration = self.values[Self.leaderElection.leaseDuration]
        }
        if self.values.isSet(Self.leaderElection.renewDeadline) {
            election.renewDeadline = self.values[Self.leaderElection.renewDeadline]
        }
        if self.values.isSet(Self.leaderElection.retryPeriod) {
            election.retryPeriod = self.values[Self.leaderElection.retryPeriod]
        }
        if self.values.isSet(Self.leaderElection.leaseName) {
            election.resourceName = self.values[Self.leaderElection.leaseName]
        }
        if self.values.isSet(Self.leaderElection.leaseNamespace) {
            election.resourceNamespace = self.values[Self.leaderElection.leaseNamespace]
        }
        return election
    }

    /// What stands in effect, for people to look at.
    private func page(_ file: SchedulerConfiguration?) -> [UInt8] {
        var effective = file ?? SchedulerConfiguration()
        effective.leaderElection = self.election(file)
        return effective.page.json()
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
    }

    /// The server of health and metrics; nil when it is switched off.
    func server(
        _ scheduler: KubeScheduler,
        _ file: SchedulerConfiguration?,
        access: any ComponentAccess,
        group: any EventLoopGroup
    ) throws -> ComponentServer? {
        let port = self.values[Self.securePort]
        if port == 0 { return nil }
        var configuration = ComponentServer.Configuration(
            endpoint: .tcp(host: self.values[Self.bindAddress], port: port),
            tls: try ComponentServer.tls(
                certificatePath: self.values[Self.certificate],
                keyPath: self.values[Self.privateKey],
                authorityPath: self.values[Self.clientAuthority],
                name: Self.hostName.isEmpty ? "localhost" : Self.hostName,
                hosts: ["localhost", "127.0.0.1"]
            )
        )
        configuration.access = access
        configuration.readyChecks = [
            ComponentServer.Check("informer-sync") {
                scheduler.hasSynced ? nil : "informers have not synced"
            }
        ]
        let registry = scheduler.metrics.registry
        configuration.pages["/metrics"] = ComponentServer.Page(
            contentType: Exposition.mediaType
        ) {
            Array(registry.text().utf8)
        }
        let page = self.page(file)
        configuration.pages["/configz"] = ComponentServer.Page(
            contentType: "application/json"
        ) {
            page
        }
        return ComponentServer(configuration, group: group)
    }
}
