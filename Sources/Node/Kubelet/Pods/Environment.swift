// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import PodLifecycle
import Protobuf

/// The environment of a container.
///
/// Source: upstream `pkg/kubelet/kubelet_pods.go` (`makeEnvironmentVariables`),
/// `pkg/kubelet/envvars`.
struct Environment: Sendable {
    /// Something that a variable comes from is missing or wrong: the container waits with
    /// `CreateContainerConfigError`.
    struct Missing: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    /// What variables are made from.
    struct Sources: Sendable {
        var pod: CoreV1.Pod
        var cluster: (any ClusterAccess)?
        var context: FieldReferences.Context
    }

    /// Variables in order, by name.
    private(set) var entries: [(name: String, value: String)] = []

    private mutating func set(_ name: String, _ value: String) {
        if let index = self.entries.firstIndex(where: { $0.name == name }) {
            self.entries[index].value = value
        } else {
            self.entries.append((name, value))
        }
    }

    private func value(_ name: String) -> String? {
        self.entries.first { $0.name == name }?.value
    }

    /// The environment of `container`.
    static func make(
        _ container: CoreV1.Container,
        _ sources: Sources
    ) async throws -> Environment {
        var result = Environment()
        let services = Self.serviceVariables(sources)
        for source in container.envFrom { try await result.add(source, sources) }
        for variable in container.env {
            var value = variable.value
            if !value.isEmpty {
                value = VariableExpansion.expand(value) { result.value($0) ?? services[$0] }
            } else if let from = variable.valueFrom {
                guard let found = try await Self.value(of: from, container, sources) else {
                    continue
                }
                value = found
            }
            result.set(variable.name, value)
        }
        for (name, value) in services.sorted(by: { $0.key < $1.key })
        where result.value(name) == nil {
            result.entries.append((name, value))
        }
        return result
    }

    private mutating func add(
        _ source: CoreV1.EnvFromSource,
        _ sources: Sources
    ) async throws {
        let namespace = sources.pod.metadata.namespace
        if let reference = source.configMapRef {
            let name = reference.localObjectReference.name
            guard
                let map = try await Self.find(
                    "configmap",
                    name,
                    reference.optional,
                    sources,
                    {
                        try await $0.configMap(namespace, name)
                    }
                )
            else { return }
            for (key, value) in map.data { self.set(source.prefix + key, value) }
        }
        if let reference = source.secretRef {
            let name = reference.localObjectReference.name
            guard
                let secret = try await Self.find(
                    "secret",
                    name,
                    reference.optional,
                    sources,
                    {
                        try await $0.secret(namespace, name)
                    }
                )
            else { return }
            for (key, value) in secret.data {
                self.set(source.prefix + key, String(decoding: value, as: UTF8.self))
            }
        }
    }

    private static func value(
        of source: CoreV1.EnvVarSource,
        _ container: CoreV1.Container,
        _ sources: Sources
    ) async throws -> String? {
        let pod = sources.pod
        let namespace = pod.metadata.namespace
        if let field = source.fieldRef {
            do throws(FieldReferences.UnknownField) {
                return try FieldReferences.value(
                    of: field.fieldPath,
                    in: pod,
                    context: sources.context
                )
            } catch {
                throw Missing(description: "unsupported fieldPath: \(error.path)")
            }
        }
        if let resource = source.resourceFieldRef {
            do throws(FieldReferences.UnknownField) {
                return try FieldReferences.value(
                    of: resource,
                    in: pod,
                    container: container.name,
                    context: sources.context
                )
            } catch {
                throw Missing(description: "unsupported container resource: \(error.path)")
            }
        }
        if let key = source.configMapKeyRef {
            let name = key.localObjectReference.name
            guard
                let map = try await Self.find(
                    "configmap",
                    name,
                    key.optional,
                    sources,
                    {
                        try await $0.configMap(namespace, name)
                    }
                )
            else { return nil }
            if let value = map.data[key.key] { return value }
            if key.optional ?? false { return nil }
            throw Missing(
                description: "couldn't find key \(key.key) in ConfigMap \(namespace)/\(name)"
            )
        }
        if let key = source.secretKeyRef {
            let name = key.localObjectReference.name
            guard
                let secret = try await Self.find(
                    "secret",
                    name,
                    key.optional,
                    sources,
                    {
                        try await $0.secret(namespace, name)
                    }
                )
            else { return nil }
            if let value = secret.data[key.key] { return String(decoding: value, as: UTF8.self) }
            if key.optional ?? false { return nil }
            throw Missing(
                description: "couldn't find key \(key.key) in Secret \(namespace)/\(name)"
            )
        }
        return nil
    }

    private static func find<T: Sendable>(
        _ kind: String,
        _ name: String,
        _ optional: Bool?,
        _ sources: Sources,
        _ get: (any ClusterAccess) async throws -> T
    ) async throws -> T? {
        guard let cluster = sources.cluster else {
            if optional ?? false { return nil }
            throw Missing(description: "\(kind) \"\(name)\" not found")
        }
        do {
            return try await get(cluster)
        } catch let error as NotInCluster {
            if optional ?? false { return nil }
            throw Missing(description: error.description)
        }
    }

    // MARK: - Services

    /// The variables that tell of Services: of the pod's own namespace unless it does not want
    /// them, and always of the API server's.
    static func serviceVariables(_ sources: Sources) -> [String: String] {
        guard let cluster = sources.cluster else { return [:] }
        let wantsAll = sources.pod.spec.enableServiceLinks ?? true
        var result: [String: String] = [:]
        for service in cluster.services() {
            let address = service.spec.clusterIP
            guard !address.isEmpty, address != "None", !service.spec.ports.isEmpty else { continue }
            let isMaster =
                service.metadata.namespace == "default" && service.metadata.name == "kubernetes"
            guard
                isMaster || wantsAll && service.metadata.namespace == sources.pod.metadata.namespace
            else { continue }
            if isMaster, !wantsAll || sources.pod.metadata.namespace != "default" {
                // One of the pod's own namespace with this name comes first.
                if wantsAll, result["KUBERNETES_SERVICE_HOST"] != nil { continue }
            }
            result.merge(Self.variables(of: service)) { $1 }
        }
        return result
    }

    /// The variables of one Service.
    static func variables(of service: CoreV1.Service) -> [String: String] {
        let prefix = service.metadata.name.uppercased().replacing("-", with: "_")
        let address = service.spec.clusterIP
        let host = address.contains(":") ? "[\(address)]" : address
        var result = ["\(prefix)_SERVICE_HOST": address]
        for (index, port) in service.spec.ports.enumerated() {
            if index == 0 { result["\(prefix)_SERVICE_PORT"] = "\(port.port)" }
            if !port.name.isEmpty {
                let name = port.name.uppercased().replacing("-", with: "_")
                result["\(prefix)_SERVICE_PORT_\(name)"] = "\(port.port)"
            }
            let proto = port.protocol.isEmpty ? "TCP" : port.protocol
            let url = "\(proto.lowercased())://\(host):\(port.port)"
            if index == 0 { result["\(prefix)_PORT"] = url }
            let base = "\(prefix)_PORT_\(port.port)_\(proto)"
            result[base] = url
            result["\(base)_PROTO"] = proto.lowercased()
            result["\(base)_PORT"] = "\(port.port)"
            result["\(base)_ADDR"] = address
        }
        return result
    }
}
