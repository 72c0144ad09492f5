// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// The objects that a pod names in its spec. Source: kubernetes `pkg/api/v1/pod/util.go`.
package enum PodReferences {
    /// The secrets that a pod refers to.
    package static func secrets(of pod: CoreV1.Pod) -> Set<String> {
        var names = Set<String>()
        for reference in pod.spec.imagePullSecrets { names.insert(reference.name) }
        for variable in self.secretVariables(of: pod) { names.insert(variable.secret) }
        for volume in pod.spec.volumes { names.formUnion(self.secrets(of: volume.volumeSource)) }
        names.remove("")
        return names
    }

    /// A variable that a container has from a secret, or all of those in one.
    package struct SecretVariable: Sendable, Equatable {
        /// `container`, `init container` or `ephemeral container`.
        package var kind: String
        package var container: String
        /// nil for everything in the secret.
        package var variable: String?
        package var secret: String
    }

    /// The secrets that variables of containers of every kind are from.
    package static func secretVariables(of pod: CoreV1.Pod) -> [SecretVariable] {
        var found: [SecretVariable] = []
        for environment in self.environments(of: pod) {
            func add(_ variable: String?, _ secret: String) {
                found.append(
                    SecretVariable(
                        kind: environment.kind,
                        container: environment.container,
                        variable: variable,
                        secret: secret
                    )
                )
            }
            for variable in environment.variables {
                if let secret = variable.valueFrom?.secretKeyRef {
                    add(variable.name, secret.localObjectReference.name)
                }
            }
            for source in environment.from {
                if let secret = source.secretRef { add(nil, secret.localObjectReference.name) }
            }
        }
        return found
    }

    private static func secrets(of source: CoreV1.VolumeSource) -> [String] {
        var names = [
            source.secret?.secretName, source.azureFile?.secretName,
            source.cephfs?.secretRef?.name, source.cinder?.secretRef?.name,
            source.flexVolume?.secretRef?.name, source.rbd?.secretRef?.name,
            source.scaleIO?.secretRef?.name, source.iscsi?.secretRef?.name,
            source.storageos?.secretRef?.name, source.csi?.nodePublishSecretRef?.name,
        ].compactMap { $0 }
        if let projected = source.projected {
            names += projected.sources.compactMap { $0.secret?.localObjectReference.name }
        }
        return names
    }

    /// The secrets that a volume refers to.
    package static func secrets(
        of volume: CoreV1.PersistentVolume,
        claimedIn namespace: String
    ) -> [(String, String)] {
        let source = volume.spec.persistentVolumeSource
        let references: [CoreV1.SecretReference?] = [
            source.cephfs?.secretRef, source.cinder?.secretRef, source.flexVolume?.secretRef,
            source.rbd?.secretRef, source.scaleIO?.secretRef, source.iscsi?.secretRef,
            source.csi?.nodePublishSecretRef, source.csi?.nodeStageSecretRef,
            source.csi?.nodeExpandSecretRef,
        ]
        var names = references.compactMap { reference in
            reference.map { ($0.namespace.isEmpty ? namespace : $0.namespace, $0.name) }
        }
        if let file = source.azureFile {
            names.append((file.secretNamespace ?? namespace, file.secretName))
        }
        if let reference = source.storageos?.secretRef {
            names.append(
                (reference.namespace.isEmpty ? namespace : reference.namespace, reference.name)
            )
        }
        return names
    }

    /// The config maps that a pod refers to.
    package static func configMaps(of pod: CoreV1.Pod) -> Set<String> {
        var names = Set<String>()
        for environment in self.environments(of: pod) {
            for source in environment.from {
                if let map = source.configMapRef { names.insert(map.localObjectReference.name) }
            }
            for variable in environment.variables {
                if let map = variable.valueFrom?.configMapKeyRef {
                    names.insert(map.localObjectReference.name)
                }
            }
        }
        for volume in pod.spec.volumes {
            if let map = volume.volumeSource.configMap {
                names.insert(map.localObjectReference.name)
            }
            for source in volume.volumeSource.projected?.sources ?? [] {
                if let map = source.configMap { names.insert(map.localObjectReference.name) }
            }
        }
        names.remove("")
        return names
    }

    /// The claims that a pod refers to, those made for its ephemeral volumes included.
    package static func claims(of pod: CoreV1.Pod) -> Set<String> {
        var names = Set<String>()
        for volume in pod.spec.volumes {
            if let claim = volume.volumeSource.persistentVolumeClaim {
                names.insert(claim.claimName)
            } else if volume.volumeSource.ephemeral != nil {
                names.insert("\(pod.metadata.name)-\(volume.name)")
            }
        }
        names.remove("")
        return names
    }

    /// The resource claims that a pod refers to, those made from templates included.
    package static func resourceClaims(of pod: CoreV1.Pod) -> Set<String> {
        var names = Set(pod.spec.resourceClaims.compactMap(\.resourceClaimName))
        names.formUnion(pod.status.resourceClaimStatuses.compactMap(\.resourceClaimName))
        if let claim = pod.status.extendedResourceClaimStatus {
            names.insert(claim.resourceClaimName)
        }
        names.remove("")
        return names
    }

    private struct Environment {
        var kind: String
        var container: String
        var from: RepeatedField<CoreV1.EnvFromSource>
        var variables: RepeatedField<CoreV1.EnvVar>
    }

    private static func environments(of pod: CoreV1.Pod) -> [Environment] {
        func environment(_ container: CoreV1.Container, _ kind: String) -> Environment {
            Environment(
                kind: kind,
                container: container.name,
                from: container.envFrom,
                variables: container.env
            )
        }
        return pod.spec.initContainers.map { environment($0, "init container") }
            + pod.spec.containers.map { environment($0, "container") }
            + pod.spec.ephemeralContainers.map {
                let common = $0.ephemeralContainerCommon
                return Environment(
                    kind: "ephemeral container",
                    container: common.name,
                    from: common.envFrom,
                    variables: common.env
                )
            }
    }
}
