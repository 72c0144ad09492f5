// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

extension TablePrinter {
    /// Who may do what, and what is checked on the way.
    static let policies: [String: [TableColumn]] = [
        "RoleBinding.rbac.authorization.k8s.io": Self.binding,
        "ClusterRoleBinding.rbac.authorization.k8s.io": Self.binding,
        "CertificateSigningRequest.certificates.k8s.io": [
            .name,
            .age,
            .text("SignerName", at: ["spec", "signerName"], or: CellText.none),
            .text("Requestor", at: ["spec", "username"]),
            .text("RequestedDuration") {
                $0["spec", "expirationSeconds"]?.integer.map(HumanDuration.text(seconds:))
                    ?? CellText.none
            },
            .text("Condition", Self.requestCondition),
        ],
        "ClusterTrustBundle.certificates.k8s.io": [
            .name, .text("SignerName", at: ["spec", "signerName"], or: CellText.none),
        ],
        "PodCertificateRequest.certificates.k8s.io": [
            .name,
            .text("PodName", at: ["spec", "podName"]),
            .text("ServiceAccountName", at: ["spec", "serviceAccountName"]),
            .text("NodeName", at: ["spec", "nodeName"]),
            .text("SignerName", at: ["spec", "signerName"]),
            .text("State") {
                $0.items("status", "conditions").compactMap { $0["type"]?.string }
                    .last { ["Issued", "Denied", "Failed"].contains($0) } ?? "Pending"
            },
            .text("UnverifiedUserAnnotations") {
                CellText.labels($0["spec", "unverifiedUserAnnotations"])
            },
        ],
        "MutatingWebhookConfiguration.admissionregistration.k8s.io": Self.webhooks,
        "ValidatingWebhookConfiguration.admissionregistration.k8s.io": Self.webhooks,
        "ValidatingAdmissionPolicy.admissionregistration.k8s.io": [
            .name,
            .integer("Validations") { Int64($0.items("spec", "validations").count) },
            .text("ParamKind", Self.parameterKind),
            .age,
        ],
        "MutatingAdmissionPolicy.admissionregistration.k8s.io": [
            .name,
            .integer("Mutations") { Int64($0.items("spec", "mutations").count) },
            .text("ParamKind", Self.parameterKind),
            .age,
        ],
        "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io": Self.policyBinding,
        "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io": Self.policyBinding,
    ]

    private static let webhooks: [TableColumn] = [
        .name, .integer("Webhooks") { Int64($0.items("webhooks").count) }, .age,
    ]

    private static let binding: [TableColumn] = [
        .name,
        .text("Role") {
            "\($0.text("roleRef", "kind") ?? "")/\($0.text("roleRef", "name") ?? "")"
        },
        .age,
        .text("Users", wide: true) { Self.subjects($0, "User") },
        .text("Groups", wide: true) { Self.subjects($0, "Group") },
        .text("ServiceAccounts", wide: true) { Self.subjects($0, "ServiceAccount") },
    ]

    private static func subjects(_ binding: TableSubject, _ kind: String) -> String {
        binding.items("subjects").filter { $0["kind"]?.string == kind }.map { subject in
            let name = subject["name"]?.string ?? ""
            guard kind == "ServiceAccount" else { return name }
            return "\(subject["namespace"]?.string ?? "")/\(name)"
        }.joined(separator: ", ")
    }

    @Sendable
    private static func requestCondition(_ request: TableSubject) -> String {
        let types = Set(
            request.items("status", "conditions").compactMap { $0["type"]?.string }
        )
        var text =
            types.contains("Denied")
            ? "Denied" : types.contains("Approved") ? "Approved" : "Pending"
        if types.contains("Failed") { text += ",Failed" }
        if request.text("status", "certificate") != nil { text += ",Issued" }
        return text
    }

    @Sendable
    private static func parameterKind(_ policy: TableSubject) -> String {
        guard let kind = policy["spec", "paramKind"] else { return CellText.unset }
        return "\(kind["apiVersion"]?.string ?? "")/\(kind["kind"]?.string ?? "")"
    }

    private static let policyBinding: [TableColumn] = [
        .name,
        .text("PolicyName", at: ["spec", "policyName"]),
        .text("ParamRef") { binding in
            guard let reference = binding["spec", "paramRef"] else { return CellText.unset }
            if let name = reference["name"]?.filledText {
                return "\(reference["namespace"]?.filledText ?? "*")/\(name)"
            }
            return CellText.selector(reference["selector"])
        },
        .age,
    ]
}
