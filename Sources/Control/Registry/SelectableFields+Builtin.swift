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
        case "nodes":
            self.of(CoreV1.Node.self, ["spec.unschedulable"]) { ["\($0.spec.unschedulable)"] }
        case "namespaces": self.of(CoreV1.Namespace.self, ["status.phase"]) { [$0.status.phase] }
        case "secrets": self.of(CoreV1.Secret.self, ["type"]) { [$0.type] }
        case "services":
            self.of(CoreV1.Service.self, ["spec.clusterIP", "spec.type"]) {
                [$0.spec.clusterIP, $0.spec.type]
            }
        case "replicationcontrollers":
            self.of(CoreV1.ReplicationController.self, ["status.replicas"]) {
                ["\($0.status.replicas)"]
            }
        case "jobs.batch":
            self.of(BatchV1.Job.self, ["status.successful"]) { ["\($0.status.succeeded)"] }
        case "certificatesigningrequests.certificates.k8s.io":
            self.of(CertificatesV1.CertificateSigningRequest.self, ["spec.signerName"]) {
                [$0.spec.signerName]
            }
        case "resourceslices.resource.k8s.io":
            self.of(ResourceV1.ResourceSlice.self, ["spec.nodeName", "spec.driver"]) {
                [$0.spec.nodeName ?? "", $0.spec.driver]
            }
        case "events": self.events
        default: nil
        }
    }

    private static func of<M: Message>(
        _ type: M.Type,
        _ names: [String],
        _ values: @escaping @Sendable (M) -> [String]
    ) -> SelectableFields {
        SelectableFields(names) { object in
            object.message(as: M.self).map(values) ?? names.map { _ in "" }
        }
    }

    private static let pods = SelectableFields(
        [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
            "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP",
            "status.podIPs", "status.nominatedNodeName",
        ],
        aliases: ["spec.host": "spec.nodeName"],
        trigger: "spec.nodeName"
    ) { object in
        guard let pod = object.message(as: CoreV1.Pod.self) else {
            return Array(repeating: "", count: 9)
        }
        let spec = pod.spec
        let status = pod.status
        return [
            spec.nodeName, spec.restartPolicy, spec.schedulerName, spec.serviceAccountName,
            "\(spec.hostNetwork)", status.phase, status.podIPs.first?.ip ?? "", "",
            status.nominatedNodeName,
        ]
    }

    private static let events = SelectableFields(
        [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
            "involvedObject.uid", "involvedObject.apiVersion",
            "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
            "reportingComponent", "source", "type",
        ],
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
    ) { object in
        guard let event = object.message(as: CoreV1.Event.self) else {
            return Array(repeating: "", count: 11)
        }
        let about = event.involvedObject
        let source = event.source.component
        return [
            about.kind, about.namespace, about.name, about.uid, about.apiVersion,
            about.resourceVersion, about.fieldPath, event.reason, event.reportingComponent,
            source.isEmpty ? event.reportingComponent : source, event.type,
        ]
    }
}
