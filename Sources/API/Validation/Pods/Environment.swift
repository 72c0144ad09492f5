// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import NameRules
import Protobuf
import Scalars

extension FieldErrors {
    mutating func validateEnvironment(_ variables: RepeatedField<CoreV1.EnvVar>) {
        self.forEach("env", in: variables) { errors, variable in
            errors.mustHave("name", variable.name) { Formats.envVarName($0) }
            errors.ifPresent("valueFrom", variable.valueFrom) { errors, source in
                errors.validate(source, of: variable)
            }
        }
    }

    private mutating func validate(
        _ source: CoreV1.EnvVarSource,
        of variable: CoreV1.EnvVar
    ) {
        var count = 0
        self.ifPresent("fieldRef", source.fieldRef) { errors, field in
            count += 1
            errors.validateFieldReference(field, DownwardFields.environment)
        }
        self.ifPresent("resourceFieldRef", source.resourceFieldRef) { errors, field in
            count += 1
            errors.validateResourceReference(field, inVolume: false)
        }
        self.ifPresent("configMapKeyRef", source.configMapKeyRef) { errors, key in
            count += 1
            errors.validateKey(key.localObjectReference.name, key.key)
        }
        self.ifPresent("secretKeyRef", source.secretKeyRef) { errors, key in
            count += 1
            errors.validateKey(key.localObjectReference.name, key.key)
        }
        self.ifPresent("fileKeyRef", source.fileKeyRef) { errors, file in
            count += 1
            errors.mustHave("volumeName", file.volumeName)
            if errors.mustHave("path", file.path) {
                errors.validateVolumeFilePath("path", file.path)
            }
            errors.mustHave("key", file.key) { Formats.envVarName($0) }
        }
        if count == 0 {
            self.invalid(
                "",
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                    + "`secretKeyRef` or `fileKeyRef`"
            )
        } else if !variable.value.isEmpty {
            self.invalid("", "may not be specified when `value` is not empty")
        } else if count > 1 {
            self.invalid("", "may not have more than one field specified at a time")
        }
    }

    private mutating func validateKey(_ name: String, _ key: String) {
        self.mustHave("name", name)
        self.mustHave("key", key) { Formats.configMapKey($0) }
    }

    mutating func validateEnvironmentSources(_ sources: RepeatedField<CoreV1.EnvFromSource>) {
        self.forEach("envFrom", in: sources) { errors, source in
            errors.mayHave("prefix", source.prefix) { Formats.envVarName($0) }
            var count = 0
            errors.ifPresent("configMapRef", source.configMapRef) { errors, reference in
                count += 1
                errors.mustHave("name", reference.localObjectReference.name)
            }
            errors.ifPresent("secretRef", source.secretRef) { errors, reference in
                count += 1
                errors.mustHave("name", reference.localObjectReference.name)
            }
            if count == 0 {
                errors.invalid("", "must specify one of: `configMapRef` or `secretRef`")
            } else if count > 1 {
                errors.invalid("", "may not have more than one field specified at a time")
            }
        }
    }

    // MARK: - Fields of the pod

    mutating func validateFieldReference(
        _ reference: CoreV1.ObjectFieldSelector,
        _ fields: [String]
    ) {
        guard self.mustHave("apiVersion", reference.apiVersion),
            self.mustHave("fieldPath", reference.fieldPath)
        else { return }
        if reference.apiVersion != "v1" {
            self.invalid(
                at: "fieldPath",
                .string(reference.fieldPath),
                "error converting fieldPath: unsupported pod version: \(reference.apiVersion)"
            )
            return
        }
        let (path, key) = DownwardFields.split(reference.fieldPath)
        guard DownwardFields.known.contains(path) else {
            self.invalid(
                at: "fieldPath",
                .string(reference.fieldPath),
                "error converting fieldPath: field label not supported: \(path)"
            )
            return
        }
        if let key {
            switch path {
            case "metadata.annotations":
                self.invalid(.string(key), Formats.labelKey(key.lowercased()))
            case "metadata.labels":
                self.invalid(.string(key), Formats.labelKey(key))
            default:
                self.invalid(.string(path), "does not support subscript")
            }
        } else if !fields.contains(path) {
            self.notSupported(at: "fieldPath", .string(path), supported: fields)
        }
    }

    mutating func validateResourceReference(
        _ reference: CoreV1.ResourceFieldSelector,
        inVolume: Bool
    ) {
        if inVolume && reference.containerName.isEmpty {
            self.required(at: "containerName")
            return
        }
        guard self.mustHave("resource", reference.resource) else { return }
        let isHugePage =
            reference.resource.hasPrefix("limits.hugepages-")
            || reference.resource.hasPrefix("requests.hugepages-")
        if !DownwardFields.resources.contains(reference.resource) && !isHugePage {
            self.notSupported(
                at: "resource",
                .string(reference.resource),
                supported: DownwardFields.resources
            )
        }
        let units: [String]
        let words: String
        switch reference.resource {
        case "limits.cpu", "requests.cpu":
            units = ["1m", "1"]
            words = "1m and 1 are supported with the cpu resource"
        case "limits.memory", "requests.memory":
            units = DownwardFields.byteUnits
            words = units.joined(separator: ", ") + " are supported with the memory resource"
        case "limits.ephemeral-storage", "requests.ephemeral-storage":
            units = DownwardFields.byteUnits
            words =
                units.joined(separator: ", ") + " are supported with the local ephemeral storage "
                + "resource"
        default:
            guard isHugePage else { return }
            units = DownwardFields.byteUnits
            words = units.joined(separator: ", ") + " are supported with the hugepages resource"
        }
        guard let divisor = try? reference.divisor.parsed(), !divisor.isZero else { return }
        if !units.contains(divisor.description) {
            self.invalid(
                at: "divisor",
                .string(reference.resource),
                "only divisor's values \(words)"
            )
        }
    }
}

/// The fields of a pod that its containers can be told.
enum DownwardFields {
    /// All that have a name.
    static let known = [
        "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
        "metadata.uid", "spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
        "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.phase",
        "status.podIP", "status.podIPs",
    ]

    /// In variables.
    static let environment = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
        "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP",
        "status.podIPs",
    ]

    /// In files.
    static let volume = [
        "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
        "metadata.uid",
    ]

    static let resources = [
        "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu",
        "requests.ephemeral-storage", "requests.memory",
    ]

    static let byteUnits = [
        "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
    ]

    /// The parts of `metadata.labels['key']`; no key without brackets.
    static func split(_ path: String) -> (path: String, key: String?) {
        guard path.hasSuffix("']"), let open = path.firstRange(of: "['"),
            open.lowerBound > path.startIndex
        else { return (path, nil) }
        let key = path[open.upperBound...].dropLast(2)
        return (String(path[..<open.lowerBound]), String(key))
    }
}
