// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

extension TablePrinter {
    private static let betaClassAnnotation = "volume.beta.kubernetes.io/storage-class"
    private static let defaultClassAnnotations = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ]

    private static let storageClass = TableColumn.text("StorageClass") {
        $0.annotation(Self.betaClassAnnotation) ?? $0.text("spec", "storageClassName") ?? ""
    }
    private static let attributesClass = TableColumn.text(
        "VolumeAttributesClass",
        at: ["spec", "volumeAttributesClassName"],
        or: CellText.unset
    )
    private static let volumeMode = TableColumn.text(
        "VolumeMode",
        at: ["spec", "volumeMode"],
        or: CellText.unset,
        wide: true
    )
    private static let volumeStatus = TableColumn.text("Status") {
        $0.isDeleting ? "Terminating" : $0.text("status", "phase") ?? ""
    }

    /// Volumes and their drivers.
    static let storage: [String: [TableColumn]] = [
        "PersistentVolume": [
            .name,
            .text("Capacity", at: ["spec", "capacity", "storage"]),
            .text("Access Modes") { CellText.accessModes($0["spec", "accessModes"]) },
            .text("Reclaim Policy", at: ["spec", "persistentVolumeReclaimPolicy"]),
            Self.volumeStatus,
            .text("Claim") { volume in
                guard let claim = volume["spec", "claimRef"] else { return "" }
                let namespace = claim["namespace"]?.string ?? ""
                return "\(namespace)/\(claim["name"]?.string ?? "")"
            },
            Self.storageClass,
            Self.attributesClass,
            .text("Reason", at: ["status", "reason"]),
            .age,
            Self.volumeMode,
        ],
        "PersistentVolumeClaim": [
            .name,
            Self.volumeStatus,
            .text("Volume", at: ["spec", "volumeName"]),
            .text("Capacity") {
                $0.text("spec", "volumeName") == nil
                    ? "" : $0.text("status", "capacity", "storage") ?? "0"
            },
            .text("Access Modes") {
                $0.text("spec", "volumeName") == nil
                    ? "" : CellText.accessModes($0["status", "accessModes"])
            },
            Self.storageClass,
            Self.attributesClass,
            .age,
            Self.volumeMode,
        ],
        "StorageClass.storage.k8s.io": [
            TableColumn("Name", format: "name") { subject in
                let name = subject.text("metadata", "name") ?? ""
                let isDefault = Self.defaultClassAnnotations.contains {
                    subject.annotation($0) == "true"
                }
                return DynamicValue(isDefault ? "\(name) (default)" : name)
            },
            .text("Provisioner", at: ["provisioner"]),
            .text("ReclaimPolicy", at: ["reclaimPolicy"], or: "Delete"),
            .text("VolumeBindingMode", at: ["volumeBindingMode"], or: "Immediate"),
            TableColumn("AllowVolumeExpansion") {
                DynamicValue($0["allowVolumeExpansion"]?.bool ?? false)
            },
            .age,
        ],
        "VolumeAttributesClass.storage.k8s.io": [
            .name, .text("DriverName", at: ["driverName"]), .age,
        ],
        "VolumeAttachment.storage.k8s.io": [
            .name,
            TableColumn("Attacher", format: "name") {
                DynamicValue($0.text("spec", "attacher") ?? "")
            },
            .text("PV", at: ["spec", "source", "persistentVolumeName"]),
            .text("Node", at: ["spec", "nodeName"]),
            .boolean("Attached", at: ["status", "attached"]),
            .age,
        ],
        "CSINode.storage.k8s.io": [
            .name, .integer("Drivers") { Int64($0.items("spec", "drivers").count) }, .age,
        ],
        "CSIDriver.storage.k8s.io": [
            .name,
            .boolean("AttachRequired", at: ["spec", "attachRequired"], or: true),
            .boolean("PodInfoOnMount", at: ["spec", "podInfoOnMount"]),
            .boolean("StorageCapacity", at: ["spec", "storageCapacity"]),
            .text("TokenRequests") { driver in
                guard let requests = driver["spec", "tokenRequests"] else { return CellText.unset }
                return requests.items.map { $0["audience"]?.string ?? "" }
                    .joined(separator: ",")
            },
            .boolean("RequiresRepublish", at: ["spec", "requiresRepublish"]),
            .text("Modes") {
                let modes = ($0["spec", "volumeLifecycleModes"] ?? .emptyList).texts
                return modes.isEmpty ? CellText.none : modes.joined(separator: ",")
            },
            .age,
        ],
    ]
}
