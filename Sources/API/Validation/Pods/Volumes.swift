// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf
import Scalars

extension FieldErrors {
    mutating func validateVolumes(_ spec: CoreV1.PodSpec, podName: String?) {
        var names: Set<String> = []
        self.forEach("volumes", in: spec.volumes) { errors, volume in
            errors.validateSource(volume.volumeSource, of: volume.name, podName: podName)
            if volume.name.isEmpty {
                errors.required(at: "name")
            } else {
                let messages = Formats.dns1123Label(volume.name)
                errors.invalid(at: "name", .string(volume.name), messages)
                if messages.isEmpty && !names.insert(volume.name).inserted {
                    errors.duplicate(at: "name", .string(volume.name))
                }
            }
        }
    }

    private mutating func validateSource(
        _ source: CoreV1.VolumeSource,
        of volumeName: String,
        podName: String?
    ) {
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
        one(&self, "emptyDir", source.emptyDir) { errors, directory in
            if let limit = directory.sizeLimit, let size = try? limit.parsed(), size.sign < 0 {
                errors.forbidden(
                    at: "sizeLimit",
                    "SizeLimit field must be a valid resource quantity"
                )
            }
        }
        one(&self, "hostPath", source.hostPath) { $0.validateHostPath($1) }
        one(&self, "gitRepo", source.gitRepo) { errors, repository in
            errors.mustHave("repository", repository.repository)
            errors.validateDescendingPath("directory", repository.directory)
        }
        one(&self, "gcePersistentDisk", source.gcePersistentDisk) { errors, disk in
            errors.mustHave("pdName", disk.pdName)
        }
        one(&self, "awsElasticBlockStore", source.awsElasticBlockStore) { errors, store in
            errors.mustHave("volumeID", store.volumeID)
        }
        one(&self, "secret", source.secret) { errors, secret in
            errors.mustHave("secretName", secret.secretName)
            errors.validateMode("defaultMode", secret.defaultMode)
            errors.validateItems(secret.items)
        }
        one(&self, "nfs", source.nfs) { $0.validateNFS($1) }
        one(&self, "iscsi", source.iscsi) { errors, target in
            errors.mustHave("targetPortal", target.targetPortal)
            errors.mustHave("iqn", target.iqn)
        }
        one(&self, "glusterfs", source.glusterfs) { errors, volume in
            errors.mustHave("endpoints", volume.endpoints)
            errors.mustHave("path", volume.path)
        }
        one(&self, "flocker", source.flocker) { _, _ in }
        one(&self, "persistentVolumeClaim", source.persistentVolumeClaim) { errors, claim in
            errors.mustHave("claimName", claim.claimName)
        }
        one(&self, "rbd", source.rbd) { errors, image in
            if image.monitors.isEmpty { errors.required(at: "monitors") }
            errors.mustHave("image", image.image)
        }
        one(&self, "cinder", source.cinder) { errors, volume in
            errors.mustHave("volumeID", volume.volumeID)
        }
        one(&self, "cephfs", source.cephfs) { errors, volume in
            if volume.monitors.isEmpty { errors.required(at: "monitors") }
        }
        one(&self, "quobyte", source.quobyte) { errors, volume in
            errors.mustHave("volume", volume.volume)
        }
        one(&self, "downwardAPI", source.downwardAPI) { errors, volume in
            errors.validateMode("defaultMode", volume.defaultMode)
            // The faults of files stand at the volume.
            for file in volume.items { errors.validateFile(file) }
        }
        one(&self, "fc", source.fc) { _, _ in }
        one(&self, "flexVolume", source.flexVolume) { errors, volume in
            errors.mustHave("driver", volume.driver)
        }
        one(&self, "configMap", source.configMap) { errors, map in
            errors.mustHave("name", map.localObjectReference.name)
            errors.validateMode("defaultMode", map.defaultMode)
            errors.validateItems(map.items)
        }
        one(&self, "azureFile", source.azureFile) { errors, file in
            errors.mustHave("secretName", file.secretName)
            errors.mustHave("shareName", file.shareName)
        }
        one(&self, "vsphereVolume", source.vsphereVolume) { errors, volume in
            errors.mustHave("volumePath", volume.volumePath)
        }
        one(&self, "photonPersistentDisk", source.photonPersistentDisk) { errors, disk in
            errors.mustHave("pdID", disk.pdID)
        }
        one(&self, "portworxVolume", source.portworxVolume) { errors, volume in
            errors.mustHave("volumeID", volume.volumeID)
        }
        one(&self, "azureDisk", source.azureDisk) { errors, disk in
            errors.mustHave("diskName", disk.diskName)
            errors.mustHave("diskURI", disk.diskURI)
        }
        one(&self, "storageos", source.storageos) { _, _ in }
        one(&self, "projected", source.projected) { errors, volume in
            errors.validateMode("defaultMode", volume.defaultMode)
            errors.validateProjections(volume.sources)
        }
        one(&self, "scaleIO", source.scaleIO) { errors, volume in
            errors.mustHave("gateway", volume.gateway)
            errors.mustHave("system", volume.system)
            errors.mustHave("volumeName", volume.volumeName)
        }
        one(&self, "csi", source.csi) { errors, volume in
            errors.validateDriverName("driver", volume.driver)
            if let reference = volume.nodePublishSecretRef, reference.name.isEmpty {
                errors.required(at: "nodePublishSecretRef.name", "")
            }
        }
        one(&self, "ephemeral", source.ephemeral) { errors, volume in
            guard let template = volume.volumeClaimTemplate else {
                errors.required(at: "volumeClaimTemplate")
                return
            }
            errors.within("volumeClaimTemplate") { errors in
                errors.within("metadata") { errors in
                    errors.validateLabels(at: "labels", template.metadata.labels)
                    errors.validateAnnotations(template.metadata.annotations)
                }
                errors.within("spec") { $0.validateClaimSpec(template.spec, isTemplate: true) }
            }
            if let podName, !podName.isEmpty {
                let claim = "\(podName)-\(volumeName)"
                for message in Formats.dns1123Subdomain(claim) {
                    errors.add(
                        .invalid(
                            errors.path,
                            .string(claim),
                            "PVC name \(GoText.quoted(claim)): \(message)"
                        )
                    )
                }
            }
        }
        one(&self, "image", source.image) { errors, image in
            errors.mustHave("reference", image.reference)
            errors.oneOf("pullPolicy", image.pullPolicy, ["Always", "IfNotPresent", "Never"])
        }
        if count == 0 { self.required("must specify a volume type") }
    }

    mutating func validateHostPath(_ source: CoreV1.HostPathVolumeSource) {
        if self.mustHave("path", source.path) { self.validateNoBacksteps("path", source.path) }
        self.oneOf(
            "type",
            source.type,
            ifPresent: [
                "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File",
                "FileOrCreate", "Socket",
            ]
        )
    }

    mutating func validateNFS(_ source: CoreV1.NFSVolumeSource) {
        self.mustHave("server", source.server)
        self.mustHave("path", source.path)
        if !source.path.hasPrefix("/") {
            self.invalid(at: "path", .string(source.path), "must be an absolute path")
        }
    }

    /// The name of a CSI driver.
    mutating func validateDriverName(_ name: String, _ driver: String) {
        guard self.mustHave(name, driver) else { return }
        if driver.utf8.count > 63 { self.tooLong(at: name, limit: 63) }
        self.invalid(at: name, .string(driver), Formats.dns1123Subdomain(driver.lowercased()))
    }

    mutating func validateMode(_ name: String, _ mode: Int32?) {
        if let mode, !(0...0o777).contains(mode) {
            self.invalid(
                at: name,
                .number(mode),
                "must be a number between 0 and 0777 (octal), both inclusive"
            )
        }
    }

    private mutating func validateItems(_ items: RepeatedField<CoreV1.KeyToPath>) {
        self.forEach("items", in: items) { errors, item in
            errors.mustHave("key", item.key)
            if errors.mustHave("path", item.path) {
                errors.validateVolumeFilePath("path", item.path)
            }
            errors.validateMode("mode", item.mode)
        }
    }

    private mutating func validateFile(_ file: CoreV1.DownwardAPIVolumeFile) {
        if self.mustHave("path", file.path) { self.validateVolumeFilePath("path", file.path) }
        if let field = file.fieldRef {
            self.within("fieldRef") {
                $0.validateFieldReference(field, DownwardFields.volume)
            }
            if file.resourceFieldRef != nil {
                self.invalid(
                    .string("resource"),
                    "fieldRef and resourceFieldRef can not be specified simultaneously"
                )
            }
        } else if let resource = file.resourceFieldRef {
            self.within("resourceFieldRef") {
                $0.validateResourceReference(resource, inVolume: true)
            }
        } else {
            self.required("one of fieldRef and resourceFieldRef is required")
        }
        self.validateMode("mode", file.mode)
    }

    // MARK: - Projections

    private mutating func validateProjections(
        _ sources: RepeatedField<CoreV1.VolumeProjection>
    ) {
        var paths: Set<String> = []
        func take(_ errors: inout FieldErrors, _ path: String, _ name: String) {
            if !path.isEmpty && !paths.insert(path).inserted {
                errors.invalid(.string(name), "conflicting duplicate paths")
            }
        }
        self.forEach("sources", in: sources) { errors, source in
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
            one(&errors, "secret", source.secret) { errors, secret in
                let name = secret.localObjectReference.name
                errors.mustHave("name", name)
                errors.validateItems(secret.items)
                for item in secret.items { take(&errors, item.path, name) }
            }
            one(&errors, "configMap", source.configMap) { errors, map in
                let name = map.localObjectReference.name
                errors.mustHave("name", name)
                errors.validateItems(map.items)
                for item in map.items { take(&errors, item.path, name) }
            }
            one(&errors, "downwardAPI", source.downwardAPI) { errors, files in
                for file in files.items {
                    errors.validateFile(file)
                    take(&errors, file.path, file.path)
                }
            }
            one(&errors, "serviceAccountToken", source.serviceAccountToken) { errors, token in
                errors.validateToken(token)
                take(&errors, token.path, token.path)
            }
            one(&errors, "clusterTrustBundle", source.clusterTrustBundle) { errors, bundle in
                errors.mustHave("path", bundle.path)
                errors.validateVolumeFilePath("path", bundle.path)
                take(&errors, bundle.path, bundle.path)
            }
            one(&errors, "podCertificate", source.podCertificate) { errors, certificate in
                errors.mustHave("signerName", certificate.signerName)
                errors.mustHave("keyType", certificate.keyType)
            }
        }
    }

    private mutating func validateToken(_ token: CoreV1.ServiceAccountTokenProjection) {
        if let seconds = token.expirationSeconds {
            if seconds < Int64(APILimits.tokenExpirationMin) {
                self.invalid(
                    at: "expirationSeconds",
                    .integer(seconds),
                    "may not specify a duration less than 10 minutes"
                )
            }
            if seconds > 1 << 32 {
                self.invalid(
                    at: "expirationSeconds",
                    .integer(seconds),
                    "may not specify a duration larger than 2^32 seconds"
                )
            }
        }
        if self.mustHave("path", token.path) { self.validateVolumeFilePath("path", token.path) }
    }
}
