// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Scalars

extension Strategy {
    /// The strategy of a built-in resource.
    ///
    /// Source: upstream `pkg/registry/<group>/<kind>/strategy.go`.
    static func builtin(_ resource: GroupResource) -> Strategy {
        var strategy = self.particular(resource)
        strategy.isDecisive = self.decisive.contains(resource.description)
        return strategy
    }

    /// What authorizers and admission go by.
    private static let decisive: Set<String> = [
        "clusterrolebindings.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
        "ingressclasses.networking.k8s.io", "limitranges", "namespaces",
        "priorityclasses.scheduling.k8s.io", "resourcequotas",
        "rolebindings.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io",
        "runtimeclasses.node.k8s.io", "serviceaccounts", "storageclasses.storage.k8s.io",
    ]

    private static func particular(_ resource: GroupResource) -> Strategy {
        switch resource.description {
        case "pods": .pods
        case "namespaces": .namespaces
        case "nodes": Strategy(keepsStatusAtCreation: true)
        case "events": Strategy(lifetimeSeconds: 3600)
        case "persistentvolumes": .persistentVolumes
        case "persistentvolumeclaims": .persistentVolumeClaims
        case "replicationcontrollers": Strategy(generation: .spec, dependents: .orphan)
        case "deployments.apps": Strategy(generation: .specAndAnnotations)
        case "jobs.batch": .jobs
        case "daemonsets.apps", "replicasets.apps", "statefulsets.apps", "cronjobs.batch",
            "ingresses.networking.k8s.io", "ingressclasses.networking.k8s.io",
            "networkpolicies.networking.k8s.io", "poddisruptionbudgets.policy",
            "customresourcedefinitions.apiextensions.k8s.io",
            "flowschemas.flowcontrol.apiserver.k8s.io",
            "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
            "validatingadmissionpolicies.admissionregistration.k8s.io",
            "validatingadmissionpolicybindings.admissionregistration.k8s.io",
            "mutatingadmissionpolicies.admissionregistration.k8s.io",
            "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
            "resourceslices.resource.k8s.io", "deviceclasses.resource.k8s.io",
            "csidrivers.storage.k8s.io":
            Strategy(generation: .spec)
        case "endpointslices.discovery.k8s.io", "priorityclasses.scheduling.k8s.io",
            "mutatingwebhookconfigurations.admissionregistration.k8s.io",
            "validatingwebhookconfigurations.admissionregistration.k8s.io":
            Strategy(generation: .content)
        case "certificatesigningrequests.certificates.k8s.io": .certificateRequests
        default: Strategy()
        }
    }

    private static let namespaces = Strategy(
        prepareForCreate: { object, _ in
            object.change(CoreV1.Namespace.self) { namespace in
                namespace.status = CoreV1.NamespaceStatus.with { $0.phase = "Active" }
                if !namespace.spec.finalizers.contains("kubernetes") {
                    namespace.spec.finalizers.append("kubernetes")
                }
                namespace.metadata.labels["kubernetes.io/metadata.name"] = namespace.metadata.name
            }
        },
        prepareForUpdate: { object, old, _ in
            object.copyPart("spec", from: old)
            object.change(CoreV1.Namespace.self) { namespace in
                namespace.metadata.labels["kubernetes.io/metadata.name"] = namespace.metadata.name
            }
        },
        subresources: [
            "finalize": { object, old, _ in
                Self.merge(&object, old) { (new: CoreV1.Namespace, namespace) in
                    namespace.spec.finalizers = new.spec.finalizers
                }
            }
        ],
        mustStay: { object in
            object.message(as: CoreV1.Namespace.self).map { !$0.spec.finalizers.isEmpty } ?? false
        },
        markDeleted: { object in
            object.change(CoreV1.Namespace.self) { $0.status.phase = "Terminating" }
        }
    )

    private static let persistentVolumes = Strategy(
        prepareForCreate: { object, now in
            object.change(CoreV1.PersistentVolume.self) { volume in
                volume.status = CoreV1.PersistentVolumeStatus.with {
                    $0.phase = "Pending"
                    $0.lastPhaseTransitionTime = MetaV1.Time(now)
                }
            }
        },
        prepareForStatusUpdate: { object, old, now in
            guard let before = old.message(as: CoreV1.PersistentVolume.self) else { return }
            object.change(CoreV1.PersistentVolume.self) { volume in
                if volume.status.phase != before.status.phase {
                    volume.status.lastPhaseTransitionTime = MetaV1.Time(now)
                }
            }
        }
    )

    private static let persistentVolumeClaims = Strategy(
        prepareForCreate: { object, _ in
            object.change(CoreV1.PersistentVolumeClaim.self) { claim in
                claim.status = CoreV1.PersistentVolumeClaimStatus.with { $0.phase = "Pending" }
            }
        }
    )

    private static let certificateRequests = Strategy(
        prepareForUpdate: { object, old, _ in object.copyPart("spec", from: old) },
        prepareForStatusUpdate: { object, old, now in
            guard let before = old.message(as: CertificatesV1.CertificateSigningRequest.self)
            else { return }
            object.change(CertificatesV1.CertificateSigningRequest.self) { request in
                // Decisions are made through `approval`.
                let kept = before.status.conditions.filter { $0.type != "Failed" }
                var conditions = kept
                conditions += request.status.conditions.filter { $0.type == "Failed" }
                request.status.conditions = []
                for condition in conditions { request.status.conditions.append(condition) }
                Self.stamp(&request.status, before.status, now)
            }
        },
        subresources: [
            "approval": { object, old, now in
                Self.merge(&object, old) {
                    (new: CertificatesV1.CertificateSigningRequest, request) in
                    let before = request.status
                    request.status.conditions = new.status.conditions
                    Self.stamp(&request.status, before, now)
                }
            }
        ]
    )

    /// Makes an object of the one that is there and of what a subresource takes from the one that
    /// was sent.
    static func merge<M: Message>(
        _ object: inout APIObject,
        _ old: APIObject,
        _ change: (M, inout M) -> Void
    ) {
        guard let new = object.message(as: M.self) else { return }
        let version = object.metadata.resourceVersion
        object = old
        object.metadata.resourceVersion = version
        object.change(M.self) { change(new, &$0) }
    }

    /// Fills in the times that a client left out of conditions.
    static func stamp(
        _ status: inout CertificatesV1.CertificateSigningRequestStatus,
        _ old: CertificatesV1.CertificateSigningRequestStatus,
        _ now: Timestamp
    ) {
        for index in status.conditions.indices {
            let type = status.conditions[index].type
            if status.conditions[index].lastUpdateTime.timestamp == nil {
                status.conditions[index].lastUpdateTime = MetaV1.Time(now)
            }
            guard status.conditions[index].lastTransitionTime.timestamp == nil else { continue }
            let before = old.conditions.first { $0.type == type }
            if let before, before.status == status.conditions[index].status {
                status.conditions[index].lastTransitionTime = before.lastTransitionTime
            } else {
                status.conditions[index].lastTransitionTime = MetaV1.Time(now)
            }
        }
    }
}
