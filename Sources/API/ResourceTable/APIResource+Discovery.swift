// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `discovery.k8s.io`.
    static let discovery: [APIResource] = [
        APIResource(
            "endpointslices",
            of: DiscoveryV1.EndpointSlice.self,
            list: DiscoveryV1.EndpointSliceList.self,
            group: "discovery.k8s.io",
            version: "v1",
            singular: "endpointslice",
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                DiscoveryV1.EndpointSlice.self,
                at: "/registry/endpointslices/",
                group: "discovery.k8s.io",
                version: "v1",
                hash: "qgS0xkrxYAI="
            ),
            behaviour: [.unconditionalUpdate]
        )
    ]
}
