// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `events.k8s.io`.
    static let events: [APIResource] = [
        APIResource(
            "events",
            of: EventsV1.Event.self,
            list: EventsV1.EventList.self,
            group: "events.k8s.io",
            version: "v1",
            singular: "event",
            shortNames: ["ev"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.Event.self,
                at: "/registry/events/",
                group: "",
                version: "v1",
                hash: "r2yiGXH7wu8="
            ),
            behaviour: [.createOnUpdate, .unconditionalUpdate]
        )
    ]
}
