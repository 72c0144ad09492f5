// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import Informers
package import KubernetesAPI
import Protobuf
package import ResourceClient
import Selectors

/// Which Services a pod belongs to.
package struct ServiceIndex: Sendable {
    package let services: Informer<CoreV1.Service>

    package init(_ services: Informer<CoreV1.Service>) {
        self.services = services
    }

    package func keys(selecting pod: MetaV1.ObjectMeta) -> [ObjectKey] {
        self.services.list(in: pod.namespace).compactMap { service in
            let selector = service.spec.selector
            guard !selector.isEmpty, LabelSelector(equalTo: selector).matches(pod) else {
                return nil
            }
            return service.objectKey
        }
    }

    /// Calls `enqueue` with the Services whose endpoints a pod's change may change.
    package func services(of event: InformerEvent<CoreV1.Pod>, _ enqueue: (ObjectKey) -> Void) {
        switch event {
        case .added(let pod), .deleted(let pod, _):
            self.keys(selecting: pod.metadata).forEach(enqueue)
        case .updated(let old, let new):
            let isMoved =
                old.metadata.labels != new.metadata.labels
                || old.spec.hostname != new.spec.hostname
                || old.spec.subdomain != new.spec.subdomain
            guard isMoved || PodEndpoints.isChanged(old, new) else { return }
            var keys = Set(self.keys(selecting: new.metadata))
            if isMoved { keys.formUnion(self.keys(selecting: old.metadata)) }
            keys.forEach(enqueue)
        }
    }
}
