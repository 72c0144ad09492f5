// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP2Transport
import KubernetesAPI
import NameRules
import ObjectModel
import Protobuf
import Registry
import ResourceTable
import TLS

/// The server that a proxied request goes to.
///
/// Source: upstream `pkg/registry/core/{service/storage,pod,node}`: ResourceLocation.
struct ProxyTarget: Sendable {
    var host: String
    var port: Int
    /// nil for cleartext.
    var tls: TLSContextSource?
    var version: HTTPClientConnection.VersionChoice

    /// The authority of requests.
    var authority: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }

    /// A server whose address somebody in the cluster has written down: never this machine's own or
    /// its neighbours' (CVE-2022-3294, CVE-2020-8562). It is an address and no name, so that what is
    /// checked is what is connected to.
    init(address: String, port: Int, isSecure: Bool) throws(StatusError) {
        guard let parsed = IPAddress(parsing: address), Self.isAllowed(parsed) else {
            throw .badRequest("address not allowed")
        }
        self.host = "\(parsed)"
        self.port = port
        self.version = .http1
        guard isSecure else { return }
        // The certificates of pods are their own.
        var configuration = TLSClientConfiguration()
        configuration.verifiesServer = false
        configuration.applicationProtocols = ["http/1.1"]
        do {
            self.tls = try TLSContextSource(client: configuration)
        } catch {
            throw .internalError("\(error)")
        }
    }

    /// A kubelet, whose certificate is checked.
    init(kubelet host: String, port: Int, tls: TLSContextSource?) {
        self.host = host
        self.port = port
        self.tls = tls
        self.version = .automatic
    }

    /// Whether an address is one of the network, as Go's `IsGlobalUnicast` has it.
    static func isAllowed(_ address: IPAddress) -> Bool {
        !(address.isUnspecified || address.isLoopback || address.isMulticast
            || address.isLinkLocalUnicast || address.ipv4Bits == .max)
    }
}

extension ServerCore {
    /// Where a request for the `proxy` subresource of a pod, a Service or a node goes.
    func proxyTarget(_ call: ResourceCall) async throws(StatusError) -> ProxyTarget {
        let kind = String(call.resource.plural.dropLast())
        guard let name = ProxyName(parsing: call.name) else {
            throw .badRequest("invalid \(kind) request \(GoText.quoted(call.name))")
        }
        let cached = try await call.store.get(call.namespace, name.name)
        let object = try call.store.decode(cached)
        if let pod = object.message(as: CoreV1.Pod.self) { return try Self.target(pod, name) }
        if let node = object.message(as: CoreV1.Node.self) { return try self.target(node, name) }
        if let service = object.message(as: CoreV1.Service.self) {
            return try self.target(service, name)
        }
        throw .internalError("the \(kind) cannot be decoded")
    }

    private static func target(
        _ pod: CoreV1.Pod,
        _ name: ProxyName
    ) throws(StatusError) -> ProxyTarget {
        let address = pod.status.podIPs.first?.ip ?? pod.status.podIP
        let ports = pod.spec.containers.flatMap { Array($0.ports) }
        let port: Int
        if let number = Int(name.port) {
            port = number
        } else if name.port.isEmpty {
            port = ports.first.map { Int($0.containerPort) } ?? (name.isSecure ? 443 : 80)
        } else {
            guard let found = ports.first(where: { $0.name == name.port }) else {
                throw .badRequest("invalid pod request \(GoText.quoted(name.name))")
            }
            port = Int(found.containerPort)
        }
        return try ProxyTarget(address: address, port: port, isSecure: name.isSecure)
    }

    private func target(
        _ node: CoreV1.Node,
        _ name: ProxyName
    ) throws(StatusError) -> ProxyTarget {
        guard case .tcp(let host, let kubeletPort) = try self.nodes.endpoint(of: node) else {
            throw .badRequest("address not allowed")
        }
        guard !name.port.isEmpty, name.port != "\(kubeletPort)" else {
            return ProxyTarget(kubelet: host, port: kubeletPort, tls: self.nodes.tls)
        }
        guard let port = Int(name.port) else {
            throw .badRequest("invalid node request \(GoText.quoted(name.name))")
        }
        return try ProxyTarget(address: host, port: port, isSecure: name.isSecure)
    }

    // MARK: - Services

    private func target(
        _ service: CoreV1.Service,
        _ name: ProxyName
    ) throws(StatusError) -> ProxyTarget {
        var port = name.port
        if let number = Int32(port) {
            guard let found = service.spec.ports.first(where: { $0.port == number }) else {
                throw .serviceUnavailable(
                    "no service port \(number) found for service \(GoText.quoted(name.name))"
                )
            }
            port = found.name
        }
        let endpoints = self.endpoints(of: service, port: port)
        guard let (address, number) = endpoints.randomElement() else {
            throw .serviceUnavailable(
                "no endpoints available for service \(GoText.quoted(name.name))"
            )
        }
        return try ProxyTarget(address: address, port: Int(number), isSecure: name.isSecure)
    }

    /// The ready endpoints of a Service that are pods: of other addresses nobody knows whose they
    /// are.
    private func endpoints(
        of service: CoreV1.Service,
        port name: String
    ) -> [(address: String, port: Int32)] {
        let reader = RegistryReader(registry: self.registry)
        let namespace = service.metadata.namespace
        let slices = reader.list(
            GroupResource(group: "discovery.k8s.io", resource: "endpointslices"),
            namespace: namespace
        )
        var found: [(address: String, port: Int32)] = []
        for object in slices {
            guard let slice = object.message(as: DiscoveryV1.EndpointSlice.self),
                slice.metadata.labels["kubernetes.io/service-name"] == service.metadata.name,
                let port = slice.ports.first(where: { ($0.name ?? "") == name })?.port
            else { continue }
            for endpoint in slice.endpoints where endpoint.conditions.ready ?? true {
                guard let reference = endpoint.targetRef, reference.kind == "Pod",
                    let pod = reader.get(
                        GroupResource(group: "", resource: "pods"),
                        namespace: namespace,
                        name: reference.name
                    )?.message(as: CoreV1.Pod.self)
                else { continue }
                for address in endpoint.addresses
                where pod.status.podIP == address
                    || pod.status.podIPs.contains(where: { $0.ip == address })
                {
                    found.append((address, port))
                }
            }
        }
        return found
    }
}
