// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension APIGroup {
    /// Every API group, in the order of the group discovery document.
    static let all: [APIGroup] = [
        APIGroup(
            "",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 18000, priority: 1)
            ]
        ),
        APIGroup(
            "apiregistration.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: nil, priority: nil)
            ]
        ),
        APIGroup(
            "apps",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 17800, priority: 15)
            ]
        ),
        APIGroup(
            "events.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 17750, priority: 15)
            ]
        ),
        APIGroup(
            "authentication.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 17700, priority: 15)
            ]
        ),
        APIGroup(
            "authorization.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 17600, priority: 15)
            ]
        ),
        APIGroup(
            "autoscaling",
            preferred: "v2",
            versions: [
                Version("v2", groupPriority: 17500, priority: 30),
                Version("v1", groupPriority: 17500, priority: 15),
            ]
        ),
        APIGroup(
            "batch",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 17400, priority: 15)
            ]
        ),
        APIGroup(
            "certificates.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 17300, priority: 15),
                Version("v1beta1", groupPriority: 17300, priority: 9, isServedByDefault: false),
                Version("v1alpha1", groupPriority: 17300, priority: 1, isServedByDefault: false),
            ]
        ),
        APIGroup(
            "networking.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 17200, priority: 15),
                Version("v1beta1", groupPriority: 17200, priority: 9, isServedByDefault: false),
            ]
        ),
        APIGroup(
            "policy",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 17100, priority: 15)
            ]
        ),
        APIGroup(
            "rbac.authorization.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 17000, priority: 15)
            ]
        ),
        APIGroup(
            "storage.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 16800, priority: 15),
                Version("v1beta1", groupPriority: 16800, priority: 9, isServedByDefault: false),
            ]
        ),
        APIGroup(
            "admissionregistration.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 16700, priority: 15),
                Version("v1beta1", groupPriority: 16700, priority: 12, isServedByDefault: false),
                Version("v1alpha1", groupPriority: 16700, priority: 9, isServedByDefault: false),
            ]
        ),
        APIGroup(
            "apiextensions.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 16700, priority: 15)
            ]
        ),
        APIGroup(
            "scheduling.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 16600, priority: 15),
                Version("v1alpha2", groupPriority: 16600, priority: 2, isServedByDefault: false),
            ]
        ),
        APIGroup(
            "coordination.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 16500, priority: 15),
                Version("v1beta1", groupPriority: 16500, priority: 13, isServedByDefault: false),
                Version("v1alpha2", groupPriority: 16500, priority: 12, isServedByDefault: false),
            ]
        ),
        APIGroup(
            "node.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 16300, priority: 15)
            ]
        ),
        APIGroup(
            "discovery.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 16200, priority: 15)
            ]
        ),
        APIGroup(
            "resource.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 16200, priority: 21),
                Version("v1beta2", groupPriority: 16200, priority: 15, isServedByDefault: false),
                Version("v1beta1", groupPriority: 16200, priority: 9, isServedByDefault: false),
                Version("v1alpha3", groupPriority: 16200, priority: 1, isServedByDefault: false),
            ]
        ),
        APIGroup(
            "flowcontrol.apiserver.k8s.io",
            preferred: "v1",
            versions: [
                Version("v1", groupPriority: 16100, priority: 21)
            ]
        ),
        APIGroup(
            "internal.apiserver.k8s.io",
            preferred: "v1alpha1",
            versions: [
                Version("v1alpha1", groupPriority: 16000, priority: 9, isServedByDefault: false)
            ]
        ),
        APIGroup(
            "storagemigration.k8s.io",
            preferred: "v1beta1",
            versions: [
                Version("v1beta1", groupPriority: 15800, priority: 9, isServedByDefault: false)
            ]
        ),
    ]
}
