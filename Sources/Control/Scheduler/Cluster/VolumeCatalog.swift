// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// Claims, volumes, classes, drivers, and what nodes have attached.
package struct VolumeCatalog {
    /// What was decided for a claim and is not yet seen done.
    struct Promise {
        /// Nil when a volume shall be made.
        let volume: String?
        let node: String
    }

    /// Claims by `namespace/name`.
    package internal(set) var claims: [String: CoreV1.PersistentVolumeClaim] = [:]
    package internal(set) var volumes: [String: CoreV1.PersistentVolume] = [:]
    package internal(set) var classes: [String: StorageV1.StorageClass] = [:]
    package internal(set) var nodes: [String: StorageV1.CSINode] = [:]
    package internal(set) var drivers: [String: StorageV1.CSIDriver] = [:]
    /// By `namespace/name`.
    package internal(set) var capacities: [String: StorageV1.CSIStorageCapacity] = [:]
    private var attachments: [String: StorageV1.VolumeAttachment] = [:]
    private var attachmentsOfNode: [String: Set<String>] = [:]
    /// How many pods that have a node use a claim.
    package private(set) var users: [String: Int] = [:]
    /// Volumes that were given to claims and are not yet seen bound, and the claims.
    package private(set) var reserved: [String: String] = [:]
    /// By claim.
    private(set) var promises: [String: Promise] = [:]

    package init() {}

    /// The claim of a pod's volume.
    func claim(_ name: String, of pod: PodInfo) -> CoreV1.PersistentVolumeClaim? {
        self.claims[Self.key(name, of: pod)]
    }

    static func key(_ claim: String, of pod: PodInfo) -> String { "\(pod.namespace)/\(claim)" }

    /// Takes in what is known of a claim; nil when it is gone.
    mutating func setClaim(_ key: String, _ claim: CoreV1.PersistentVolumeClaim?) {
        self.claims[key] = claim
        if claim?.isFullyBound ?? true { self.promises[key] = nil }
    }

    /// Takes in what is known of a volume; nil when it is gone.
    package mutating func setVolume(_ name: String, _ volume: CoreV1.PersistentVolume?) {
        self.volumes[name] = volume
        if volume == nil || volume?.spec.claimRef != nil { self.reserved[name] = nil }
    }

    /// Takes in what is known of an attachment; nil when it is gone.
    mutating func setAttachment(_ name: String, _ attachment: StorageV1.VolumeAttachment?) {
        if let old = self.attachments[name]?.spec.nodeName {
            self.attachmentsOfNode[old]?.remove(name)
            if self.attachmentsOfNode[old]?.isEmpty == true { self.attachmentsOfNode[old] = nil }
        }
        self.attachments[name] = attachment
        if let attachment {
            self.attachmentsOfNode[attachment.spec.nodeName, default: []].insert(name)
        }
    }

    /// Counts a pod that uses a claim in or out.
    mutating func count(_ claim: String, _ amount: Int) {
        let users = (self.users[claim] ?? 0) + amount
        self.users[claim] = users == 0 ? nil : users
    }

    /// Keeps what a plan says for its claims until it is seen done.
    mutating func reserve(_ plan: VolumePlan, on node: String) {
        for binding in plan.bindings {
            let (volume, claim) = (binding.volume.metadata.name, binding.claim.catalogKey)
            self.reserved[volume] = claim
            self.promises[claim] = Promise(volume: volume, node: node)
        }
        for claim in plan.provisions {
            self.promises[claim.catalogKey] = Promise(volume: nil, node: node)
        }
    }

    /// Gives back what a plan kept.
    mutating func release(_ plan: VolumePlan) {
        for binding in plan.bindings {
            self.reserved[binding.volume.metadata.name] = nil
            self.promises[binding.claim.catalogKey] = nil
        }
        for claim in plan.provisions { self.promises[claim.catalogKey] = nil }
    }

    /// Whether a claim waits for a pod before it gets a volume.
    func isDelayed(_ claim: CoreV1.PersistentVolumeClaim) -> Bool {
        guard let name = claim.storageClass, !name.isEmpty else { return false }
        return self.classes[name]?.volumeBindingMode == "WaitForFirstConsumer"
    }

    // MARK: Attachments

    /// A volume as a CSI driver knows it.
    struct Attachment: Hashable {
        let driver: String
        let handle: String
    }

    /// What a claim has attached where it is used.
    func attachment(_ claim: CoreV1.PersistentVolumeClaim) -> Attachment? {
        let name = claim.spec.volumeName
        if !name.isEmpty { return self.attachment(volume: name) }
        guard let name = claim.storageClass, let storage = self.classes[name] else { return nil }
        return Attachment(driver: storage.provisioner, handle: claim.catalogKey)
    }

    private func attachment(volume name: String) -> Attachment? {
        guard let csi = self.volumes[name]?.spec.persistentVolumeSource.csi else { return nil }
        return Attachment(driver: csi.driver, handle: csi.volumeHandle)
    }

    /// What is attached to a node, be it for pods that are known or for others.
    func attachments(of node: String) -> [Attachment] {
        (self.attachmentsOfNode[node] ?? []).compactMap { name in
            self.attachments[name]?.spec.source.persistentVolumeName
                .flatMap(self.attachment(volume:))
        }
    }
}

extension CoreV1.PersistentVolumeClaim {
    /// The key of the claim in the catalog.
    var catalogKey: String { "\(self.metadata.namespace)/\(self.metadata.name)" }

    /// The class, be it said by the field or the old annotation; nil for none.
    var storageClass: String? {
        self.metadata.annotations["volume.beta.kubernetes.io/storage-class"]
            ?? self.spec.storageClassName
    }

    /// How much the claim asks for.
    var requestedBytes: Int64 {
        ResourceAmounts.amount(
            of: self.spec.resources.requests["storage"] ?? Resource.Quantity(),
            "storage"
        )
    }

    /// Whether the claim has its volume.
    package var isFullyBound: Bool {
        !self.spec.volumeName.isEmpty
            && self.metadata.annotations["pv.kubernetes.io/bind-completed"] != nil
    }
}

extension CoreV1.PersistentVolume {
    /// The class, be it said by the field or the old annotation; empty for none.
    var storageClass: String {
        self.metadata.annotations["volume.beta.kubernetes.io/storage-class"]
            ?? self.spec.storageClassName
    }
}
