// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable

extension NodeAuthorizer {
    private static let pods = GroupResource(group: "", resource: "pods")
    private static let claims = GroupResource(group: "", resource: "persistentvolumeclaims")
    private static let volumes = GroupResource(group: "", resource: "persistentvolumes")

    /// Whether a pod on the node leads to the object of a request.
    func isRelated(_ request: AuthorizationAttributes, _ node: String) -> Bool {
        let (namespace, name) = (request.namespace, request.name)
        switch (request.group, request.resource) {
        case ("", "pods"):
            return self.pod(namespace, name)?.spec.nodeName == node
        case ("storage.k8s.io", "volumeattachments"):
            let attachment: StorageV1.VolumeAttachment? =
                self.objects.get(request.groupResource, namespace: "", name: name)?.message()
            return attachment?.spec.nodeName == node
        case ("resource.k8s.io", "resourceslices"):
            let object = self.objects.get(request.groupResource, namespace: "", name: name)
            let slice: ResourceV1.ResourceSlice? = object?.message()
            return slice?.spec.nodeName == node
        case ("", "persistentvolumes") where self.isLocal(name, to: node): return true
        default: break
        }
        // Volumes have no namespace, and their secrets may be in another than their claims.
        let isAnywhere = request.resource == "persistentvolumes" || request.resource == "secrets"
        let scope = isAnywhere ? nil : namespace
        let pods = self.objects.list(
            Self.pods,
            namespace: scope,
            field: "spec.nodeName",
            equals: node
        )
        return pods.contains { object in
            guard let pod = object.message(as: CoreV1.Pod.self),
                // A mirror pod is made by the node itself and must open nothing to it.
                pod.metadata.annotations["kubernetes.io/config.mirror"] == nil
            else { return false }
            return self.leads(pod, to: request)
        }
    }

    /// Whether a volume was made on the disk of the node, which has its data to the end.
    private func isLocal(_ name: String, to node: String) -> Bool {
        guard
            let volume: CoreV1.PersistentVolume =
                self.objects.get(Self.volumes, namespace: "", name: name)?.message(),
            volume.metadata.annotations["pv.kubernetes.io/provisioned-by"] == "apus.dev/local",
            volume.spec.persistentVolumeSource.local != nil
        else { return false }
        let label = "kubernetes.io/hostname"
        let nodes = GroupResource(group: "", resource: "nodes")
        let object = self.objects.get(nodes, namespace: "", name: node)
        let hostname = object?.metadata.labels[label] ?? node
        let terms = volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? []
        return terms.contains { term in
            term.matchExpressions.contains {
                $0.key == label && $0.operator == "In" && $0.values.contains(hostname)
            }
        }
    }

    private func pod(_ namespace: String, _ name: String) -> CoreV1.Pod? {
        self.objects.get(Self.pods, namespace: namespace, name: name)?.message()
    }

    private func leads(_ pod: CoreV1.Pod, to request: AuthorizationAttributes) -> Bool {
        let name = request.name
        switch request.resource {
        case "serviceaccounts": return pod.spec.serviceAccountName == name
        case "secrets":
            return pod.metadata.namespace == request.namespace
                && PodReferences.secrets(of: pod).contains(name)
                || self.boundVolumes(of: pod).contains { volume in
                    PodReferences.secrets(of: volume, claimedIn: pod.metadata.namespace)
                        .contains { $0 == (request.namespace, name) }
                }
        case "configmaps": return PodReferences.configMaps(of: pod).contains(name)
        case "persistentvolumeclaims": return PodReferences.claims(of: pod).contains(name)
        case "persistentvolumes":
            return self.boundVolumes(of: pod).contains { $0.metadata.name == name }
        case "resourceclaims": return PodReferences.resourceClaims(of: pod).contains(name)
        default: return false
        }
    }

    /// The volumes that the claims of a pod are bound to.
    private func boundVolumes(of pod: CoreV1.Pod) -> [CoreV1.PersistentVolume] {
        let namespace = pod.metadata.namespace
        return PodReferences.claims(of: pod).compactMap { name in
            let object = self.objects.get(Self.claims, namespace: namespace, name: name)
            guard let claim: CoreV1.PersistentVolumeClaim = object?.message(),
                !claim.spec.volumeName.isEmpty
            else { return nil }
            let volume: CoreV1.PersistentVolume? =
                self.objects.get(Self.volumes, namespace: "", name: claim.spec.volumeName)?
                .message()
            guard let reference = volume?.spec.claimRef, reference.name == name,
                reference.namespace == namespace
            else { return nil }
            return volume
        }
    }
}
