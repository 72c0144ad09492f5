// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `resource.k8s.io`.
    static let resource: [APIResource] = [
        APIResource(
            "deviceclasses",
            of: ResourceV1.DeviceClass.self,
            list: ResourceV1.DeviceClassList.self,
            group: "resource.k8s.io",
            version: "v1",
            singular: "deviceclass",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                ResourceV1.DeviceClass.self,
                at: "/registry/deviceclasses/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "Yk2PTc1Ybxk="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "resourceclaims",
            of: ResourceV1.ResourceClaim.self,
            list: ResourceV1.ResourceClaimList.self,
            group: "resource.k8s.io",
            version: "v1",
            singular: "resourceclaim",
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                ResourceV1.ResourceClaim.self,
                at: "/registry/resourceclaims/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "wgAZaHcZxUg="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource(
                    "status",
                    of: ResourceV1.ResourceClaim.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "resourceclaimtemplates",
            of: ResourceV1.ResourceClaimTemplate.self,
            list: ResourceV1.ResourceClaimTemplateList.self,
            group: "resource.k8s.io",
            version: "v1",
            singular: "resourceclaimtemplate",
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                ResourceV1.ResourceClaimTemplate.self,
                at: "/registry/resourceclaimtemplates/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "TuzjC49aUfM="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "resourceslices",
            of: ResourceV1.ResourceSlice.self,
            list: ResourceV1.ResourceSliceList.self,
            group: "resource.k8s.io",
            version: "v1",
            singular: "resourceslice",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                ResourceV1.ResourceSlice.self,
                at: "/registry/resourceslices/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "KsC072WgaEY="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "devicetaintrules",
            of: ResourceV1alpha3.DeviceTaintRule.self,
            list: ResourceV1alpha3.DeviceTaintRuleList.self,
            group: "resource.k8s.io",
            version: "v1alpha3",
            singular: "devicetaintrule",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1alpha3.DeviceTaintRule.self,
                at: "/registry/devicetaintrules/",
                group: "resource.k8s.io",
                version: "v1alpha3",
                hash: "DJ3UJ0fj8MI="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource(
                    "status",
                    of: ResourceV1alpha3.DeviceTaintRule.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "resourcepoolstatusrequests",
            of: ResourceV1alpha3.ResourcePoolStatusRequest.self,
            list: ResourceV1alpha3.ResourcePoolStatusRequestList.self,
            group: "resource.k8s.io",
            version: "v1alpha3",
            singular: "resourcepoolstatusrequest",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1alpha3.ResourcePoolStatusRequest.self,
                at: "/registry/resourcepoolstatusrequests/",
                group: "resource.k8s.io",
                version: "v1alpha3",
                hash: "iy583CtMwdY="
            ),
            behaviour: [.deleteReturnsObject],
            subresources: [
                Subresource(
                    "status",
                    of: ResourceV1alpha3.ResourcePoolStatusRequest.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "deviceclasses",
            of: ResourceV1beta1.DeviceClass.self,
            list: ResourceV1beta1.DeviceClassList.self,
            group: "resource.k8s.io",
            version: "v1beta1",
            singular: "deviceclass",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1.DeviceClass.self,
                at: "/registry/deviceclasses/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "Yk2PTc1Ybxk="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "resourceclaims",
            of: ResourceV1beta1.ResourceClaim.self,
            list: ResourceV1beta1.ResourceClaimList.self,
            group: "resource.k8s.io",
            version: "v1beta1",
            singular: "resourceclaim",
            scope: .namespaced,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1.ResourceClaim.self,
                at: "/registry/resourceclaims/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "wgAZaHcZxUg="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource(
                    "status",
                    of: ResourceV1beta1.ResourceClaim.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "resourceclaimtemplates",
            of: ResourceV1beta1.ResourceClaimTemplate.self,
            list: ResourceV1beta1.ResourceClaimTemplateList.self,
            group: "resource.k8s.io",
            version: "v1beta1",
            singular: "resourceclaimtemplate",
            scope: .namespaced,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1.ResourceClaimTemplate.self,
                at: "/registry/resourceclaimtemplates/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "TuzjC49aUfM="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "resourceslices",
            of: ResourceV1beta1.ResourceSlice.self,
            list: ResourceV1beta1.ResourceSliceList.self,
            group: "resource.k8s.io",
            version: "v1beta1",
            singular: "resourceslice",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1.ResourceSlice.self,
                at: "/registry/resourceslices/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "KsC072WgaEY="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "deviceclasses",
            of: ResourceV1beta2.DeviceClass.self,
            list: ResourceV1beta2.DeviceClassList.self,
            group: "resource.k8s.io",
            version: "v1beta2",
            singular: "deviceclass",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1.DeviceClass.self,
                at: "/registry/deviceclasses/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "Yk2PTc1Ybxk="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "devicetaintrules",
            of: ResourceV1beta2.DeviceTaintRule.self,
            list: ResourceV1beta2.DeviceTaintRuleList.self,
            group: "resource.k8s.io",
            version: "v1beta2",
            singular: "devicetaintrule",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1alpha3.DeviceTaintRule.self,
                at: "/registry/devicetaintrules/",
                group: "resource.k8s.io",
                version: "v1alpha3",
                hash: "DJ3UJ0fj8MI="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource(
                    "status",
                    of: ResourceV1beta2.DeviceTaintRule.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "resourceclaims",
            of: ResourceV1beta2.ResourceClaim.self,
            list: ResourceV1beta2.ResourceClaimList.self,
            group: "resource.k8s.io",
            version: "v1beta2",
            singular: "resourceclaim",
            scope: .namespaced,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1.ResourceClaim.self,
                at: "/registry/resourceclaims/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "wgAZaHcZxUg="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource(
                    "status",
                    of: ResourceV1beta2.ResourceClaim.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "resourceclaimtemplates",
            of: ResourceV1beta2.ResourceClaimTemplate.self,
            list: ResourceV1beta2.ResourceClaimTemplateList.self,
            group: "resource.k8s.io",
            version: "v1beta2",
            singular: "resourceclaimtemplate",
            scope: .namespaced,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1.ResourceClaimTemplate.self,
                at: "/registry/resourceclaimtemplates/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "TuzjC49aUfM="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "resourceslices",
            of: ResourceV1beta2.ResourceSlice.self,
            list: ResourceV1beta2.ResourceSliceList.self,
            group: "resource.k8s.io",
            version: "v1beta2",
            singular: "resourceslice",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ResourceV1.ResourceSlice.self,
                at: "/registry/resourceslices/",
                group: "resource.k8s.io",
                version: "v1",
                hash: "KsC072WgaEY="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
    ]
}
