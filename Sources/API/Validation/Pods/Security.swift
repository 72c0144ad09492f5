// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

extension FieldErrors {
    /// The security context of a container.
    mutating func validateSecurityContext(_ context: CoreV1.SecurityContext, _ pod: PodContext) {
        self.validateUser("runAsUser", context.runAsUser)
        self.validateGroup("runAsGroup", context.runAsGroup)
        if let mount = context.procMount {
            self.oneOf("procMount", mount, ifPresent: ["Default", "Unmasked"])
            if mount == "Unmasked" && pod.spec.hostUsers != false {
                self.invalid(
                    at: "procMount",
                    .string(mount),
                    "`hostUsers` must be false to use `Unmasked`"
                )
            }
        }
        self.ifPresent("seccompProfile", context.seccompProfile) { $0.validate($1) }
        if context.allowPrivilegeEscalation == false {
            if context.privileged == true {
                self.invalid(
                    .message(context),
                    "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
                )
            }
            if context.capabilities?.add.contains("CAP_SYS_ADMIN") == true {
                self.invalid(
                    .message(context),
                    "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                        + "CAP_SYS_ADMIN"
                )
            }
        }
        self.ifPresent("windowsOptions", context.windowsOptions) { $0.validate($1) }
        self.ifPresent("appArmorProfile", context.appArmorProfile) { $0.validate($1) }
    }

    /// The security context of a pod.
    mutating func validatePodSecurityContext(
        _ context: CoreV1.PodSecurityContext,
        _ spec: CoreV1.PodSpec
    ) {
        self.within("securityContext") { errors in
            errors.validateGroup("fsGroup", context.fsGroup)
            errors.validateUser("runAsUser", context.runAsUser)
            errors.validateGroup("runAsGroup", context.runAsGroup)
            for (index, group) in context.supplementalGroups.enumerated() {
                errors.within("supplementalGroups", index: index) {
                    $0.invalid(.integer(group), Formats.groupID(group))
                }
            }
            errors.validate(context.sysctls, spec)
            errors.oneOf(
                "fsGroupChangePolicy",
                context.fsGroupChangePolicy,
                ifPresent: ["Always", "OnRootMismatch"]
            )
            errors.ifPresent("seccompProfile", context.seccompProfile) { $0.validate($1) }
            errors.ifPresent("windowsOptions", context.windowsOptions) { $0.validate($1) }
            errors.ifPresent("appArmorProfile", context.appArmorProfile) { $0.validate($1) }
            errors.oneOf(
                "supplementalGroupsPolicy",
                context.supplementalGroupsPolicy,
                ifPresent: ["Merge", "Strict"]
            )
            errors.oneOf(
                "seLinuxChangePolicy",
                context.seLinuxChangePolicy,
                ifPresent: ["MountOption", "Recursive"]
            )
        }
    }

    private mutating func validateUser(_ name: String, _ id: Int64?) {
        if let id { self.invalid(at: name, .integer(id), Formats.userID(id)) }
    }

    private mutating func validateGroup(_ name: String, _ id: Int64?) {
        if let id { self.invalid(at: name, .integer(id), Formats.groupID(id)) }
    }

    private mutating func validate(_ profile: CoreV1.SeccompProfile) {
        self.validateProfile(
            profile.type,
            profile.localhostProfile,
            .message(profile),
            "seccomp",
            typeDetail: "type is required when seccompProfile is set"
        )
        if profile.type == "Localhost", let path = profile.localhostProfile {
            self.validateDescendingPath("localhostProfile", path)
        }
    }

    private mutating func validate(_ profile: CoreV1.AppArmorProfile) {
        self.validateProfile(
            profile.type,
            profile.localhostProfile,
            .init(profile.localhostProfile),
            "AppArmor",
            typeDetail: "type is required when appArmorProfile is set"
        )
        guard profile.type == "Localhost", let name = profile.localhostProfile else { return }
        if name.hasOuterWhiteSpace {
            self.invalid(
                at: "localhostProfile",
                .string(name),
                "must not be padded with whitespace"
            )
        } else if name.isEmpty {
            self.required(at: "localhostProfile", "must be set when AppArmor type is Localhost")
        }
        if name.utf8.count > 4095 { self.tooLong(at: "localhostProfile", limit: 4095) }
    }

    private mutating func validateProfile(
        _ type: String,
        _ localhost: String?,
        _ value: FieldError.Value,
        _ what: String,
        typeDetail: String
    ) {
        if type == "Localhost" {
            if localhost == nil {
                self.required(
                    at: "localhostProfile",
                    "must be set when \(what) type is Localhost"
                )
            }
        } else if localhost != nil {
            self.invalid(
                at: "localhostProfile",
                value,
                "can only be set when \(what) type is Localhost"
            )
        }
        switch type {
        case "Localhost", "RuntimeDefault", "Unconfined": return
        case "": self.required(at: "type", typeDetail)
        default:
            self.notSupported(
                at: "type",
                .string(type),
                supported: ["Localhost", "RuntimeDefault", "Unconfined"]
            )
        }
    }

    private mutating func validate(_ options: CoreV1.WindowsSecurityContextOptions) {
        if let name = options.gmsaCredentialSpecName {
            self.invalid(
                at: "gmsaCredentialSpecName",
                .string(name),
                Formats.dns1123Subdomain(name)
            )
        }
        if let spec = options.gmsaCredentialSpec {
            if spec.isEmpty {
                self.invalid(
                    at: "gmsaCredentialSpec",
                    .string(spec),
                    "gmsaCredentialSpec cannot be an empty string"
                )
            } else if spec.utf8.count > 64 * 1024 {
                self.invalid(
                    at: "gmsaCredentialSpec",
                    .string(spec),
                    "gmsaCredentialSpec size must be under 64 KiB"
                )
            }
        }
        if let user = options.runAsUserName, user.isEmpty {
            self.invalid(
                at: "runAsUserName",
                .string(user),
                "runAsUserName cannot be an empty string"
            )
        }
    }

    private mutating func validate(
        _ sysctls: RepeatedField<CoreV1.Sysctl>,
        _ spec: CoreV1.PodSpec
    ) {
        var names: Set<String> = []
        self.forEach("sysctls", in: sysctls) { errors, sysctl in
            if sysctl.name.isEmpty {
                errors.required(at: "name")
            } else if !Self.isSysctl(sysctl.name) {
                errors.invalid(
                    at: "name",
                    .string(sysctl.name),
                    "must have at most \(APILimits.sysctlNameMaxLength) characters and match "
                        + "regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]"
                        + "([-_a-z0-9]*[a-z0-9])?$"
                )
            } else if !names.insert(sysctl.name).inserted {
                errors.duplicate(at: "name", .string(sysctl.name))
            }
            let isOfNetwork = sysctl.name.hasPrefix("net.") || sysctl.name.hasPrefix("net/")
            if spec.hostNetwork && isOfNetwork {
                errors.invalid(
                    at: "name",
                    .string(sysctl.name),
                    "may not be specified when 'hostNetwork' is true"
                )
            }
            let isOfIPC =
                sysctl.name.hasPrefix("kernel.shm") || sysctl.name.hasPrefix("kernel.msg")
                || sysctl.name == "kernel.sem" || sysctl.name.hasPrefix("fs.mqueue.")
            if spec.hostIPC && isOfIPC {
                errors.invalid(
                    at: "name",
                    .string(sysctl.name),
                    "may not be specified when 'hostIPC' is true"
                )
            }
        }
    }

    private static func isSysctl(_ name: String) -> Bool {
        guard name.utf8.count <= APILimits.sysctlNameMaxLength else { return false }
        return name.split(omittingEmptySubsequences: false) { $0 == "." || $0 == "/" }
            .allSatisfy { part in
                func isPlain(_ byte: UInt8?) -> Bool {
                    guard let byte else { return false }
                    return byte &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
                }
                return isPlain(part.utf8.first) && isPlain(part.utf8.last)
                    && part.utf8.allSatisfy {
                        isPlain($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    }
            }
    }
}
