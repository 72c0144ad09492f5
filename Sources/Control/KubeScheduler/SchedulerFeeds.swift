// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Scheduler
import Selectors

/// Connects informers with the scheduler's inbox.
struct SchedulerFeeds {
    private let informers: InformerFactory
    private let inbox: SchedulerInbox

    init(_ informers: InformerFactory, _ inbox: SchedulerInbox) {
        self.informers = informers
        self.inbox = inbox
    }

    /// Asks for all that the scheduler watches.
    func connect() {
        self.connectNodes()
        self.connectPods()
        self.connectNamespaces()
        self.connectServices()
        self.connectBudgets()
        self.connectOwners()
        self.connectVolumes()
    }

    private func connectVolumes() {
        self.connectVolumeObject(CoreV1.PersistentVolumeClaim.self) { .claim($0) }
        self.connectVolumeObject(CoreV1.PersistentVolume.self) { .volume($0) }
        self.connectVolumeObject(StorageV1.StorageClass.self) { .storageClass($0) }
        self.connectVolumeObject(StorageV1.CSINode.self) { .csiNode($0) }
        self.connectVolumeObject(StorageV1.CSIDriver.self) { .csiDriver($0) }
        self.connectVolumeObject(StorageV1.CSIStorageCapacity.self) { .capacity($0) }
        self.connectVolumeObject(StorageV1.VolumeAttachment.self) { .attachment($0) }
    }

    private func connectVolumeObject<Object: Message>(
        _ type: Object.Type,
        _ wrap: @escaping @Sendable (Object) -> SchedulerCore.VolumeObject
    ) {
        let inbox = self.inbox
        self.informers.informer(of: type).addHandler { event in
            inbox.put(.volumeObject(wrap(event.object), isGone: event.isDeletion))
        }
    }

    private func connectNodes() {
        let inbox = self.inbox
        self.informers.informer(of: CoreV1.Node.self).addHandler { event in
            switch event {
            case .added(let node), .updated(_, let node): inbox.put(.node(node))
            case .deleted(let node, _): inbox.put(.nodeGone(node.metadata.name))
            }
        }
    }

    private func connectPods() {
        let inbox = self.inbox
        // Pods that have ended are of no interest.
        let running = FieldSelector([
            FieldSelector.Term("status.phase", "Succeeded", isNegated: true),
            FieldSelector.Term("status.phase", "Failed", isNegated: true),
        ])
        let informer = self.informers.informer(
            of: CoreV1.Pod.self,
            scope: InformerScope(fields: running)
        )
        informer.addHandler { event in
            switch event {
            case .added(let pod), .updated(_, let pod): inbox.put(.pod(pod))
            case .deleted(let pod, _): inbox.put(.podGone(uid: pod.metadata.uid))
            }
        }
    }

    private func connectNamespaces() {
        let inbox = self.inbox
        self.informers.informer(of: CoreV1.Namespace.self).addHandler { event in
            let metadata = event.object.metadata
            if case .deleted = event {
                inbox.put(.namespace(metadata.name, nil))
            } else {
                inbox.put(.namespace(metadata.name, LabelSet(metadata.labels)))
            }
        }
    }

    private func connectServices() {
        let inbox = self.inbox
        self.informers.informer(of: CoreV1.Service.self).addHandler { event in
            let service = event.object
            var labels: [String: String]?
            if case .deleted = event {
            } else {
                labels = Dictionary(
                    service.spec.selector.map { ($0.key, $0.value) },
                    uniquingKeysWith: { first, _ in first }
                )
            }
            inbox.put(
                .service(
                    namespace: service.metadata.namespace,
                    name: service.metadata.name,
                    labels: labels
                )
            )
        }
    }

    private func connectBudgets() {
        let inbox = self.inbox
        self.informers.informer(of: PolicyV1.PodDisruptionBudget.self).addHandler { event in
            let key = event.object.objectKey.description
            if case .deleted = event {
                inbox.put(.budget(key: key, nil))
            } else {
                inbox.put(.budget(key: key, DisruptionBudget(event.object)))
            }
        }
    }

    private func connectOwners() {
        self.connectOwner("ReplicaSet", AppsV1.ReplicaSet.self) {
            try? LabelSelector($0.spec.selector)
        }
        self.connectOwner("StatefulSet", AppsV1.StatefulSet.self) {
            try? LabelSelector($0.spec.selector)
        }
        self.connectOwner("ReplicationController", CoreV1.ReplicationController.self) {
            LabelSelector(equalTo: $0.spec.selector)
        }
    }

    private func connectOwner<Object: Message>(
        _ kind: String,
        _ type: Object.Type,
        _ selector: @escaping @Sendable (Object) -> LabelSelector?
    ) {
        let inbox = self.inbox
        self.informers.informer(of: type).addHandler { event in
            let key = event.object.objectKey
            let owner = Workloads.Owner(kind: kind, namespace: key.namespace, name: key.name)
            if case .deleted = event {
                inbox.put(.owner(owner, nil))
            } else {
                inbox.put(.owner(owner, selector(event.object)))
            }
        }
    }
}

extension InformerEvent {
    /// Whether the object is gone.
    fileprivate var isDeletion: Bool {
        if case .deleted = self { true } else { false }
    }
}
