// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import NodeHost
import PodLifecycle
import Protobuf

/// How names resolve in a pod: its own name, its hosts file, its resolver.
///
/// Source: upstream `pkg/kubelet/network/dns/dns.go`, `pkg/kubelet/kubelet_pods.go`.
struct NameResolution: Sendable {
    /// The most that the C library takes.
    static let maximumServers = 3
    static let maximumSearches = 32
    static let maximumSearchCharacters = 2048
    static let maximumHostname = 63

    let settings: KubeletSettings

    /// The name of a pod's machine, without a domain.
    static func hostname(_ pod: CoreV1.Pod) -> String {
        if let override = pod.spec.hostnameOverride, !override.isEmpty { return override }
        let name = pod.spec.hostname.isEmpty ? pod.metadata.name : pod.spec.hostname
        var short = String(name.prefix(Self.maximumHostname))
        while let last = short.last, last == "-" || last == "." { short.removeLast() }
        return short
    }

    /// The domain of a pod with a subdomain; empty otherwise.
    func domain(_ pod: CoreV1.Pod) -> String {
        guard !pod.spec.subdomain.isEmpty else { return "" }
        return "\(pod.spec.subdomain).\(pod.metadata.namespace).svc.\(self.settings.clusterDomain)"
    }

    /// What the kernel of the pod says: the short name, or all of it when the pod wants so.
    func kernelHostname(_ pod: CoreV1.Pod) -> String {
        let name = Self.hostname(pod)
        let domain = self.domain(pod)
        guard pod.spec.setHostnameAsFQDN ?? false, !domain.isEmpty else { return name }
        return "\(name).\(domain)"
    }

    /// The text of `/etc/hosts`.
    func hosts(_ pod: CoreV1.Pod, addresses: [String]) -> String {
        var text: String
        if pod.usesHostNetwork {
            let own = (try? HostFiles.read("/etc/hosts", limit: 1 << 20)) ?? []
            text = "# Kubernetes-managed hosts file (host network).\n"
            text += String(decoding: own, as: UTF8.self)
        } else {
            text = "# Kubernetes-managed hosts file.\n"
            text += "127.0.0.1\tlocalhost\n"
            text += "::1\tlocalhost ip6-localhost ip6-loopback\n"
            text += "fe00::0\tip6-localnet\n"
            text += "fe00::0\tip6-mcastprefix\n"
            text += "fe00::1\tip6-allnodes\n"
            text += "fe00::2\tip6-allrouters\n"
            let name = Self.hostname(pod)
            let domain = self.domain(pod)
            for address in addresses {
                text +=
                    domain.isEmpty
                    ? "\(address)\t\(name)\n" : "\(address)\t\(name).\(domain)\t\(name)\n"
            }
        }
        guard !pod.spec.hostAliases.isEmpty else { return text }
        text += "\n# Entries added by HostAliases.\n"
        for alias in pod.spec.hostAliases {
            text += "\(alias.ip)\t\(alias.hostnames.joined(separator: "\t"))\n"
        }
        return text
    }

    /// The resolver of a pod, and what had to be left out.
    func resolver(_ pod: CoreV1.Pod) -> (config: CRI.DNSConfig, problem: String?) {
        let node = self.nodeResolver()
        var servers: [String] = []
        var searches: [String] = []
        var options: [String] = []
        var policy = pod.spec.dnsPolicy
        if pod.usesHostNetwork, policy == "ClusterFirst" || policy.isEmpty { policy = "Default" }
        if policy == "ClusterFirstWithHostNet" { policy = "ClusterFirst" }
        switch policy {
        case "None": break
        case "Default":
            (servers, searches, options) = node
        default:
            if self.settings.clusterDNS.isEmpty {
                (servers, searches, options) = node
                break
            }
            servers = self.settings.clusterDNS
            let domain = self.settings.clusterDomain
            if !domain.isEmpty {
                searches = ["\(pod.metadata.namespace).svc.\(domain)", "svc.\(domain)", domain]
            }
            searches += node.searches.filter { !searches.contains($0) }
            options = ["ndots:5"]
        }
        if let own = pod.spec.dnsConfig {
            for server in own.nameservers where !servers.contains(server) { servers.append(server) }
            for search in own.searches where !searches.contains(search) { searches.append(search) }
            for option in own.options {
                options.removeAll { $0 == option.name || $0.hasPrefix(option.name + ":") }
                let value = option.value ?? ""
                options.append(value.isEmpty ? option.name : "\(option.name):\(value)")
            }
        }
        let problem = Self.limit(&servers, &searches)
        let config = CRI.DNSConfig.with {
            $0.servers = RepeatedField(servers)
            $0.searches = RepeatedField(searches)
            $0.options = RepeatedField(options)
        }
        return (config, problem)
    }

    private static func limit(_ servers: inout [String], _ searches: inout [String]) -> String? {
        var problem: String?
        if servers.count > Self.maximumServers {
            servers = Array(servers.prefix(Self.maximumServers))
            problem =
                "Nameserver limits were exceeded, some nameservers have been omitted, the applied "
                + "nameserver line is: \(servers.joined(separator: " "))"
        }
        var kept: [String] = []
        var characters = 0
        for search in searches.prefix(Self.maximumSearches) {
            characters += search.utf8.count + 1
            if characters > Self.maximumSearchCharacters { break }
            kept.append(search)
        }
        if kept.count < searches.count {
            searches = kept
            problem =
                "Search Line limits were exceeded, some search paths have been omitted, the "
                + "applied search line is: \(searches.joined(separator: " "))"
        }
        return problem
    }

    /// What the node's own resolver file says.
    private func nodeResolver() -> (servers: [String], searches: [String], options: [String]) {
        guard !self.settings.resolverConfiguration.isEmpty else { return ([], [], []) }
        let text = HostFiles.text(self.settings.resolverConfiguration) ?? ""
        var servers: [String] = []
        var searches: [String] = []
        var options: [String] = []
        for line in text.split(separator: "\n") {
            let fields = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let key = fields.first, fields.count > 1 else { continue }
            switch key {
            case "nameserver": servers.append(fields[1])
            case "search": searches = fields.dropFirst().filter { $0 != "." }
            case "options": options = Array(fields.dropFirst())
            default: continue
            }
        }
        return (servers, searches, options)
    }
}
