// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
import NameRules
public import ObjectModel
import Protobuf
public import ResourceTable

/// Gives pods a service account, and its token, the cluster's certificates and the namespace as
/// files.
///
/// Source: kubernetes `plugin/pkg/admission/serviceaccount/admission.go`.
public struct ServiceAccountAdmission: AdmissionPlugin {
    public let name = "ServiceAccount"
    private let objects: any ObjectReader
    private let suffix: @Sendable () -> String

    static let mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
    private static let volumePrefix = "kube-api-access-"
    static let mirrorAnnotation = "kubernetes.io/config.mirror"
    private static let enforceSecretsAnnotation = "kubernetes.io/enforce-mountable-secrets"
    /// Seconds after which kubelets have a new token.
    private static let tokenExpirationSeconds: Int64 = 3607

    /// - Parameter suffix: makes the end of volume names.
    public init(
        _ objects: any ObjectReader,
        suffix: @escaping @Sendable () -> String = { RandomSuffix.next() }
    ) {
        self.objects = objects
        self.suffix = suffix
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        guard resource == .pods else { return false }
        return operation == .create && subresource.isEmpty
            || operation == .update && subresource == "ephemeralcontainers"
    }

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard attributes.operation == .create,
            let pod: CoreV1.Pod = attributes.object?.message(),
            // Kubelets end mirror pods that differ from their files.
            pod.metadata.annotations[Self.mirrorAnnotation] == nil
        else { return }
        let name = pod.spec.serviceAccountName.isEmpty ? "default" : pod.spec.serviceAccountName
        let account = try await self.account(name, attributes)
        let mounts =
            pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true
        let volumeName = Self.volumePrefix + self.suffix()
        attributes.object?.change(CoreV1.Pod.self) { pod in
            pod.spec.serviceAccountName = name
            pod.spec.serviceAccount = name
            if mounts { Self.mountToken(&pod.spec, volumeName) }
            if pod.spec.imagePullSecrets.isEmpty {
                pod.spec.imagePullSecrets = account.imagePullSecrets
            }
        }
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let pod: CoreV1.Pod = attributes.object?.message() else { return }
        if pod.metadata.annotations[Self.mirrorAnnotation] != nil {
            return try Self.checkMirror(pod, attributes)
        }
        guard !pod.spec.serviceAccountName.isEmpty else {
            throw attributes.forbidden(
                "no service account specified for pod "
                    + "\(attributes.namespace)/\(pod.metadata.name)"
            )
        }
        let account = try await self.account(pod.spec.serviceAccountName, attributes)
        let isLimited = account.metadata.annotations[Self.enforceSecretsAnnotation] == "true"
        if isLimited { try Self.checkSecrets(of: pod, account, attributes) }
    }

    private func account(
        _ name: String,
        _ attributes: AdmissionAttributes
    ) async throws(StatusError) -> CoreV1.ServiceAccount {
        let namespace = attributes.namespace
        var found = self.objects.get(.serviceAccounts, namespace: namespace, name: name)
        if found == nil {
            found = try await self.objects.current(
                .serviceAccounts,
                namespace: namespace,
                name: name
            )
        }
        guard let account: CoreV1.ServiceAccount = found?.message() else {
            throw attributes.forbidden(
                "error looking up service account \(namespace)/\(name): "
                    + "serviceaccount \(GoText.quoted(name)) not found"
            )
        }
        return account
    }

    // MARK: - The token

    private static func mountToken(_ spec: inout CoreV1.PodSpec, _ newName: String) {
        let existing = spec.volumes.first { $0.name.hasPrefix(Self.volumePrefix) }?.name
        let name = existing ?? newName
        let mount = CoreV1.VolumeMount.with {
            $0.name = name
            $0.readOnly = true
            $0.mountPath = Self.mountPath
        }
        var isNeeded = false
        func add(to containers: inout RepeatedField<CoreV1.Container>) {
            for index in containers.indices
            where !containers[index].volumeMounts.contains(where: { $0.mountPath == mountPath }) {
                containers[index].volumeMounts.append(mount)
                isNeeded = true
            }
        }
        add(to: &spec.initContainers)
        add(to: &spec.containers)
        guard existing == nil, isNeeded else { return }
        spec.volumes.append(
            .with {
                $0.name = name
                $0.volumeSource.projected = Self.tokenVolume
            }
        )
    }

    private static let tokenVolume = CoreV1.ProjectedVolumeSource.with {
        $0.defaultMode = 0o644
        $0.sources.append(
            .with {
                $0.serviceAccountToken = .with {
                    $0.path = "token"
                    $0.expirationSeconds = Self.tokenExpirationSeconds
                }
            }
        )
        $0.sources.append(
            .with {
                $0.configMap = .with {
                    $0.localObjectReference.name = "kube-root-ca.crt"
                    $0.items.append(
                        .with {
                            $0.key = "ca.crt"
                            $0.path = "ca.crt"
                        }
                    )
                }
            }
        )
        $0.sources.append(
            .with {
                $0.downwardAPI = .with {
                    $0.items.append(
                        .with {
                            $0.path = "namespace"
                            $0.fieldRef = .with {
                                $0.apiVersion = "v1"
                                $0.fieldPath = "metadata.namespace"
                            }
                        }
                    )
                }
            }
        )
    }

    // MARK: - Checks

    private static func checkMirror(
        _ pod: CoreV1.Pod,
        _ attributes: AdmissionAttributes
    ) throws(StatusError) {
        if !pod.spec.serviceAccountName.isEmpty {
            throw attributes.forbidden("a mirror pod may not reference service accounts")
        }
        if !PodReferences.secrets(of: pod).isEmpty {
            throw attributes.forbidden("a mirror pod may not reference secrets")
        }
        let hasToken = pod.spec.volumes.contains { volume in
            volume.volumeSource.projected?.sources.contains { $0.serviceAccountToken != nil }
                ?? false
        }
        if hasToken {
            throw attributes.forbidden(
                "a mirror pod may not use ServiceAccountToken volume projections"
            )
        }
    }

    /// Refuses secrets that the account does not list.
    private static func checkSecrets(
        of pod: CoreV1.Pod,
        _ account: CoreV1.ServiceAccount,
        _ attributes: AdmissionAttributes
    ) throws(StatusError) {
        let mountable = Set(account.secrets.map(\.name))
        for volume in pod.spec.volumes {
            guard let secret = volume.volumeSource.secret,
                !mountable.contains(secret.secretName)
            else { continue }
            throw attributes.forbidden(
                "volume with secret.secretName=\(GoText.quoted(secret.secretName)) is not allowed "
                    + "because service account \(account.metadata.name) does not reference that "
                    + "secret"
            )
        }
        for found in PodReferences.secretVariables(of: pod)
        where !mountable.contains(found.secret) {
            let variable = found.variable.map { "envVar \($0)" } ?? "envFrom"
            throw attributes.forbidden(
                "\(found.kind) \(found.container) with \(variable) referencing "
                    + "secret.secretName=\(GoText.quoted(found.secret)) is not allowed because "
                    + "service account \(account.metadata.name) does not reference that secret"
            )
        }
        let pullable = Set(account.imagePullSecrets.map(\.name))
        for (index, reference) in pod.spec.imagePullSecrets.enumerated()
        where !pullable.contains(reference.name) {
            throw attributes.forbidden(
                "imagePullSecrets[\(index)].name=\(GoText.quoted(reference.name)) is not allowed "
                    + "because service account \(account.metadata.name) does not reference that "
                    + "imagePullSecret"
            )
        }
    }
}

/// The random end of generated names, without vowels and digits that look like letters.
///
/// Source: apimachinery `pkg/util/rand/rand.go`.
public enum RandomSuffix {
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
    private static let count = 5

    public static func next() -> String {
        // One number for all letters: each of the system's costs a system call.
        var random = UInt64.random(in: .min ... .max)
        let letters = UInt64(Self.alphabet.count)
        let bytes = (0..<Self.count).map { _ in
            defer { random /= letters }
            return Self.alphabet[Int(random % letters)]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
