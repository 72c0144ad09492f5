// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

// Source: upstream `pkg/apis/{rbac,certificates,authentication,authorization}/validation`.

extension KindRules {
    static var access: [String: KindRules] {
        Dictionary(uniqueKeysWithValues: [
            self.of(RbacV1.Role.self) { errors, role in
                errors.forEach("rules", in: role.rules) {
                    $0.validateRule($1, isNamespaced: true)
                }
            },
            self.of(RbacV1.ClusterRole.self) { errors, role in
                errors.forEach("rules", in: role.rules) {
                    $0.validateRule($1, isNamespaced: false)
                }
                errors.ifPresent("aggregationRule", role.aggregationRule) { errors, rule in
                    if rule.clusterRoleSelectors.isEmpty {
                        errors.required(
                            at: "clusterRoleSelectors",
                            "at least one clusterRoleSelector required if aggregationRule is "
                                + "non-nil"
                        )
                    }
                    errors.forEach("clusterRoleSelectors", in: rule.clusterRoleSelectors) {
                        $0.validateSelector($1)
                    }
                }
            },
            self.of(RbacV1.RoleBinding.self) { errors, binding in
                errors.validateBinding(
                    binding.roleRef,
                    binding.subjects,
                    kinds: ["Role", "ClusterRole"],
                    isNamespaced: true
                )
            } update: { errors, new, old, _ in
                errors.validateBinding(
                    new.roleRef,
                    new.subjects,
                    kinds: ["Role", "ClusterRole"],
                    isNamespaced: true
                )
                if new.roleRef != old.roleRef {
                    errors.invalid(
                        at: "roleRef",
                        .message(new.roleRef),
                        "cannot change roleRef"
                    )
                }
            },
            self.of(RbacV1.ClusterRoleBinding.self) { errors, binding in
                errors.validateBinding(
                    binding.roleRef,
                    binding.subjects,
                    kinds: ["ClusterRole"],
                    isNamespaced: false
                )
            } update: { errors, new, old, _ in
                errors.validateBinding(
                    new.roleRef,
                    new.subjects,
                    kinds: ["ClusterRole"],
                    isNamespaced: false
                )
                if new.roleRef != old.roleRef {
                    errors.invalid(
                        at: "roleRef",
                        .message(new.roleRef),
                        "cannot change roleRef"
                    )
                }
            },
            self.of(CertificatesV1.CertificateSigningRequest.self) { errors, request in
                errors.within("spec") { $0.validateRequest(request.spec) }
            } update: { errors, new, old, subresource in
                errors.validateRequestUpdate(new, old: old, subresource)
            },
            self.of(AuthenticationV1.TokenRequest.self) { errors, request in
                errors.within("spec") { errors in
                    let seconds = request.spec.expirationSeconds ?? 0
                    if seconds < Int64(APILimits.tokenExpirationMin) {
                        errors.invalid(
                            at: "expirationSeconds",
                            .integer(seconds),
                            "may not specify a duration less than 10 minutes"
                        )
                    }
                    if seconds > 1 << 32 {
                        errors.invalid(
                            at: "expirationSeconds",
                            .integer(seconds),
                            "may not specify a duration larger than 2^32 seconds"
                        )
                    }
                }
            },
        ])
    }
}

extension FieldErrors {
    // MARK: - RBAC

    mutating func validateRule(_ rule: RbacV1.PolicyRule, isNamespaced: Bool) {
        if rule.verbs.isEmpty {
            self.required(at: "verbs", "verbs must contain at least one value")
        }
        if !rule.nonResourceURLs.isEmpty {
            if isNamespaced {
                self.invalid(
                    at: "nonResourceURLs",
                    .init(rule.nonResourceURLs),
                    "namespaced rules cannot apply to non-resource URLs"
                )
            }
            if !rule.apiGroups.isEmpty || !rule.resources.isEmpty || !rule.resourceNames.isEmpty {
                self.invalid(
                    at: "nonResourceURLs",
                    .init(rule.nonResourceURLs),
                    "rules cannot apply to both regular resources and non-resource URLs"
                )
            }
            return
        }
        if rule.apiGroups.isEmpty {
            self.required(
                at: "apiGroups",
                "resource rules must supply at least one api group"
            )
        }
        if rule.resources.isEmpty {
            self.required(
                at: "resources",
                "resource rules must supply at least one resource"
            )
        }
    }

    mutating func validateBinding(
        _ role: RbacV1.RoleRef,
        _ subjects: RepeatedField<RbacV1.Subject>,
        kinds: [String],
        isNamespaced: Bool
    ) {
        let group = "rbac.authorization.k8s.io"
        self.within("roleRef") { errors in
            if role.apiGroup != group {
                errors.notSupported(
                    at: "apiGroup",
                    .string(role.apiGroup),
                    supported: [group]
                )
            }
            if !kinds.contains(role.kind) {
                errors.notSupported(at: "kind", .string(role.kind), supported: kinds)
            }
            errors.mustHave("name", role.name) { Formats.pathSegmentName($0) }
        }
        self.forEach("subjects", in: subjects) { errors, subject in
            errors.mustHave("name", subject.name)
            switch subject.kind {
            case "ServiceAccount":
                errors.mayHave("name", subject.name) { Formats.dns1123Subdomain($0) }
                if !subject.apiGroup.isEmpty {
                    errors.notSupported(
                        at: "apiGroup",
                        .string(subject.apiGroup),
                        supported: [""]
                    )
                }
                if !isNamespaced && subject.namespace.isEmpty {
                    errors.required(at: "namespace")
                }
            case "User", "Group":
                if subject.apiGroup != group {
                    errors.notSupported(
                        at: "apiGroup",
                        .string(subject.apiGroup),
                        supported: [group]
                    )
                }
            default:
                errors.notSupported(
                    at: "kind",
                    .string(subject.kind),
                    supported: ["ServiceAccount", "User", "Group"]
                )
            }
        }
    }

    // MARK: - Certificates

    mutating func validateRequest(_ spec: CertificatesV1.CertificateSigningRequestSpec) {
        if spec.usages.isEmpty { self.required(at: "usages") }
        var usages: Set<String> = []
        self.forEach("usages", in: spec.usages) { errors, usage in
            if !Self.keyUsages.contains(usage) {
                errors.notSupported(.string(usage), supported: Self.keyUsages)
            } else if !usages.insert(usage).inserted {
                errors.duplicate(.string(usage))
            }
        }
        self.validateSigner("signerName", spec.signerName)
        if let seconds = spec.expirationSeconds, seconds < Int32(APILimits.csrExpirationMin) {
            self.invalid(
                at: "expirationSeconds",
                .number(seconds),
                "may not specify a duration less than 600 seconds (10 minutes)"
            )
        }
    }

    private static let keyUsages = [
        "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign",
        "data encipherment", "decipher only", "digital signature", "email protection",
        "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement",
        "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
        "server auth", "signing", "timestamping",
    ]

    /// A domain, a slash and a path.
    private mutating func validateSigner(_ name: String, _ signer: String) {
        guard self.mustHave(name, signer) else { return }
        let parts = signer.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            self.invalid(
                at: name,
                .string(signer),
                "must be a fully qualified domain and path of the form "
                    + "'example.com/signer-name'"
            )
            return
        }
        self.invalid(at: name, .string(signer), Formats.dns1123Subdomain(String(parts[0])))
        for label in parts[1].split(separator: ".", omittingEmptySubsequences: false) {
            self.invalid(at: name, .string(signer), Formats.dns1123Subdomain(String(label)))
        }
    }

    mutating func validateRequestUpdate(
        _ new: CertificatesV1.CertificateSigningRequest,
        old: CertificatesV1.CertificateSigningRequest,
        _ subresource: String?
    ) {
        self.within("status") { errors in
            for type in ["Approved", "Denied", "Failed"] {
                let before = old.status.conditions.filter { $0.type == type }
                let after = new.status.conditions.filter { $0.type == type }
                if after.count < before.count {
                    errors.forbidden(
                        at: "conditions",
                        "updates may not remove a condition of type \(GoText.quoted(type))"
                    )
                }
                if after.count > before.count {
                    let isApproval = type == "Approved" || type == "Denied"
                    if isApproval && subresource != "approval" {
                        errors.forbidden(
                            at: "conditions",
                            "updates may not add a condition of type \(GoText.quoted(type))"
                        )
                    }
                }
            }
            let types = Set(new.status.conditions.map(\.type))
            if types.isSuperset(of: ["Approved", "Denied"]) {
                errors.invalid(
                    at: "conditions",
                    .list(new.status.conditions),
                    "Approved and Denied conditions are mutually exclusive"
                )
            }
            errors.forEach("conditions", in: new.status.conditions) { errors, condition in
                errors.mustHave("type", condition.type)
                if condition.status != "True"
                    && ["Approved", "Denied", "Failed"].contains(condition.type)
                {
                    errors.notSupported(
                        at: "status",
                        .string(condition.status),
                        supported: ["True"]
                    )
                }
            }
            if let before = old.status.certificate, let after = new.status.certificate,
                before != after, !before.isEmpty
            {
                errors.forbidden(
                    at: "certificate",
                    "updates may not change certificate content once set"
                )
            }
        }
    }
}
