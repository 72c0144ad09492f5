// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
package import Selectors

/// Services and controllers, whose selectors tell which pods belong together when a pod does not
/// say itself how it wants to be spread.
///
/// Source: upstream `pkg/scheduler/framework/plugins/helper/spread.go`, DefaultSelector.
package struct Workloads {
    /// A controller that can own pods.
    package struct Owner: Hashable, Sendable {
        package let kind: String
        package let namespace: String
        package let name: String

        package init(kind: String, namespace: String, name: String) {
            self.kind = kind
            self.namespace = namespace
            self.name = name
        }
    }

    private var services: [String: [String: LabelSelector]] = [:]
    private var owners: [Owner: LabelSelector] = [:]

    /// Takes note of a service's selector; nil when the service is gone or has none.
    package mutating func setService(
        _ namespace: String,
        _ name: String,
        _ labels: [(key: String, value: String)]?
    ) {
        let selector = labels.flatMap { $0.isEmpty ? nil : LabelSelector(equalTo: $0) }
        self.services[namespace, default: [:]][name] = selector
        if self.services[namespace]?.isEmpty == true { self.services[namespace] = nil }
    }

    /// Takes note of a controller's selector; nil when it is gone.
    package mutating func setOwner(_ owner: Owner, _ selector: LabelSelector?) {
        self.owners[owner] = selector
    }

    /// The selector of the pods that belong with a pod; nil when there is nothing to go by.
    package func selector(for pod: PodInfo) -> LabelSelector? {
        var requirements: [LabelRequirement] = []
        for (_, selector) in self.services[pod.namespace] ?? [:]
        where selector.matches(pod.labels) {
            requirements += selector.requirements
        }
        if let owner = pod.pod.metadata.ownerReferences.first(where: { $0.controller == true }) {
            let key = Owner(kind: owner.kind, namespace: pod.namespace, name: owner.name)
            requirements += self.owners[key]?.requirements ?? []
        }
        return requirements.isEmpty ? nil : LabelSelector(requirements)
    }
}
