// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access

extension AdmissionChain {
    /// The plugins that an API server has without `--enable-admission-plugins`, in upstream's order.
    ///
    /// Source: kubernetes `pkg/kubeapiserver/options/plugins.go`.
    public static func standard(
        _ objects: any ObjectWriter,
        authorizer: any Authorizer,
        additional: [any AdmissionPlugin] = []
    ) -> AdmissionChain {
        AdmissionChain(Self.plugins(objects, authorizer: authorizer) + additional)
    }

    /// The same plugins, for those who leave some out.
    public static func plugins(
        _ objects: any ObjectWriter,
        authorizer: any Authorizer,
        settings: AdmissionSettings = AdmissionSettings()
    ) -> [any AdmissionPlugin] {
        [
            NamespaceLifecycle(objects),
            LimitRanger(objects),
            ServiceAccountAdmission(objects),
            NodeRestriction(objects),
            TaintNodesByCondition(),
            PodSecurity(objects, settings.podSecurity),
            PriorityAdmission(objects),
            DefaultTolerationSeconds(),
            DefaultStorageClass(objects),
            StorageObjectInUseProtection(),
            PersistentVolumeClaimResize(objects),
            RuntimeClassAdmission(objects),
            CertificateApproval(authorizer),
            CertificateSigning(authorizer),
            CertificateSubjectRestriction(),
            DefaultIngressClass(objects),
            ResourceQuotaAdmission(objects, settings.resourceQuota),
        ]
    }

    /// The names of ``plugins(_:authorizer:)``.
    public static let standardNames = [
        "NamespaceLifecycle", "LimitRanger", "ServiceAccount", "NodeRestriction",
        "TaintNodesByCondition", "PodSecurity", "Priority", "DefaultTolerationSeconds",
        "DefaultStorageClass", "StorageObjectInUseProtection", "PersistentVolumeClaimResize",
        "RuntimeClass", "CertificateApproval", "CertificateSigning",
        "CertificateSubjectRestriction", "DefaultIngressClass", "ResourceQuota",
    ]

    /// The plugins that are there for those who name them with `--enable-admission-plugins`.
    public static let optional: [any AdmissionPlugin] = [DenyServiceExternalIPs()]
}
