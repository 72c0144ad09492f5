// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Engine
internal import EtcdServer
internal import Flags
import Glibc
internal import KeyValueStore
internal import Logging
internal import Logs
internal import Scalars

/// The flags of `apus etcd`: etcd's.
///
/// Source: etcd 3.6 `server/etcdmain/help.go`, `server/embed/config.go`.
struct EtcdFlags {
    let flags: ParsedFlags

    init(_ flags: ParsedFlags) {
        self.flags = flags
    }

    // MARK: - What has an effect

    static let name = Flag("name", default: "default", help: "the member's name, for people")
    static let dataDir = Flag(
        "data-dir",
        default: "",
        help: "path to the data directory (default ${name}.etcd)"
    )
    static let clientURLs = Flag(
        "listen-client-urls",
        default: ["http://localhost:2379"],
        help: "`URLs` to listen on for clients: http, https, unix, unixs"
    )
    static let metricsURLs = Flag(
        "listen-metrics-urls",
        default: [String](),
        help: "`URLs` to listen on for metrics and health only, besides"
    )
    static let advertiseClientURLs = Flag(
        "advertise-client-urls",
        default: [String](),
        help: "`URLs` that clients are told in the list of members"
    )
    static let advertisePeerURLs = Flag(
        "initial-advertise-peer-urls",
        default: ["http://localhost:2380"],
        help: "`URLs` shown as peer URLs in the list of members; there are no peers"
    )
    static let certFile = Flag("cert-file", default: "", help: "PEM `file` of the certificate")
    static let keyFile = Flag("key-file", default: "", help: "PEM `file` of its key")
    static let trustedCAFile = Flag(
        "trusted-ca-file",
        default: "",
        help: "PEM `file` of the authorities of client certificates; clients need one then"
    )
    static let clientCertAuth = Flag(
        "client-cert-auth",
        default: false,
        help: "whether clients need a certificate"
    )
    static let tlsMinVersion = Flag(
        "tls-min-version",
        default: "TLS1.2",
        help: "TLS1.2 or TLS1.3"
    )
    static let quota = Flag(
        "quota-backend-bytes",
        default: 0,
        help: "`bytes` of data from which writes are refused; 0 for 2 GiB, -1 for no limit"
    )
    static let maxTxnOps = Flag(
        "max-txn-ops",
        default: 128,
        help: "the most operations of a transaction"
    )
    static let maxRequestBytes = Flag(
        "max-request-bytes",
        default: 1_572_864,
        help: "the most bytes of a request"
    )
    static let maxConcurrentStreams = Flag(
        "max-concurrent-streams",
        default: Int(UInt32.max),
        help: "calls that a connection may have at once"
    )
    static let compactionMode = Flag(
        "auto-compaction-mode",
        default: "periodic",
        help: "what --auto-compaction-retention counts: periodic (time) or revision"
    )
    static let compactionRetention = Flag(
        "auto-compaction-retention",
        default: "0",
        help: "what history is kept: hours, a duration such as 30m, or revisions; 0 keeps all"
    )
    static let keepaliveInterval = Flag(
        "grpc-keepalive-interval",
        default: Duration.seconds(7_200),
        help: "how often a quiet connection is asked whether it is there; 0 for never"
    )
    static let keepaliveTimeout = Flag(
        "grpc-keepalive-timeout",
        default: Duration.seconds(20),
        help: "how long it may take to answer"
    )
    static let progressInterval = Flag(
        "watch-progress-notify-interval",
        default: Duration.seconds(600),
        help: "how often watchers that ask for it hear of progress"
    )
    static let compactionBatch = Flag(
        "compaction-batch-limit",
        default: 1_000,
        help: "the records that a step of a compaction looks at"
    )
    static let logLevel = Flag(
        "log-level",
        default: "info",
        help: "debug, info, warn, error, panic or fatal"
    )
    static let logFormat = Flag("log-format", default: "json", help: "json or console")

    static let version = Flag(
        "version",
        default: false,
        help: "print the version of etcd that the store is like, and end"
    )

    private static let effective: [any AnyFlag] = [
        version, name, dataDir, clientURLs, metricsURLs, advertiseClientURLs, advertisePeerURLs,
        certFile,
        keyFile, trustedCAFile, clientCertAuth, tlsMinVersion, quota, maxTxnOps, maxRequestBytes,
        maxConcurrentStreams, compactionMode, compactionRetention, keepaliveInterval,
        keepaliveTimeout, progressInterval, compactionBatch, logLevel, logFormat,
    ]

    static let all: [any AnyFlag] =
        EtcdFlags.effective + EtcdFlags.ignored + EtcdFlags.refused + EtcdFlags.experimental

    // MARK: - Values

    /// The value on the command line, else in the environment, else the default.
    private func value<Value: FlagValue>(_ flag: Flag<Value>) throws -> Value {
        guard !self.flags.isSet(flag), let text = Self.environment(flag.name) else {
            return self.flags[flag]
        }
        guard let value = Value(flag: text) else {
            throw UsageError("\(Self.variable(flag.name)): '\(text)' is no \(Value.flagTypeName)")
        }
        return value
    }

    /// Whether the flag is on the command line or in the environment.
    private func isSet(_ flag: any AnyFlag) -> Bool {
        func isSet<Value>(_ flag: Flag<Value>) -> Bool { self.flags.isSet(flag) }
        let isOnCommandLine =
            switch flag {
            case let flag as Flag<String>: isSet(flag)
            case let flag as Flag<Bool>: isSet(flag)
            default: false
            }
        return isOnCommandLine || Self.environment(flag.name) != nil
    }

    private static func variable(_ name: String) -> String {
        "ETCD_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }

    private static func environment(_ name: String) -> String? {
        getenv(Self.variable(name)).map { String(cString: $0) }
    }

    /// The logger that the flags ask for. Etcd's own flags win over `-v`.
    var logger: Logger {
        var logger = LogFlags.logger("etcd", self.flags)
        switch try? self.value(Self.logLevel) {
        case "debug": logger.logLevel = .debug
        case "warn": logger.logLevel = .warning
        case "error", "panic", "dpanic", "fatal": logger.logLevel = .error
        default: break
        }
        return logger
    }

    /// The data directory.
    func dataDirectory() throws -> String {
        let path = try self.value(Self.dataDir)
        return path.isEmpty ? try self.value(Self.name) + ".etcd" : path
    }

    /// The server that the flags ask for.
    func configuration(_ logger: Logger) throws -> StoreServer.Configuration {
        try self.refuse()
        self.warn(logger)
        var configuration = StoreServer.Configuration()
        configuration.name = try self.value(Self.name)
        configuration.dataDirectory = try self.dataDirectory()
        configuration.clientURLs = try self.value(Self.clientURLs)
        configuration.metricsURLs = try self.value(Self.metricsURLs)
        configuration.advertisedClientURLs = try self.value(Self.advertiseClientURLs)
        configuration.advertisedPeerURLs = try self.value(Self.advertisePeerURLs)
        configuration.certificatePath = try self.value(Self.certFile)
        configuration.privateKeyPath = try self.value(Self.keyFile)
        configuration.trustedAuthorityPath = try self.value(Self.trustedCAFile)
        configuration.requiresClientCertificates = try self.value(Self.clientCertAuth)
        switch try self.value(Self.tlsMinVersion) {
        case "TLS1.2", "": configuration.allowsTLS12 = true
        case "TLS1.3": configuration.allowsTLS12 = false
        case let other: throw UsageError("--tls-min-version: '\(other)' is not TLS1.2 or TLS1.3")
        }
        let streams = try self.value(Self.maxConcurrentStreams)
        configuration.maximumConcurrentStreams = min(max(streams, 1), Int(Int32.max))
        configuration.keepaliveInterval = try self.value(Self.keepaliveInterval)
        configuration.keepaliveTimeout = try self.value(Self.keepaliveTimeout)
        configuration.compaction = try self.compaction()
        try self.setLimits(&configuration)
        return configuration
    }

    private func setLimits(_ configuration: inout StoreServer.Configuration) throws {
        let quota = try self.value(Self.quota)
        if quota != 0 { configuration.store.limits.quotaBytes = Int64(max(quota, 0)) }
        let operations = try self.value(Self.maxTxnOps)
        let bytes = try self.value(Self.maxRequestBytes)
        guard operations > 0 else { throw UsageError("--max-txn-ops has to be above 0") }
        guard (1...EtcdFlags.largestRequest).contains(bytes) else {
            throw UsageError("--max-request-bytes has to be 1 to \(EtcdFlags.largestRequest)")
        }
        configuration.store.limits.maximumTxnOperations = operations
        configuration.store.limits.maximumRequestBytes = bytes
        let interval = try self.value(Self.progressInterval).components.seconds
        configuration.store.limits.watchProgressIntervalSeconds = max(1, interval)
        let batch = try self.value(Self.compactionBatch)
        guard batch > 0 else { throw UsageError("--compaction-batch-limit has to be above 0") }
        configuration.store.compactionStep = batch
    }

    /// The most that `--max-request-bytes` takes: what a frame of the log holds with room to spare.
    private static let largestRequest = 256 << 20

    private func compaction() throws -> CompactionSchedule.Mode? {
        let text = try self.value(Self.compactionRetention)
        let problem = UsageError("--auto-compaction-retention: '\(text)' is not understood")
        switch try self.value(Self.compactionMode) {
        case "revision":
            guard let count = Int64(text), count >= 0 else { throw problem }
            return count == 0 ? nil : .revision(count: count)
        case "periodic", "":
            if let hours = Int64(text) {
                guard (0...1_000_000).contains(hours) else { throw problem }
                return hours == 0 ? nil : .periodic(seconds: hours * 3_600)
            }
            guard let duration = try? GoDuration(parsing: text) else { throw problem }
            let seconds = Duration(duration).components.seconds
            guard seconds >= 0 else { throw problem }
            return seconds == 0 ? nil : .periodic(seconds: seconds)
        case let other:
            throw UsageError("--auto-compaction-mode: '\(other)' is not periodic or revision")
        }
    }

    private func refuse() throws {
        for (flag, reason) in Self.refusals where self.isSet(flag) {
            if let flag = flag as? Flag<Bool>, try !self.value(flag) { continue }
            if let flag = flag as? Flag<String>, try self.value(flag).isEmpty { continue }
            throw UsageError("--\(flag.name): \(reason)")
        }
    }

    private func warn(_ logger: Logger) {
        for flag in Self.ignored + Self.experimental where self.isSet(flag) {
            logger.warning(
                "A flag has no effect on a store of one node",
                metadata: ["flag": "--\(flag.name)"]
            )
        }
    }
}
