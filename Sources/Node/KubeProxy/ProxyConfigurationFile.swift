// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import JSON
import Scalars

/// A `KubeProxyConfiguration` (`kubeproxy.config.k8s.io/v1alpha1`), as `--config` names it. Where it
/// says nothing, fields are nil.
///
/// Source: upstream `staging/src/k8s.io/kube-proxy/config/v1alpha1/types.go`.
public struct ProxyConfigurationFile: Sendable {
    public var kubeconfig: String?
    public var hostnameOverride: String?
    public var bindAddress: String?
    public var healthzBindAddress: String?
    public var metricsBindAddress: String?
    public var mode: String?
    public var clusterCIDR: String?
    public var nodePortAddresses: [String] = []
    public var masqueradesAll: Bool?
    public var masqueradeBit: Int?
    public var connections = ConnectionLimits()

    /// Why a file cannot be used.
    public enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
        case wrongKind(apiVersion: String, kind: String)
        case unknownFields([String])
        case wrongType(path: String, expected: String)
        case invalid(path: String, String)

        public var description: String {
            switch self {
            case .wrongKind(let apiVersion, let kind):
                return "no kind \"\(kind)\" is registered for version \"\(apiVersion)\""
            case .unknownFields(let paths):
                let list = paths.map { "unknown field \"\($0)\"" }.joined(separator: ", ")
                return "strict decoding error: \(list)"
            case .wrongType(let path, let expected): return "\(path): expected \(expected)"
            case .invalid(let path, let detail): return "\(path): Invalid value: \(detail)"
            }
        }
    }

    public init(_ value: DynamicValue) throws(Failure) {
        var root = try Section(value, "")
        let apiVersion = try root.string("apiVersion") ?? ""
        let kind = try root.string("kind") ?? ""
        guard apiVersion == "kubeproxy.config.k8s.io/v1alpha1", kind == "KubeProxyConfiguration"
        else { throw .wrongKind(apiVersion: apiVersion, kind: kind) }
        self.hostnameOverride = try root.string("hostnameOverride")
        self.bindAddress = try root.string("bindAddress")
        self.healthzBindAddress = try root.string("healthzBindAddress")
        self.metricsBindAddress = try root.string("metricsBindAddress")
        self.mode = try root.string("mode")
        self.clusterCIDR = try root.string("clusterCIDR")
        self.nodePortAddresses = try root.strings("nodePortAddresses") ?? []
        var unknown: [String] = []
        if var client = try root.section("clientConnection") {
            self.kubeconfig = try client.string("kubeconfig")
            client.ignore("acceptContentTypes", "contentType", "qps", "burst")
            unknown += client.unknown
        }
        if var rules = try root.section("nftables") {
            self.masqueradesAll = try rules.bool("masqueradeAll")
            self.masqueradeBit = try rules.integer("masqueradeBit")
            rules.ignore("syncPeriod", "minSyncPeriod")
            unknown += rules.unknown
        }
        if var limits = try root.section("conntrack") {
            try self.read(&limits)
            unknown += limits.unknown
        }
        // Of other modes and platforms, or what there is nothing to set for.
        root.ignore(
            "iptables",
            "ipvs",
            "winkernel",
            "windowsRunAsService",
            "detectLocalMode",
            "detectLocal",
            "featureGates",
            "logging",
            "bindAddressHardFail",
            "enableProfiling",
            "showHiddenMetricsForVersion",
            "oomScoreAdj",
            "configSyncPeriod",
            "portRange"
        )
        unknown += root.unknown
        guard unknown.isEmpty else { throw .unknownFields(unknown.sorted()) }
        if let bit = self.masqueradeBit, !(0...31).contains(bit) {
            throw .invalid(
                path: "KubeProxyConfiguration.nftables.masqueradeBit",
                "\(bit): must be within the range [0, 31]"
            )
        }
    }

    private mutating func read(_ limits: inout Section) throws(Failure) {
        let defaults = ConnectionLimits()
        self.connections.maximumPerCore =
            try limits.integer("maxPerCore") ?? defaults.maximumPerCore
        self.connections.minimum = try limits.integer("min") ?? defaults.minimum
        self.connections.establishedSeconds =
            try limits.seconds("tcpEstablishedTimeout") ?? defaults.establishedSeconds
        self.connections.closeWaitSeconds =
            try limits.seconds("tcpCloseWaitTimeout") ?? defaults.closeWaitSeconds
        self.connections.isLiberal = try limits.bool("tcpBeLiberal") ?? false
        self.connections.datagramSeconds = try limits.seconds("udpTimeout") ?? 0
        self.connections.datagramStreamSeconds = try limits.seconds("udpStreamTimeout") ?? 0
        let numbers = [
            ("maxPerCore", self.connections.maximumPerCore), ("min", self.connections.minimum),
            ("tcpEstablishedTimeout", self.connections.establishedSeconds),
            ("tcpCloseWaitTimeout", self.connections.closeWaitSeconds),
            ("udpTimeout", self.connections.datagramSeconds),
            ("udpStreamTimeout", self.connections.datagramStreamSeconds),
        ]
        for (name, number) in numbers where number < 0 {
            throw .invalid(
                path: "KubeProxyConfiguration.conntrack.\(name)",
                "\(number): must be greater than or equal to 0"
            )
        }
    }

    /// An object whose fields are taken note of.
    private struct Section {
        private let value: DynamicValue
        private let path: String
        private var known: Set<String> = []

        init(_ value: DynamicValue, _ path: String) throws(Failure) {
            guard value.kind == .object else {
                throw .wrongType(path: path.isEmpty ? "document" : path, expected: "object")
            }
            self.value = value
            self.path = path
        }

        /// Fields that nobody asked for.
        var unknown: [String] {
            self.value.entries.map { String($0.key) }.filter { !self.known.contains($0) }.map(
                self.full
            )
        }

        private func full(_ key: String) -> String {
            self.path.isEmpty ? key : "\(self.path).\(key)"
        }

        private mutating func field(_ key: String) -> DynamicValue? {
            self.known.insert(key)
            guard let value = self.value[key], !value.isNull else { return nil }
            return value
        }

        mutating func ignore(_ keys: String...) { self.known.formUnion(keys) }

        mutating func section(_ key: String) throws(Failure) -> Section? {
            guard let value = self.field(key) else { return nil }
            return try Section(value, self.full(key))
        }

        mutating func string(_ key: String) throws(Failure) -> String? {
            guard let value = self.field(key) else { return nil }
            guard let text = value.string else {
                throw .wrongType(path: self.full(key), expected: "string")
            }
            return text
        }

        mutating func strings(_ key: String) throws(Failure) -> [String]? {
            guard let value = self.field(key) else { return nil }
            let texts = value.items.compactMap(\.string)
            guard value.kind == .list, texts.count == value.items.count else {
                throw .wrongType(path: self.full(key), expected: "list of strings")
            }
            return texts
        }

        mutating func bool(_ key: String) throws(Failure) -> Bool? {
            guard let value = self.field(key) else { return nil }
            guard let flag = value.bool else {
                throw .wrongType(path: self.full(key), expected: "boolean")
            }
            return flag
        }

        mutating func integer(_ key: String) throws(Failure) -> Int? {
            guard let value = self.field(key) else { return nil }
            guard let number = value.integer.flatMap({ Int32(exactly: $0) }) else {
                throw .wrongType(path: self.full(key), expected: "integer")
            }
            return Int(number)
        }

        mutating func seconds(_ key: String) throws(Failure) -> Int? {
            guard let text = try self.string(key) else { return nil }
            guard let duration = try? GoDuration(parsing: text) else {
                throw .wrongType(path: self.full(key), expected: "duration")
            }
            return Int(duration.nanoseconds / 1_000_000_000)
        }
    }
}
