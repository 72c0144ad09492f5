// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

extension FieldErrors {
    mutating func validateMounts(of container: CoreV1.Container, _ pod: PodContext) {
        var paths: Set<String> = []
        let devices = container.volumeDevices
        self.forEach("volumeMounts", in: container.volumeMounts) { errors, mount in
            errors.mustHave("name", mount.name)
            if pod.volumes[mount.name] == nil {
                errors.notFound(at: "name", .string(mount.name))
            }
            errors.mustHave("mountPath", mount.mountPath)
            if !paths.insert(mount.mountPath).inserted {
                errors.invalid(at: "mountPath", .string(mount.mountPath), "must be unique")
            }
            if devices.contains(where: { $0.name == mount.name }) {
                errors.invalid(
                    at: "name",
                    .string(mount.name),
                    "must not already exist in volumeDevices"
                )
            }
            if devices.contains(where: { $0.devicePath == mount.mountPath }) {
                errors.invalid(
                    at: "mountPath",
                    .string(mount.mountPath),
                    "must not already exist as a path in volumeDevices"
                )
            }
            if !mount.subPath.isEmpty { errors.validateDescendingPath("subPath", mount.subPath) }
            if !mount.subPathExpr.isEmpty {
                if !mount.subPath.isEmpty {
                    errors.invalid(
                        at: "subPathExpr",
                        .string(mount.subPathExpr),
                        "subPathExpr and subPath are mutually exclusive"
                    )
                }
                errors.validateDescendingPath("subPathExpr", mount.subPathExpr)
            }
            errors.validatePropagation(mount, container)
            errors.validateRecursiveReadOnly(mount)
        }
    }

    private mutating func validatePropagation(
        _ mount: CoreV1.VolumeMount,
        _ container: CoreV1.Container
    ) {
        self.oneOf(
            "mountPropagation",
            mount.mountPropagation,
            ifPresent: ["Bidirectional", "HostToContainer", "None"]
        )
        if mount.mountPropagation == "Bidirectional",
            container.securityContext?.privileged != true
        {
            self.forbidden(
                at: "mountPropagation",
                "Bidirectional mount propagation is available only to privileged containers"
            )
        }
    }

    private mutating func validateRecursiveReadOnly(_ mount: CoreV1.VolumeMount) {
        switch mount.recursiveReadOnly {
        case nil, "Disabled": return
        case "Enabled", "IfPossible":
            if !mount.readOnly {
                self.forbidden(
                    at: "recursiveReadOnly",
                    "may only be specified when readOnly is true"
                )
            }
            if let propagation = mount.mountPropagation, propagation != "None" {
                self.forbidden(
                    at: "recursiveReadOnly",
                    "may only be specified when mountPropagation is None or not specified"
                )
            }
        case let word?:
            self.notSupported(
                at: "recursiveReadOnly",
                .string(word),
                supported: ["Disabled", "Enabled", "IfPossible"]
            )
        }
    }

    mutating func validateDevices(of container: CoreV1.Container, _ pod: PodContext) {
        var names: Set<String> = []
        var paths: Set<String> = []
        let mounts = container.volumeMounts
        self.forEach("volumeDevices", in: container.volumeDevices) { errors, device in
            errors.mustHave("name", device.name)
            errors.mustHave("devicePath", device.devicePath)
            if !paths.insert(device.devicePath).inserted {
                errors.invalid(at: "devicePath", .string(device.devicePath), "must be unique")
            }
            if device.devicePath.split(separator: "/").contains("..") {
                errors.invalid(
                    at: "devicePath",
                    .string(device.devicePath),
                    "can not contain backsteps ('..')"
                )
            }
            if !names.insert(device.name).inserted {
                errors.invalid(at: "name", .string(device.name), "must be unique")
            }
            if let source = pod.volumes[device.name] {
                if source.persistentVolumeClaim == nil && source.ephemeral == nil {
                    errors.invalid(
                        at: "name",
                        .string(device.name),
                        "can only use volume source type of PersistentVolumeClaim or Ephemeral "
                            + "for block mode"
                    )
                }
            } else {
                errors.notFound(at: "name", .string(device.name))
            }
            if mounts.contains(where: { $0.name == device.name }) {
                errors.invalid(
                    at: "name",
                    .string(device.name),
                    "must not already exist in volumeMounts"
                )
            }
            if mounts.contains(where: { $0.mountPath == device.devicePath }) {
                errors.invalid(
                    at: "devicePath",
                    .string(device.devicePath),
                    "must not already exist as a path in volumeMounts"
                )
            }
        }
    }
}
