// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
import NameRules
public import ObjectModel
import Protobuf
public import ResourceTable

/// Keeps kubelets to their own node and to the pods on it.
///
/// Source: kubernetes `plugin/pkg/admission/noderestriction/admission.go`.
public struct NodeRestriction: AdmissionPlugin {
    public let name = "NodeRestriction"
    private let objects: any ObjectReader

    private static let leaseNamespace = "kube-node-lease"

    public init(_ objects: any ObjectReader) {
        self.objects = objects
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        [
            .pods, .nodes, .persistentVolumeClaims, .serviceAccounts, .leases, .csiNodes,
        ].contains(resource)
    }

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let node = attributes.user.nodeName else { return }
        guard !node.isEmpty else {
            throw attributes.forbidden(
                "could not determine node from user \(GoText.quoted(attributes.user.name))"
            )
        }
        switch attributes.resource {
        case .pods: try self.checkPod(attributes, node)
        case .nodes: try self.checkNode(attributes, node)
        case .persistentVolumeClaims: try Self.checkClaim(attributes, node)
        case .serviceAccounts: try self.checkToken(attributes, node)
        case .leases: try Self.checkLease(attributes, node)
        case .csiNodes: try Self.checkCSINode(attributes, node)
        default: return
        }
    }

    // MARK: - Pods

    private func checkPod(
        _ attributes: AdmissionAttributes,
        _ node: String
    ) throws(StatusError) {
        let quoted = GoText.quoted(node)
        switch (attributes.subresource, attributes.operation) {
        case ("", .create): try Self.checkMirrorPod(attributes, node)
        case ("", .delete):
            let pod =
                attributes.oldObject?.message(as: CoreV1.Pod.self)
                ?? self.pod(attributes.namespace, attributes.name)
            guard let pod else { throw .notFound(.pods, attributes.name) }
            if pod.spec.nodeName != node {
                throw attributes.forbidden(
                    "node \(quoted) can only delete pods with spec.nodeName set to itself"
                )
            }
        case ("", _):
            throw attributes.forbidden(
                "unexpected operation \(GoText.quoted(attributes.operation.rawValue)), node "
                    + "\(quoted) can only create and delete mirror pods"
            )
        case ("status", .update):
            guard let old: CoreV1.Pod = attributes.oldObject?.message(),
                let new: CoreV1.Pod = attributes.object?.message()
            else { return }
            if old.spec.nodeName != node {
                throw attributes.forbidden(
                    "node \(quoted) can only update pod status for pods with spec.nodeName set "
                        + "to itself"
                )
            }
            if new.metadata.labels != old.metadata.labels {
                throw attributes.forbidden(
                    "node \(quoted) cannot update labels through pod status"
                )
            }
            // They say which claims the node may read.
            if new.status.resourceClaimStatuses != old.status.resourceClaimStatuses {
                throw attributes.forbidden("node \(quoted) cannot update resource claim statues")
            }
            if new.status.extendedResourceClaimStatus != old.status.extendedResourceClaimStatus {
                throw attributes.forbidden(
                    "node \(quoted) cannot update extended resource claim status"
                )
            }
        case ("status", _):
            throw attributes.forbidden(
                "unexpected operation \(GoText.quoted(attributes.operation.rawValue))"
            )
        case ("eviction", _):
            guard let eviction: PolicyV1.Eviction = attributes.object?.message() else { return }
            let name = attributes.name.isEmpty ? eviction.metadata.name : attributes.name
            guard let pod = self.pod(attributes.namespace, name) else {
                throw .notFound(.pods, name)
            }
            if pod.spec.nodeName != node {
                throw attributes.forbidden(
                    "node \(node) can only evict pods with spec.nodeName set to itself"
                )
            }
        default:
            throw attributes.forbidden(
                "unexpected pod subresource \(GoText.quoted(attributes.subresource)), only "
                    + "'status' and 'eviction' are allowed"
            )
        }
    }

    private func pod(_ namespace: String, _ name: String) -> CoreV1.Pod? {
        self.objects.get(.pods, namespace: namespace, name: name)?.message()
    }

    private static func checkMirrorPod(
        _ attributes: AdmissionAttributes,
        _ node: String
    ) throws(StatusError) {
        guard let pod: CoreV1.Pod = attributes.object?.message() else { return }
        let subject = "node \(GoText.quoted(node))"
        let mirror = ServiceAccountAdmission.mirrorAnnotation
        if pod.metadata.annotations[mirror] == nil {
            throw attributes.forbidden(
                "pod does not have \(GoText.quoted(mirror)) annotation, \(subject) can only "
                    + "create mirror pods"
            )
        }
        if pod.spec.nodeName != node {
            throw attributes.forbidden(
                "\(subject) can only create pods with spec.nodeName set to itself"
            )
        }
        let owners = pod.metadata.ownerReferences
        let isOwn =
            owners.count == 1 && owners[0].kind == "Node" && owners[0].apiVersion == "v1"
            && owners[0].name == node
        if !isOwn {
            throw attributes.forbidden(
                owners.count > 1
                    ? "\(subject) can only create pods with a single owner reference set to itself"
                    : "\(subject) can only create pods with an owner reference set to itself"
            )
        }
        var reached: [String] = []
        if !pod.spec.serviceAccountName.isEmpty { reached.append("a service account") }
        if !PodReferences.secrets(of: pod).isEmpty { reached.append("secrets") }
        if !PodReferences.configMaps(of: pod).isEmpty { reached.append("configmaps") }
        if !PodReferences.claims(of: pod).isEmpty { reached.append("persistentvolumeclaims") }
        if !pod.spec.resourceClaims.isEmpty { reached.append("resourceclaims") }
        guard let what = reached.first else { return }
        throw attributes.forbidden("\(subject) can not create pods that reference \(what)")
    }

    // MARK: - Nodes

    private func checkNode(
        _ attributes: AdmissionAttributes,
        _ node: String
    ) throws(StatusError) {
        let subject = "node \(GoText.quoted(node))"
        let new = attributes.object?.message(as: CoreV1.Node.self)
        let old = attributes.oldObject?.message(as: CoreV1.Node.self)
        let name = attributes.name.isEmpty ? new?.metadata.name ?? "" : attributes.name
        if attributes.operation == .create, let new {
            let labels = Self.forbiddenLabels(changed: new.metadata.labels.map(\.key))
            if !labels.isEmpty {
                throw attributes.forbidden(
                    "\(subject) is not allowed to set the following labels: "
                        + labels.joined(separator: ", ")
                )
            }
        }
        if name != node {
            throw attributes.forbidden(
                "\(subject) is not allowed to modify node \(GoText.quoted(name))"
            )
        }
        guard attributes.operation == .update, let new, let old else { return }
        if new.metadata.ownerReferences != old.metadata.ownerReferences {
            throw attributes.forbidden("\(subject) is not allowed to modify ownerReferences")
        }
        if new.spec.taints != old.spec.taints {
            throw attributes.forbidden("\(subject) is not allowed to modify taints")
        }
        let keys = Set(new.metadata.labels.map(\.key)).union(old.metadata.labels.map(\.key))
        let changed = keys.filter { new.metadata.labels[$0] != old.metadata.labels[$0] }
        let labels = Self.forbiddenLabels(changed: changed)
        if !labels.isEmpty {
            throw attributes.forbidden(
                "is not allowed to modify labels: \(labels.joined(separator: ", "))"
            )
        }
    }

    private static let ownLabels: Set = [
        "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch",
        "beta.kubernetes.io/os", "beta.kubernetes.io/arch",
        "node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type",
        "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
    ]

    /// Labels of Kubernetes' own domains that are not a kubelet's to set, sorted.
    private static func forbiddenLabels(changed: some Sequence<String>) -> [String] {
        changed.filter { key in
            if Self.ownLabels.contains(key) { return false }
            let domain = String(key.split(separator: "/", maxSplits: 1).first ?? "")
            guard key.contains("/") else { return false }
            func isIn(_ parent: String) -> Bool {
                domain == parent || domain.hasSuffix(".\(parent)")
            }
            if isIn("node-restriction.kubernetes.io") { return true }
            if isIn("kubelet.kubernetes.io") || isIn("node.kubernetes.io") { return false }
            return isIn("kubernetes.io") || isIn("k8s.io")
        }.sorted()
    }

    // MARK: - The rest

    private static func checkClaim(
        _ attributes: AdmissionAttributes,
        _ node: String
    ) throws(StatusError) {
        let subject = "node \(GoText.quoted(node))"
        guard attributes.operation == .update, attributes.subresource == "status" else {
            throw attributes.forbidden(
                "unexpected operation \(GoText.quoted(attributes.operation.rawValue))"
            )
        }
        guard var new: CoreV1.PersistentVolumeClaim = attributes.object?.message(),
            var old: CoreV1.PersistentVolumeClaim = attributes.oldObject?.message()
        else { return }
        new.status = .init()
        old.status = .init()
        new.metadata.managedFields = old.metadata.managedFields
        new.metadata.resourceVersion = old.metadata.resourceVersion
        if new != old {
            throw attributes.forbidden(
                "\(subject) is not allowed to update fields other than status.capacity and "
                    + "status.conditions"
            )
        }
    }

    private func checkToken(
        _ attributes: AdmissionAttributes,
        _ node: String
    ) throws(StatusError) {
        guard attributes.operation == .create, attributes.subresource == "token",
            let request: AuthenticationV1.TokenRequest = attributes.object?.message()
        else { return }
        guard let reference = request.spec.boundObjectRef, reference.apiVersion == "v1",
            reference.kind == "Pod", !reference.name.isEmpty
        else { throw attributes.forbidden("node requested token not bound to a pod") }
        if reference.uID.isEmpty {
            throw attributes.forbidden("node requested token with a pod binding without a uid")
        }
        guard let pod = self.pod(attributes.namespace, reference.name) else {
            throw .notFound(.pods, reference.name)
        }
        if pod.metadata.uid != reference.uID {
            throw attributes.forbidden(
                "the UID in the bound object reference (\(reference.uID)) does not match the UID "
                    + "in record. The object might have been deleted and then recreated"
            )
        }
        if pod.spec.nodeName != node {
            throw attributes.forbidden(
                "node requested token bound to a pod scheduled on a different node"
            )
        }
    }

    private static func checkLease(
        _ attributes: AdmissionAttributes,
        _ node: String
    ) throws(StatusError) {
        if attributes.namespace != Self.leaseNamespace {
            throw attributes.forbidden(
                "can only access leases in the \(GoText.quoted(Self.leaseNamespace)) system "
                    + "namespace"
            )
        }
        let name = attributes.object?.metadata.name ?? attributes.name
        if name != node {
            throw attributes.forbidden(
                "can only access node lease with the same name as the requesting node"
            )
        }
    }

    private static func checkCSINode(
        _ attributes: AdmissionAttributes,
        _ node: String
    ) throws(StatusError) {
        let name = attributes.object?.metadata.name ?? attributes.name
        if name != node {
            throw attributes.forbidden(
                "can only access CSINode with the same name as the requesting node"
            )
        }
    }
}
