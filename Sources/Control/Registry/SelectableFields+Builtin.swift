// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import WatchCache

extension SelectableFields {
    /// The fields of a built-in resource's storage version; nil when it has none beside name and
    /// namespace.
    ///
    /// Source: upstream's `GetAttrs` and `ToSelectableFields` of each registry, as the fact table
    /// `field_selectors.json` has them.
    static func builtin(_ resource: GroupResource) -> SelectableFields? {
        switch resource.description {
        case "pods": self.pods
        case "nodes": SelectableFields(CoreV1.Node.schema, ["spec.unschedulable"])
        case "namespaces": SelectableFields(CoreV1.Namespace.schema, ["status.phase"])
        case "secrets": SelectableFields(CoreV1.Secret.schema, ["type"])
        case "services":
            SelectableFields(CoreV1.Service.schema, ["spec.clusterIP", "spec.type"])
        case "replicationcontrollers":
            SelectableFields(CoreV1.ReplicationController.schema, ["status.replicas"])
        case "jobs.batch":
            SelectableFields(
                BatchV1.Job.schema,
                ["status.successful"],
                places: ["status.successful": ["status.succeeded"]]
            )
        case "certificatesigningrequests.certificates.k8s.io":
            SelectableFields(
                CertificatesV1.CertificateSigningRequest.schema,
                ["spec.signerName"]
            )
        case "resourceslices.resource.k8s.io":
            SelectableFields(ResourceV1.ResourceSlice.schema, ["spec.nodeName", "spec.driver"])
        case "events": self.events
        default: nil
        }
    }

    private static let pods = SelectableFields(
        CoreV1.Pod.schema,
        [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
            "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP",
            "status.podIPs", "status.nominatedNodeName",
        ],
        places: ["status.podIP": ["status.podIPs.ip"], "status.podIPs": []],
        aliases: ["spec.host": "spec.nodeName"],
        trigger: "spec.nodeName"
    )

    private static let events = SelectableFields(
        CoreV1.Event.schema,
        [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
            "involvedObject.uid", "involvedObject.apiVersion",
            "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
            "reportingComponent", "source", "type",
        ],
        places: ["source": ["source.component", "reportingComponent"]],
        aliases: [
            "regarding.kind": "involvedObject.kind",
            "regarding.namespace": "involvedObject.namespace",
            "regarding.name": "involvedObject.name",
            "regarding.uid": "involvedObject.uid",
            "regarding.apiVersion": "involvedObject.apiVersion",
            "regarding.resourceVersion": "involvedObject.resourceVersion",
            "regarding.fieldPath": "involvedObject.fieldPath",
            "reportingController": "reportingComponent",
        ]
    )
}
