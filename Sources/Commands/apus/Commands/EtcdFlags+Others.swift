// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Flags

// MARK: - Flags of etcd that do nothing here

extension EtcdFlags {
    private static func ignored(_ name: String, _ reason: String) -> any AnyFlag {
        Flag(name, default: "", help: "accepted and ignored: \(reason)", isHidden: true)
    }

    private static func ignoredSwitch(_ name: String, _ reason: String) -> any AnyFlag {
        Flag(name, default: false, help: "accepted and ignored: \(reason)", isHidden: true)
    }

    private static let noPeers = "there is one member and no peer"
    private static let noRaft = "there is no Raft log"

    /// Accepted with a warning: what they are about does not exist here, and doing without is what
    /// whoever set them would expect.
    static let ignored: [any AnyFlag] =
        [
            "listen-peer-urls", "initial-cluster", "initial-cluster-state",
            "initial-cluster-token", "peer-cert-file", "peer-key-file", "peer-trusted-ca-file",
            "peer-cert-allowed-cn", "peer-cert-allowed-hostname",
            "peer-skip-client-san-verification", "peer-client-cert-file", "peer-client-key-file",
        ].map { EtcdFlags.ignored($0, EtcdFlags.noPeers) }
        + [
            "heartbeat-interval", "election-timeout", "snapshot-count", "max-snapshots", "max-wals",
            "snapshot-catchup-entries", "raft-read-timeout", "raft-write-timeout",
        ].map { EtcdFlags.ignored($0, EtcdFlags.noRaft) }
        + ["initial-election-tick-advance", "pre-vote", "strict-reconfig-check"]
        .map { EtcdFlags.ignoredSwitch($0, EtcdFlags.noRaft) }
        + ["peer-client-cert-auth", "peer-auto-tls"]
        .map { EtcdFlags.ignoredSwitch($0, EtcdFlags.noPeers) }
        + [
            ("backend-batch-interval", "writes are grouped by themselves"),
            ("backend-batch-limit", "writes are grouped by themselves"),
            ("backend-bbolt-freelist-type", "the engine is not bbolt"),
            ("logger", "there is one"),
            ("log-outputs", "logs go to standard error"),
            ("log-rotation-config-json", "logs go to standard error"),
            ("metrics", "all metrics are served"),
            ("v2-deprecation", "there is no v2"),
            ("auth-token", "the store has no users"),
            ("bcrypt-cost", "the store has no users"),
            ("auth-token-ttl", "the store has no users"),
            ("grpc-keepalive-min-time", "pings are limited by number"),
            ("cors", "there is no JSON gateway"),
            ("host-whitelist", "there is no JSON gateway"),
            ("feature-gates", "there are none"),
            ("compact-hash-check-time", EtcdFlags.noPeers),
            ("corrupt-check-time", EtcdFlags.noPeers),
            ("compaction-sleep-interval", "steps make room for writers by themselves"),
            ("warning-apply-duration", "see the histograms of the metrics"),
            ("warning-unary-request-duration", "see the histograms of the metrics"),
            ("downgrade-check-time", EtcdFlags.noPeers),
            ("bootstrap-defrag-threshold-megabytes", "free pages are used again"),
            ("max-learners", EtcdFlags.noPeers),
            ("client-cert-file", "the store is nobody's client"),
            ("client-key-file", "the store is nobody's client"),
            ("self-signed-cert-validity", "no certificates are made"),
            ("distributed-tracing-address", "there is no tracing"),
            ("distributed-tracing-service-name", "there is no tracing"),
            ("distributed-tracing-instance-id", "there is no tracing"),
            ("distributed-tracing-sampling-rate", "there is no tracing"),
        ].map { EtcdFlags.ignored($0.0, $0.1) }
        + [
            ("enable-grpc-gateway", "there is no JSON gateway"),
            ("socket-reuse-address", "it is always so"),
            ("stop-grpc-service-on-defrag", "nothing is defragmented"),
            ("compact-hash-check-enabled", EtcdFlags.noPeers),
            ("enable-log-rotation", "logs go to standard error"),
            ("disable-log-sampling", "every line is logged"),
            ("memory-mlock", "an index in memory is not locked"),
        ].map { EtcdFlags.ignoredSwitch($0.0, $0.1) }

    /// Etcd's former names of flags. What they ask for is either always so or does not exist.
    static let experimental: [any AnyFlag] =
        [
            "experimental-watch-progress-notify-interval", "experimental-corrupt-check-time",
            "experimental-compact-hash-check-time", "experimental-compaction-batch-limit",
            "experimental-compaction-sleep-interval", "experimental-warning-apply-duration",
            "experimental-warning-unary-request-duration",
            "experimental-bootstrap-defrag-threshold-megabytes", "experimental-max-learners",
            "experimental-snapshot-catchup-entries", "experimental-downgrade-check-time",
            "experimental-distributed-tracing-address",
            "experimental-distributed-tracing-service-name",
            "experimental-distributed-tracing-instance-id",
            "experimental-distributed-tracing-sampling-rate",
        ].map { EtcdFlags.ignored($0, "an old name") }
        + [
            "experimental-initial-corrupt-check", "experimental-compact-hash-check-enabled",
            "experimental-enable-lease-checkpoint",
            "experimental-enable-lease-checkpoint-persist", "experimental-memory-mlock",
            "experimental-txn-mode-write-with-shared-buffer",
            "experimental-stop-grpc-service-on-defrag",
            "experimental-peer-skip-client-san-verification", "experimental-set-member-localaddr",
        ].map { EtcdFlags.ignoredSwitch($0, "an old name") }

    // MARK: - Flags that are refused

    private static let discovery: [(flag: any AnyFlag, reason: String)] = [
        "discovery", "discovery-proxy", "discovery-fallback", "discovery-srv", "discovery-srv-name",
        "discovery-endpoints", "discovery-token", "discovery-dial-timeout",
        "discovery-request-timeout", "discovery-keepalive-time", "discovery-keepalive-timeout",
        "discovery-cert", "discovery-key", "discovery-cacert", "discovery-user",
        "discovery-password",
    ].map { name in
        let flag = Flag(name, default: "", help: "refused", isHidden: true)
        return (flag, "the store has one member; for several, use etcd")
    }

    /// Refused with a reason: who sets them relies on something that would not happen.
    static let refusals: [(flag: any AnyFlag, reason: String)] =
        EtcdFlags.discovery
        + [
            ("wal-dir", "the log lies in the data directory"),
            ("client-crl-file", "lists of revoked certificates are not read"),
            ("peer-crl-file", "lists of revoked certificates are not read"),
            ("client-cert-allowed-hostname", "client certificates are checked by authority only"),
            ("cipher-suites", "cipher suites cannot be chosen"),
            ("tls-max-version", "the newest version of TLS cannot be left out"),
            ("config-file", "flags come from the command line or the environment"),
            ("listen-client-http-urls", "all that a client asks is served on one address"),
        ].map { (Flag($0.0, default: "", help: "refused", isHidden: true), $0.1) }
        + [
            ("unsafe-no-fsync", "a write that is not on disk is never acknowledged"),
            ("force-new-cluster", "there is nothing to force; use a snapshot"),
            ("auto-tls", "make certificates with `apus certs`"),
            ("enable-pprof", "profiles are Go's"),
            ("socket-reuse-port", "one process serves an address"),
            ("discovery-insecure-skip-tls-verify", "the store has one member"),
            ("discovery-insecure-transport", "the store has one member"),
            ("enable-distributed-tracing", "there is none"),
            ("experimental-enable-distributed-tracing", "there is none"),
        ].map { (Flag($0.0, default: false, help: "refused", isHidden: true), $0.1) }

    static let refused: [any AnyFlag] = EtcdFlags.refusals.map(\.flag)
}
