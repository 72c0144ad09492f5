// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import PodLifecycle
import Protobuf

/// Which parameters of the kernel pods may set: those that are safe, and those that the node's
/// administrator has allowed by name or, with a `*` at the end, by the beginning of a name.
///
/// Source: upstream `pkg/kubelet/sysctl`.
struct SysctlAllowlist: Sendable {
    /// What a parameter belongs to, and so what a pod shares when it uses the host's.
    enum Namespace: String, Sendable {
        case network = "Net"
        case ipc = "IPC"

        /// Nil for a parameter that all pods and the node share.
        init?(of name: String) {
            if name.hasPrefix("net.") {
                self = .network
            } else if ["kernel.shm", "kernel.msg", "fs.mqueue."].contains(where: name.hasPrefix)
                || name == "kernel.sem"
            {
                self = .ipc
            } else {
                return nil
            }
        }
    }

    private static let safe: Set<String> = [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    ]

    private let names: Set<String>
    private let prefixes: [String]

    /// - Parameter unsafe: names and patterns, with dots or slashes between their parts.
    init(unsafe: [String]) {
        let patterns = unsafe.map(Self.normalized)
        self.names = Self.safe.union(patterns.filter { !$0.hasSuffix("*") })
        self.prefixes = patterns.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }
    }

    /// With dots between its parts: `net/ipv4/conf/eth0.1/x` is `net.ipv4.conf.eth0/1.x`.
    static func normalized(_ name: String) -> String {
        guard let first = name.first(where: { $0 == "." || $0 == "/" }), first == "/" else {
            return name
        }
        return String(name.map { $0 == "/" ? "." : $0 == "." ? "/" : $0 })
    }

    /// Why the node does not take a pod; nil when it does.
    func refusal(of pod: CoreV1.Pod) -> PodStatusBuilder.Ending? {
        for sysctl in pod.spec.securityContext?.sysctls ?? [] {
            guard let problem = self.problem(Self.normalized(sysctl.name), pod.spec) else {
                continue
            }
            return .init(reason: "SysctlForbidden", message: "forbidden sysctl: \(problem)")
        }
        return nil
    }

    private func problem(_ name: String, _ spec: CoreV1.PodSpec) -> String? {
        guard self.names.contains(name) || self.prefixes.contains(where: name.hasPrefix) else {
            return "\"\(name)\" not allowlisted"
        }
        let namespace = Namespace(of: name)
        let isShared =
            switch namespace {
            case .network: spec.hostNetwork
            case .ipc: spec.hostIPC
            case nil: false
            }
        guard let namespace, isShared else { return nil }
        return "\"\(name)\" not allowed with host \(namespace.rawValue) enabled"
    }

    /// The first of `unsafe` that is no name of a parameter of a pod's own; nil when all are.
    static func invalid(among unsafe: [String]) -> String? {
        unsafe.first { pattern in
            let name = self.normalized(pattern)
            let stem = name.hasSuffix("*") ? String(name.dropLast()) : name
            return stem.contains("*") || Namespace(of: stem) == nil
        }
    }
}
