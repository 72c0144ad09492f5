// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `certificates.k8s.io`.
    static let certificates: [APIResource] = [
        APIResource(
            "certificatesigningrequests",
            of: CertificatesV1.CertificateSigningRequest.self,
            list: CertificatesV1.CertificateSigningRequestList.self,
            group: "certificates.k8s.io",
            version: "v1",
            singular: "certificatesigningrequest",
            shortNames: ["csr"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                CertificatesV1.CertificateSigningRequest.self,
                at: "/registry/certificatesigningrequests/",
                group: "certificates.k8s.io",
                version: "v1",
                hash: "95fRKMXA+00="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "approval",
                    of: CertificatesV1.CertificateSigningRequest.self,
                    verbs: [.get, .patch, .update]
                ),
                Subresource(
                    "status",
                    of: CertificatesV1.CertificateSigningRequest.self,
                    verbs: [.get, .patch, .update]
                ),
            ]
        ),
        APIResource(
            "clustertrustbundles",
            of: CertificatesV1alpha1.ClusterTrustBundle.self,
            list: CertificatesV1alpha1.ClusterTrustBundleList.self,
            group: "certificates.k8s.io",
            version: "v1alpha1",
            singular: "clustertrustbundle",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            featureGate: "ClusterTrustBundle",
            storage: Storage(
                CertificatesV1beta1.ClusterTrustBundle.self,
                at: "/registry/clustertrustbundles/",
                group: "certificates.k8s.io",
                version: "v1beta1",
                hash: "v5yhuVertL4="
            )
        ),
        APIResource(
            "clustertrustbundles",
            of: CertificatesV1beta1.ClusterTrustBundle.self,
            list: CertificatesV1beta1.ClusterTrustBundleList.self,
            group: "certificates.k8s.io",
            version: "v1beta1",
            singular: "clustertrustbundle",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            featureGate: "ClusterTrustBundle",
            storage: Storage(
                CertificatesV1beta1.ClusterTrustBundle.self,
                at: "/registry/clustertrustbundles/",
                group: "certificates.k8s.io",
                version: "v1beta1",
                hash: "v5yhuVertL4="
            )
        ),
        APIResource(
            "podcertificaterequests",
            of: CertificatesV1beta1.PodCertificateRequest.self,
            list: CertificatesV1beta1.PodCertificateRequestList.self,
            group: "certificates.k8s.io",
            version: "v1beta1",
            singular: "podcertificaterequest",
            scope: .namespaced,
            verbs: .all,
            isServedByDefault: false,
            featureGate: "PodCertificateRequest",
            storage: Storage(
                CertificatesV1beta1.PodCertificateRequest.self,
                at: "/registry/podcertificaterequests/",
                group: "certificates.k8s.io",
                version: "v1beta1",
                hash: "wYA9yXQH8fg="
            ),
            subresources: [
                Subresource(
                    "status",
                    of: CertificatesV1beta1.PodCertificateRequest.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
    ]
}
