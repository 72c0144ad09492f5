// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `admissionregistration.k8s.io`.
    static let admissionregistration: [APIResource] = [
        APIResource(
            "mutatingadmissionpolicies",
            of: AdmissionregistrationV1.MutatingAdmissionPolicy.self,
            list: AdmissionregistrationV1.MutatingAdmissionPolicyList.self,
            group: "admissionregistration.k8s.io",
            version: "v1",
            singular: "mutatingadmissionpolicy",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                AdmissionregistrationV1beta1.MutatingAdmissionPolicy.self,
                at: "/registry/mutatingadmissionpolicies/",
                group: "admissionregistration.k8s.io",
                version: "v1beta1",
                hash: "LYmCf+UMVdg="
            )
        ),
        APIResource(
            "mutatingadmissionpolicybindings",
            of: AdmissionregistrationV1.MutatingAdmissionPolicyBinding.self,
            list: AdmissionregistrationV1.MutatingAdmissionPolicyBindingList.self,
            group: "admissionregistration.k8s.io",
            version: "v1",
            singular: "mutatingadmissionpolicybinding",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                AdmissionregistrationV1beta1.MutatingAdmissionPolicyBinding.self,
                at: "/registry/mutatingadmissionpolicybindings/",
                group: "admissionregistration.k8s.io",
                version: "v1beta1",
                hash: "90V5FRZZ3Zg="
            )
        ),
        APIResource(
            "mutatingwebhookconfigurations",
            of: AdmissionregistrationV1.MutatingWebhookConfiguration.self,
            list: AdmissionregistrationV1.MutatingWebhookConfigurationList.self,
            group: "admissionregistration.k8s.io",
            version: "v1",
            singular: "mutatingwebhookconfiguration",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                AdmissionregistrationV1.MutatingWebhookConfiguration.self,
                at: "/registry/mutatingwebhookconfigurations/",
                group: "admissionregistration.k8s.io",
                version: "v1",
                hash: "Sqi0GUgDaX0="
            )
        ),
        APIResource(
            "validatingadmissionpolicies",
            of: AdmissionregistrationV1.ValidatingAdmissionPolicy.self,
            list: AdmissionregistrationV1.ValidatingAdmissionPolicyList.self,
            group: "admissionregistration.k8s.io",
            version: "v1",
            singular: "validatingadmissionpolicy",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                AdmissionregistrationV1.ValidatingAdmissionPolicy.self,
                at: "/registry/validatingadmissionpolicies/",
                group: "admissionregistration.k8s.io",
                version: "v1",
                hash: "6OxvlMmQ6is="
            ),
            subresources: [
                Subresource(
                    "status",
                    of: AdmissionregistrationV1.ValidatingAdmissionPolicy.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "validatingadmissionpolicybindings",
            of: AdmissionregistrationV1.ValidatingAdmissionPolicyBinding.self,
            list: AdmissionregistrationV1.ValidatingAdmissionPolicyBindingList.self,
            group: "admissionregistration.k8s.io",
            version: "v1",
            singular: "validatingadmissionpolicybinding",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                AdmissionregistrationV1.ValidatingAdmissionPolicyBinding.self,
                at: "/registry/validatingadmissionpolicybindings/",
                group: "admissionregistration.k8s.io",
                version: "v1",
                hash: "v9715VZqakg="
            )
        ),
        APIResource(
            "validatingwebhookconfigurations",
            of: AdmissionregistrationV1.ValidatingWebhookConfiguration.self,
            list: AdmissionregistrationV1.ValidatingWebhookConfigurationList.self,
            group: "admissionregistration.k8s.io",
            version: "v1",
            singular: "validatingwebhookconfiguration",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                AdmissionregistrationV1.ValidatingWebhookConfiguration.self,
                at: "/registry/validatingwebhookconfigurations/",
                group: "admissionregistration.k8s.io",
                version: "v1",
                hash: "B0wHjQmsGNk="
            )
        ),
        APIResource(
            "mutatingadmissionpolicies",
            of: AdmissionregistrationV1alpha1.MutatingAdmissionPolicy.self,
            list: AdmissionregistrationV1alpha1.MutatingAdmissionPolicyList.self,
            group: "admissionregistration.k8s.io",
            version: "v1alpha1",
            singular: "mutatingadmissionpolicy",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                AdmissionregistrationV1beta1.MutatingAdmissionPolicy.self,
                at: "/registry/mutatingadmissionpolicies/",
                group: "admissionregistration.k8s.io",
                version: "v1beta1",
                hash: "LYmCf+UMVdg="
            )
        ),
        APIResource(
            "mutatingadmissionpolicybindings",
            of: AdmissionregistrationV1alpha1.MutatingAdmissionPolicyBinding.self,
            list: AdmissionregistrationV1alpha1.MutatingAdmissionPolicyBindingList.self,
            group: "admissionregistration.k8s.io",
            version: "v1alpha1",
            singular: "mutatingadmissionpolicybinding",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                AdmissionregistrationV1beta1.MutatingAdmissionPolicyBinding.self,
                at: "/registry/mutatingadmissionpolicybindings/",
                group: "admissionregistration.k8s.io",
                version: "v1beta1",
                hash: "90V5FRZZ3Zg="
            )
        ),
        APIResource(
            "mutatingadmissionpolicies",
            of: AdmissionregistrationV1beta1.MutatingAdmissionPolicy.self,
            list: AdmissionregistrationV1beta1.MutatingAdmissionPolicyList.self,
            group: "admissionregistration.k8s.io",
            version: "v1beta1",
            singular: "mutatingadmissionpolicy",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                AdmissionregistrationV1beta1.MutatingAdmissionPolicy.self,
                at: "/registry/mutatingadmissionpolicies/",
                group: "admissionregistration.k8s.io",
                version: "v1beta1",
                hash: "LYmCf+UMVdg="
            )
        ),
        APIResource(
            "mutatingadmissionpolicybindings",
            of: AdmissionregistrationV1beta1.MutatingAdmissionPolicyBinding.self,
            list: AdmissionregistrationV1beta1.MutatingAdmissionPolicyBindingList.self,
            group: "admissionregistration.k8s.io",
            version: "v1beta1",
            singular: "mutatingadmissionpolicybinding",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                AdmissionregistrationV1beta1.MutatingAdmissionPolicyBinding.self,
                at: "/registry/mutatingadmissionpolicybindings/",
                group: "admissionregistration.k8s.io",
                version: "v1beta1",
                hash: "90V5FRZZ3Zg="
            )
        ),
    ]
}
