// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf
import Scalars

// Source: upstream `pkg/apis/{core,storage}/validation/validation.go`.

extension KindRules {
    static var storage: [String: KindRules] {
        Dictionary(uniqueKeysWithValues: [
            self.of(CoreV1.PersistentVolumeClaim.self) { errors, claim in
                errors.within("spec") { $0.validateClaimSpec(claim.spec, isTemplate: false) }
            } update: { errors, new, old, subresource in
                if subresource == "status" {
                    errors.validateClaimStatus(new)
                } else if subresource == nil {
                    errors.validateClaimUpdate(new, old: old)
                }
            },
            self.of(CoreV1.PersistentVolume.self) { errors, volume in
                errors.within("spec") { $0.validateVolume(volume.spec) }
            } update: { errors, new, old, subresource in
                if subresource == nil { errors.validateVolumeUpdate(new, old: old) }
            },
            self.of(StorageV1.StorageClass.self) { errors, `class` in
                errors.validateClass(`class`)
            } update: { errors, new, old, _ in
                if new.parameters != old.parameters {
                    errors.forbidden(
                        at: "parameters",
                        "updates to parameters are forbidden."
                    )
                }
                if new.provisioner != old.provisioner {
                    errors.forbidden(
                        at: "provisioner",
                        "updates to provisioner are forbidden."
                    )
                }
                if new.reclaimPolicy != old.reclaimPolicy {
                    errors.forbidden(
                        at: "reclaimPolicy",
                        "updates to reclaimPolicy are forbidden."
                    )
                }
                if new.volumeBindingMode != old.volumeBindingMode {
                    errors.immutable(at: "volumeBindingMode", .init(new.volumeBindingMode))
                }
            },
            self.of(StorageV1.CSIDriver.self) { errors, driver in
                errors.validateDriver(driver)
            } update: { errors, new, old, _ in
                errors.within("spec") { errors in
                    if new.spec.attachRequired != old.spec.attachRequired {
                        errors.immutable(
                            at: "attachedRequired",
                            .optional(new.spec.attachRequired)
                        )
                    }
                    if new.spec.volumeLifecycleModes != old.spec.volumeLifecycleModes {
                        errors.immutable(
                            at: "volumeLifecycleModes",
                            .init(new.spec.volumeLifecycleModes)
                        )
                    }
                }
                errors.validateDriver(new)
            },
            self.of(StorageV1.CSINode.self) { $0.validateCSINode($1) },
            self.of(StorageV1.VolumeAttachment.self) { errors, attachment in
                errors.within("spec") { $0.validateAttachment(attachment.spec) }
            } update: { errors, new, old, _ in
                if new.spec != old.spec {
                    errors.invalid(at: "spec", .message(new.spec), "field is immutable")
                }
            },
            self.of(StorageV1.VolumeAttributesClass.self) { errors, `class` in
                errors.mustHave("driverName", `class`.driverName) {
                    Formats.dns1123Subdomain($0.lowercased())
                }
            } update: { errors, new, old, _ in
                errors.immutable(at: "driverName", new.driverName, old.driverName)
                if new.parameters != old.parameters {
                    errors.immutable(at: "parameters", .map(new.parameters))
                }
            },
        ])
    }
}

extension FieldErrors {
    private static let accessModes = [
        "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod",
    ]

    private mutating func validateAccessModes(
        _ modes: RepeatedField<String>,
        _ whenEmpty: String
    ) {
        if modes.isEmpty { self.required(at: "accessModes", whenEmpty) }
        for mode in modes where !Self.accessModes.contains(mode) {
            self.notSupported(
                at: "accessModes",
                .string(mode),
                supported: Self.accessModes
            )
        }
        if modes.contains("ReadWriteOncePod") && Set(modes).count > 1 {
            self.forbidden(
                at: "accessModes",
                "may not use ReadWriteOncePod with other access modes"
            )
        }
    }

    private mutating func validatePositive(
        key: String,
        _ quantity: KubernetesAPI.Resource.Quantity
    ) {
        guard let amount = try? quantity.parsed(), amount.sign <= 0 else { return }
        self.within(key: key) {
            $0.invalid(.string(amount.description), "must be greater than zero")
        }
    }

    // MARK: - Claims

    mutating func validateClaimSpec(
        _ spec: CoreV1.PersistentVolumeClaimSpec,
        isTemplate: Bool
    ) {
        self.validateAccessModes(spec.accessModes, "at least 1 access mode is required")
        self.ifPresent("selector", spec.selector) { $0.validateSelector($1) }
        self.within("resources") { errors in
            if let storage = spec.resources.requests["storage"] {
                errors.validatePositive(key: "storage", storage)
            } else {
                errors.within(key: "storage") { $0.required() }
            }
        }
        if let name = spec.storageClassName, !name.isEmpty {
            self.invalid(
                at: "storageClassName",
                .string(name),
                Formats.dns1123Subdomain(name)
            )
        }
        self.oneOf("volumeMode", spec.volumeMode, ifPresent: ["Block", "Filesystem"])
        self.ifPresent("dataSource", spec.dataSource) { errors, source in
            errors.mustHave("name", source.name)
            errors.mustHave("kind", source.kind)
            if (source.apiGroup ?? "").isEmpty && source.kind != "PersistentVolumeClaim" {
                errors.invalid(
                    .string(source.kind),
                    "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
                )
            }
        }
        if let name = spec.volumeAttributesClassName, !name.isEmpty {
            self.invalid(
                at: "volumeAttributesClassName",
                .string(name),
                Formats.dns1123Subdomain(name)
            )
        }
    }

    mutating func validateClaimUpdate(
        _ new: CoreV1.PersistentVolumeClaim,
        old: CoreV1.PersistentVolumeClaim
    ) {
        self.within("spec") { errors in
            errors.validateClaimSpec(new.spec, isTemplate: false)
            var munged = new.spec
            let isBound = old.status.phase == "Bound"
            // The controller that binds writes the name of the volume, once.
            if old.spec.volumeName.isEmpty { munged.volumeName = old.spec.volumeName }
            // A class may be given later, when the cluster gets a default one.
            if old.spec.storageClassName == nil
                && old.metadata.annotations["volume.beta.kubernetes.io/storage-class"] == nil
            {
                munged.storageClassName = nil
            }
            if isBound {
                munged.resources.requests = old.spec.resources.requests
                munged.volumeAttributesClassName = old.spec.volumeAttributesClassName
            }
            // Data sources are written in one of two fields and copied to the other.
            munged.dataSource = old.spec.dataSource
            munged.dataSourceRef = old.spec.dataSourceRef
            if new.spec.dataSource != old.spec.dataSource && old.spec.dataSource != nil {
                munged.dataSource = new.spec.dataSource
            }
            if munged != old.spec {
                errors.forbidden(
                    "spec is immutable after creation except resources.requests and "
                        + "volumeAttributesClassName for bound claims\n"
                        + TreeDifference.text(old.spec, munged)
                )
            }
            guard isBound,
                let size = try? new.spec.resources.requests["storage"]?.parsed(),
                let before = try? old.spec.resources.requests["storage"]?.parsed(),
                size < before
            else { return }
            let capacity = try? old.status.capacity["storage"]?.parsed()
            if let capacity, size >= capacity, size != before { return }
            errors.within("resources") { errors in
                errors.within("requests") { errors in
                    errors.forbidden(
                        at: "storage",
                        "field can not be less than status.capacity"
                    )
                }
            }
        }
    }

    mutating func validateClaimStatus(_ new: CoreV1.PersistentVolumeClaim) {
        self.within("status") { errors in
            for condition in new.status.conditions {
                if condition.type.isEmpty { errors.required(at: "conditions") }
            }
            guard !new.status.capacity.isEmpty else { return }
            errors.within("capacity") { errors in
                for (name, amount) in new.status.capacity {
                    errors.within(key: name) { $0.validateAmount(name, amount) }
                }
            }
        }
    }

    // MARK: - Volumes

    mutating func validateVolume(_ spec: CoreV1.PersistentVolumeSpec) {
        self.validateAccessModes(spec.accessModes, "")
        if spec.capacity.isEmpty {
            self.required(at: "capacity")
        } else if spec.capacity["storage"] == nil || spec.capacity.count > 1 {
            self.notSupported(
                at: "capacity",
                .json(
                    "{"
                        + spec.capacity.map {
                            "\(GoText.json($0.key)):\(GoText.json($0.value.string ?? "0"))"
                        }
                        .joined(separator: ",") + "}"
                ),
                supported: ["storage"]
            )
        }
        self.within("capacity") { errors in
            for (name, amount) in spec.capacity {
                errors.validatePositive(key: name, amount)
            }
        }
        let policy = spec.persistentVolumeReclaimPolicy
        if !policy.isEmpty && !["Delete", "Recycle", "Retain"].contains(policy) {
            self.notSupported(
                at: "persistentVolumeReclaimPolicy",
                .string(policy),
                supported: ["Delete", "Recycle", "Retain"]
            )
        }
        self.ifPresent("nodeAffinity", spec.nodeAffinity) { errors, affinity in
            if let selector = affinity.required {
                errors.within("required") { $0.validateNodeSelector(selector) }
            } else {
                errors.required(
                    at: "required",
                    "must specify required node constraints"
                )
            }
        }
        self.validateVolumeSource(spec)
        if let path = spec.persistentVolumeSource.hostPath?.path,
            policy == "Recycle", path.split(separator: "/").allSatisfy({ $0 == "." })
        {
            self.forbidden(
                at: "persistentVolumeReclaimPolicy",
                "may not be 'recycle' for a hostPath mount of '/'"
            )
        }
        if !spec.storageClassName.isEmpty {
            self.invalid(
                at: "storageClassName",
                .string(spec.storageClassName),
                Formats.dns1123Subdomain(spec.storageClassName)
            )
        }
        self.oneOf("volumeMode", spec.volumeMode, ifPresent: ["Block", "Filesystem"])
        if let name = spec.volumeAttributesClassName {
            self.invalid(
                at: "volumeAttributesClassName",
                .string(name),
                Formats.dns1123Subdomain(name)
            )
        }
    }

    private mutating func validateVolumeSource(_ spec: CoreV1.PersistentVolumeSpec) {
        let source = spec.persistentVolumeSource
        var count = 0
        func one<Value>(
            _ errors: inout FieldErrors,
            _ name: String,
            _ value: Value?,
            _ body: (inout FieldErrors, Value) -> Void
        ) {
            errors.ifPresent(name, value) { errors, value in
                count += 1
                if count > 1 {
                    errors.forbidden("may not specify more than 1 volume type")
                } else {
                    body(&errors, value)
                }
            }
        }
        one(&self, "hostPath", source.hostPath) { $0.validateHostPath($1) }
        one(&self, "gcePersistentDisk", source.gcePersistentDisk) {
            $0.mustHave("pdName", $1.pdName)
        }
        one(&self, "awsElasticBlockStore", source.awsElasticBlockStore) {
            $0.mustHave("volumeID", $1.volumeID)
        }
        one(&self, "glusterfs", source.glusterfs) { errors, volume in
            errors.mustHave("endpoints", volume.endpoints)
            errors.mustHave("path", volume.path)
        }
        one(&self, "flocker", source.flocker) { _, _ in }
        one(&self, "nfs", source.nfs) { $0.validateNFS($1) }
        one(&self, "rbd", source.rbd) { errors, volume in
            if volume.monitors.isEmpty { errors.required(at: "monitors") }
            errors.mustHave("image", volume.image)
        }
        one(&self, "quobyte", source.quobyte) { $0.mustHave("volume", $1.volume) }
        one(&self, "cephfs", source.cephfs) { errors, volume in
            if volume.monitors.isEmpty { errors.required(at: "monitors") }
        }
        one(&self, "iscsi", source.iscsi) { errors, target in
            errors.mustHave("targetPortal", target.targetPortal)
            errors.mustHave("iqn", target.iqn)
        }
        one(&self, "cinder", source.cinder) { $0.mustHave("volumeID", $1.volumeID) }
        one(&self, "fc", source.fc) { _, _ in }
        one(&self, "flexVolume", source.flexVolume) { $0.mustHave("driver", $1.driver) }
        one(&self, "azureFile", source.azureFile) { errors, file in
            errors.mustHave("secretName", file.secretName)
            errors.mustHave("shareName", file.shareName)
        }
        one(&self, "vsphereVolume", source.vsphereVolume) {
            $0.mustHave("volumePath", $1.volumePath)
        }
        one(&self, "photonPersistentDisk", source.photonPersistentDisk) {
            $0.mustHave("pdID", $1.pdID)
        }
        one(&self, "portworxVolume", source.portworxVolume) {
            $0.mustHave("volumeID", $1.volumeID)
        }
        one(&self, "azureDisk", source.azureDisk) { errors, disk in
            errors.mustHave("diskName", disk.diskName)
            errors.mustHave("diskURI", disk.diskURI)
        }
        one(&self, "scaleIO", source.scaleIO) { errors, volume in
            errors.mustHave("gateway", volume.gateway)
            errors.mustHave("system", volume.system)
            errors.mustHave("volumeName", volume.volumeName)
        }
        one(&self, "local", source.local) { errors, volume in
            if errors.mustHave("path", volume.path) {
                errors.validateNoBacksteps("path", volume.path)
            }
        }
        if source.local != nil && spec.nodeAffinity == nil {
            self.required(at: "nodeAffinity", "Local volume requires node affinity")
        }
        one(&self, "storageos", source.storageos) { _, _ in }
        one(&self, "csi", source.csi) { errors, volume in
            errors.validateDriverName("driver", volume.driver)
            errors.mustHave("volumeHandle", volume.volumeHandle)
        }
        if count == 0 { self.required("must specify a volume type") }
    }

    mutating func validateVolumeUpdate(
        _ new: CoreV1.PersistentVolume,
        old: CoreV1.PersistentVolume
    ) {
        self.within("spec") { errors in
            errors.validateVolume(new.spec)
            var source = new.spec.persistentVolumeSource
            // The secrets of a driver may be given later.
            if old.spec.persistentVolumeSource.csi?.controllerExpandSecretRef == nil {
                source.csi?.controllerExpandSecretRef = nil
            }
            if source != old.spec.persistentVolumeSource {
                errors.forbidden(
                    at: "persistentvolumesource",
                    "spec.persistentvolumesource is immutable after creation\n"
                        + TreeDifference.text(old.spec.persistentVolumeSource, source)
                )
            }
            if new.spec.volumeMode != old.spec.volumeMode {
                errors.immutable(at: "volumeMode", .init(new.spec.volumeMode))
            }
            if old.spec.nodeAffinity != nil {
                errors.immutable(
                    at: "nodeAffinity",
                    new.spec.nodeAffinity,
                    old.spec.nodeAffinity
                )
            }
        }
    }

    // MARK: - Classes and drivers

    mutating func validateClass(_ class: StorageV1.StorageClass) {
        if `class`.provisioner.isEmpty {
            self.required(at: "provisioner", "")
        } else {
            self.invalid(
                at: "provisioner",
                .string(`class`.provisioner),
                Formats.labelKey(`class`.provisioner.lowercased())
            )
        }
        if `class`.parameters.count > APILimits.storageClassParametersMax {
            self.tooLong(
                at: "Provisioner Parameters exceeded max allowed",
                limit: APILimits.storageClassParametersMax
            )
        }
        for (key, _) in `class`.parameters where key.isEmpty {
            self.invalid(
                at: "parameters",
                .string(key),
                "field can not be empty."
            )
        }
        if let policy = `class`.reclaimPolicy, !policy.isEmpty {
            self.oneOf("reclaimPolicy", policy, ifPresent: ["Delete", "Retain"])
        }
        if let mode = `class`.volumeBindingMode {
            self.oneOf(
                "volumeBindingMode",
                mode,
                ifPresent: ["Immediate", "WaitForFirstConsumer"]
            )
        } else {
            self.required(at: "volumeBindingMode")
        }
    }

    mutating func validateDriver(_ driver: StorageV1.CSIDriver) {
        self.within("metadata") { $0.validateDriverName("name", driver.metadata.name) }
        self.within("spec") { errors in
            let spec = driver.spec
            if spec.attachRequired == nil { errors.required(at: "attachedRequired") }
            if spec.podInfoOnMount == nil { errors.required(at: "podInfoOnMount") }
            if spec.storageCapacity == nil { errors.required(at: "storageCapacity") }
            errors.oneOf(
                "fsGroupPolicy",
                spec.fsGroupPolicy,
                ifPresent: ["File", "None", "ReadWriteOnceWithFSType"]
            )
            var audiences: Set<String> = []
            errors.forEach("tokenRequests", in: spec.tokenRequests) { errors, request in
                if !audiences.insert(request.audience).inserted {
                    errors.duplicate(at: "audience", .string(request.audience))
                }
                guard let seconds = request.expirationSeconds else { return }
                if seconds < Int64(APILimits.tokenExpirationMin) {
                    errors.invalid(
                        at: "expirationSeconds",
                        .integer(seconds),
                        "may not specify a duration less than 10 minutes"
                    )
                }
            }
            for mode in spec.volumeLifecycleModes
            where mode != "Persistent" && mode != "Ephemeral" {
                errors.notSupported(
                    at: "volumeLifecycleModes",
                    .string(mode),
                    supported: ["Ephemeral", "Persistent"]
                )
            }
        }
    }

    mutating func validateCSINode(_ node: StorageV1.CSINode) {
        self.within("spec") { errors in
            var names: Set<String> = []
            errors.forEach("drivers", in: node.spec.drivers) { errors, driver in
                errors.validateDriverName("name", driver.name)
                if errors.mustHave("nodeID", driver.nodeID),
                    driver.nodeID.utf8.count > APILimits.csiNodeIDMaxLength
                {
                    errors.invalid(
                        at: "nodeID",
                        .string(driver.nodeID),
                        "must be \(APILimits.csiNodeIDMaxLength) characters or less"
                    )
                }
                if !names.insert(driver.name).inserted {
                    errors.duplicate(at: "name", .string(driver.name))
                }
                if let count = driver.allocatable?.count, count < 0 {
                    errors.within("allocatable") {
                        $0.invalid(
                            at: "count",
                            .number(count),
                            "must be greater than or equal to 0"
                        )
                    }
                }
            }
        }
    }

    mutating func validateAttachment(_ spec: StorageV1.VolumeAttachmentSpec) {
        if spec.attacher.isEmpty {
            self.required(at: "attacher")
        } else {
            self.validateDriverName("attacher", spec.attacher)
        }
        self.invalid(
            at: "nodeName",
            .string(spec.nodeName),
            Formats.dns1123Subdomain(spec.nodeName)
        )
        switch (spec.source.persistentVolumeName, spec.source.inlineVolumeSpec) {
        case (nil, nil):
            self.required(
                at: "source",
                "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
            )
        case (_?, _?):
            self.forbidden(
                at: "source",
                "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
            )
        case (let name?, nil):
            if name.isEmpty {
                self.within("source") {
                    $0.required(
                        at: "persistentVolumeName",
                        "must specify non empty persistentVolumeName"
                    )
                }
            }
        case (nil, _?): return
        }
    }
}
