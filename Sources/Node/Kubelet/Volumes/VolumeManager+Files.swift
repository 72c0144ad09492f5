// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc
import KubernetesAPI
import NodeHost
import PodLifecycle
import Protobuf

extension VolumeManager {
    /// The files of a volume that the kubelet writes.
    func files(
        of source: CoreV1.VolumeSource,
        _ pod: CoreV1.Pod,
        _ addresses: [String]
    ) async throws -> [String: AtomicDirectory.File] {
        var files: [String: AtomicDirectory.File] = [:]
        let namespace = pod.metadata.namespace
        if let map = source.configMap {
            try await self.addConfigMap(
                map.localObjectReference.name,
                namespace,
                Array(map.items),
                optional: map.optional,
                mode: map.defaultMode,
                &files
            )
        }
        if let secret = source.secret {
            try await self.addSecret(
                secret.secretName,
                namespace,
                Array(secret.items),
                optional: secret.optional,
                mode: secret.defaultMode,
                &files
            )
        }
        if let downward = source.downwardAPI {
            try self.addFields(
                Array(downward.items),
                pod,
                addresses,
                mode: downward.defaultMode,
                &files
            )
        }
        if let projected = source.projected {
            for part in projected.sources {
                try await self.add(part, projected.defaultMode, pod, addresses, &files)
            }
        }
        return files
    }

    private func add(
        _ part: CoreV1.VolumeProjection,
        _ mode: Int32?,
        _ pod: CoreV1.Pod,
        _ addresses: [String],
        _ files: inout [String: AtomicDirectory.File]
    ) async throws {
        let namespace = pod.metadata.namespace
        if let map = part.configMap {
            try await self.addConfigMap(
                map.localObjectReference.name,
                namespace,
                Array(map.items),
                optional: map.optional,
                mode: mode,
                &files
            )
        }
        if let secret = part.secret {
            try await self.addSecret(
                secret.localObjectReference.name,
                namespace,
                Array(secret.items),
                optional: secret.optional,
                mode: mode,
                &files
            )
        }
        if let downward = part.downwardAPI {
            try self.addFields(Array(downward.items), pod, addresses, mode: mode, &files)
        }
        if let token = part.serviceAccountToken {
            guard let tokens = self.tokens else {
                throw NotInCluster("service account tokens need an API server")
            }
            let text = try await tokens.token(for: pod, token)
            var file = AtomicDirectory.File(bytes: Array(text.utf8), mode: Self.mode(mode))
            // Whoever the containers run as must be able to read it, and nobody else.
            if pod.spec.securityContext?.fsGroup != nil {
                file.mode = 0o600
                file.mode |= 0o040
            } else if let user = Self.onlyUser(of: pod) {
                file.mode = 0o600
                file.owner = user
            }
            files[token.path] = file
        }
        if let bundle = part.clusterTrustBundle {
            guard let cluster = self.cluster else {
                throw NotInCluster("trust bundles need an API server")
            }
            let bundles = try await cluster.clusterTrustBundles(
                name: bundle.name,
                signer: bundle.signerName,
                selector: bundle.labelSelector
            )
            if bundles.isEmpty, !(bundle.optional ?? false) {
                throw NotInCluster("combined trust bundle is empty")
            }
            files[bundle.path] = AtomicDirectory.File(
                bytes: Array(bundles.joined().utf8),
                mode: Self.mode(mode)
            )
        }
    }

    /// The user of all containers when it is one and the same.
    private static func onlyUser(of pod: CoreV1.Pod) -> UInt32? {
        let shared = pod.spec.securityContext?.runAsUser
        let users = Set(pod.allSpecs.map { $0.container.securityContext?.runAsUser ?? shared })
        guard users.count == 1, let user = users.first ?? nil else { return nil }
        return UInt32(exactly: user)
    }

    private static func mode(_ own: Int32?, _ shared: Int32? = nil) -> UInt32 {
        UInt32(truncatingIfNeeded: own ?? shared ?? 0o644) & 0o777
    }

    private func addConfigMap(
        _ name: String,
        _ namespace: String,
        _ items: [CoreV1.KeyToPath],
        optional: Bool?,
        mode: Int32?,
        _ files: inout [String: AtomicDirectory.File]
    ) async throws {
        var payload: [String: [UInt8]] = [:]
        if let map = try await self.find(
            "configmap",
            name,
            optional,
            { cluster in
                try await cluster.configMap(namespace, name)
            }
        ) {
            self.references?.note(
                .init(kind: .configMap, namespace: namespace, name: name),
                version: map.metadata.resourceVersion
            )
            for (key, value) in map.data { payload[key] = Array(value.utf8) }
            for (key, value) in map.binaryData { payload[key] = Array(value) }
        }
        try Self.place(payload, items, "configmap", optional, mode, &files)
    }

    private func addSecret(
        _ name: String,
        _ namespace: String,
        _ items: [CoreV1.KeyToPath],
        optional: Bool?,
        mode: Int32?,
        _ files: inout [String: AtomicDirectory.File]
    ) async throws {
        var payload: [String: [UInt8]] = [:]
        if let secret = try await self.find(
            "secret",
            name,
            optional,
            { cluster in
                try await cluster.secret(namespace, name)
            }
        ) {
            self.references?.note(
                .init(kind: .secret, namespace: namespace, name: name),
                version: secret.metadata.resourceVersion
            )
            for (key, value) in secret.data { payload[key] = Array(value) }
        }
        try Self.place(payload, items, "secret", optional, mode, &files)
    }

    private func find<T: Sendable>(
        _ kind: String,
        _ name: String,
        _ optional: Bool?,
        _ get: (any ClusterAccess) async throws -> T
    ) async throws -> T? {
        do {
            guard let cluster = self.cluster else { throw NotInCluster(kind: kind, name: name) }
            return try await get(cluster)
        } catch let error as NotInCluster {
            if optional ?? false { return nil }
            throw error
        }
    }

    /// Puts keys at the paths that items ask for, or at their own names without items.
    private static func place(
        _ payload: [String: [UInt8]],
        _ items: [CoreV1.KeyToPath],
        _ kind: String,
        _ optional: Bool?,
        _ mode: Int32?,
        _ files: inout [String: AtomicDirectory.File]
    ) throws {
        if items.isEmpty {
            for (key, bytes) in payload {
                files[key] = AtomicDirectory.File(bytes: bytes, mode: Self.mode(mode))
            }
            return
        }
        for item in items {
            guard let bytes = payload[item.key] else {
                if optional ?? false { continue }
                throw NotInCluster("\(kind) references non-existent \(kind) key: \(item.key)")
            }
            files[item.path] = AtomicDirectory.File(
                bytes: bytes,
                mode: Self.mode(item.mode, mode)
            )
        }
    }

    private func addFields(
        _ items: [CoreV1.DownwardAPIVolumeFile],
        _ pod: CoreV1.Pod,
        _ addresses: [String],
        mode: Int32?,
        _ files: inout [String: AtomicDirectory.File]
    ) throws {
        var context = self.context()
        context.podAddresses = addresses
        for item in items {
            let value: String
            if let field = item.fieldRef {
                value = try FieldReferences.value(of: field.fieldPath, in: pod, context: context)
            } else if let resource = item.resourceFieldRef {
                value = try FieldReferences.value(
                    of: resource,
                    in: pod,
                    container: resource.containerName,
                    context: context
                )
            } else {
                continue
            }
            files[item.path] = AtomicDirectory.File(
                bytes: Array(value.utf8),
                mode: Self.mode(item.mode, mode)
            )
        }
    }
}
