// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `networking.k8s.io`.
    static let networking: [APIResource] = [
        APIResource(
            "ingressclasses",
            of: NetworkingV1.IngressClass.self,
            list: NetworkingV1.IngressClassList.self,
            group: "networking.k8s.io",
            version: "v1",
            singular: "ingressclass",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                NetworkingV1.IngressClass.self,
                at: "/registry/ingressclasses/",
                group: "networking.k8s.io",
                version: "v1",
                hash: "l/iqIbDgFyQ="
            ),
            behaviour: [.unconditionalUpdate]
        ),
        APIResource(
            "ingresses",
            of: NetworkingV1.Ingress.self,
            list: NetworkingV1.IngressList.self,
            group: "networking.k8s.io",
            version: "v1",
            singular: "ingress",
            shortNames: ["ing"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                NetworkingV1.Ingress.self,
                at: "/registry/ingress/",
                group: "networking.k8s.io",
                version: "v1",
                hash: "39NQlfNR+bo="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "status",
                    of: NetworkingV1.Ingress.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "ipaddresses",
            of: NetworkingV1.IPAddress.self,
            list: NetworkingV1.IPAddressList.self,
            group: "networking.k8s.io",
            version: "v1",
            singular: "ipaddress",
            shortNames: ["ip"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                NetworkingV1.IPAddress.self,
                at: "/registry/ipaddresses/",
                group: "networking.k8s.io",
                version: "v1",
                hash: "3f/plJFChNE="
            ),
            behaviour: [.unconditionalUpdate]
        ),
        APIResource(
            "networkpolicies",
            of: NetworkingV1.NetworkPolicy.self,
            list: NetworkingV1.NetworkPolicyList.self,
            group: "networking.k8s.io",
            version: "v1",
            singular: "networkpolicy",
            shortNames: ["netpol"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                NetworkingV1.NetworkPolicy.self,
                at: "/registry/networkpolicies/",
                group: "networking.k8s.io",
                version: "v1",
                hash: "YpfwF18m1G8="
            ),
            behaviour: [.unconditionalUpdate]
        ),
        APIResource(
            "servicecidrs",
            of: NetworkingV1.ServiceCIDR.self,
            list: NetworkingV1.ServiceCIDRList.self,
            group: "networking.k8s.io",
            version: "v1",
            singular: "servicecidr",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                NetworkingV1.ServiceCIDR.self,
                at: "/registry/servicecidrs/",
                group: "networking.k8s.io",
                version: "v1",
                hash: "gNLvruQhW2g="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "status",
                    of: NetworkingV1.ServiceCIDR.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "ipaddresses",
            of: NetworkingV1beta1.IPAddress.self,
            list: NetworkingV1beta1.IPAddressList.self,
            group: "networking.k8s.io",
            version: "v1beta1",
            singular: "ipaddress",
            shortNames: ["ip"],
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                NetworkingV1.IPAddress.self,
                at: "/registry/ipaddresses/",
                group: "networking.k8s.io",
                version: "v1",
                hash: "3f/plJFChNE="
            ),
            behaviour: [.unconditionalUpdate]
        ),
        APIResource(
            "servicecidrs",
            of: NetworkingV1beta1.ServiceCIDR.self,
            list: NetworkingV1beta1.ServiceCIDRList.self,
            group: "networking.k8s.io",
            version: "v1beta1",
            singular: "servicecidr",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                NetworkingV1.ServiceCIDR.self,
                at: "/registry/servicecidrs/",
                group: "networking.k8s.io",
                version: "v1",
                hash: "gNLvruQhW2g="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "status",
                    of: NetworkingV1beta1.ServiceCIDR.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
    ]
}
