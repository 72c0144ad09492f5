// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
package import ObjectModel
package import Protobuf
import ResourceTable

/// A served version of a kind, seen from the version that the server works with.
///
/// Each resource has one *hub*: the version that is stored. Every other version of the resource is
/// converted when an object comes in and goes out; all that lies between sees the hub alone.
package struct HubVersion: Sendable {
    /// The type that clients see.
    package let schema: MessageSchema
    private let conversion: Conversion?

    /// Both ways between a version and the hub.
    struct Conversion: Sendable {
        let toHub: @Sendable (APIObject) -> APIObject
        let fromHub: @Sendable (APIObject) -> APIObject

        init<Served: Message, Hub: Message>(
            toHub: @escaping @Sendable (Served) -> Hub,
            fromHub: @escaping @Sendable (Hub) -> Served
        ) {
            self.toHub = { object in
                object.message(as: Served.self).map { APIObject(toHub($0)) } ?? object
            }
            self.fromHub = { object in
                object.message(as: Hub.self).map { APIObject(fromHub($0)) } ?? object
            }
        }
    }

    init(schema: MessageSchema, conversion: Conversion?) {
        self.schema = schema
        self.conversion = conversion
    }

    /// Whether the version is the hub itself.
    package var isHub: Bool { self.conversion == nil }

    package func toHub(_ object: APIObject) -> APIObject {
        self.conversion?.toHub(object) ?? object
    }

    package func fromHub(_ object: APIObject) -> APIObject {
        self.conversion?.fromHub(object) ?? object
    }
}

extension HubVersion.Conversion {
    /// The conversion of a served version whose hub is another one; nil where both have the same
    /// fields.
    static func between(_ served: APIResource) -> HubVersion.Conversion? {
        switch (served.group, served.version, served.plural) {
        case ("events.k8s.io", "v1", "events"): .events
        case ("autoscaling", "v1", "horizontalpodautoscalers"): .autoscalers
        default: nil
        }
    }

    /// `events.k8s.io/v1` and `v1`. Source: upstream `pkg/apis/events/v1/conversion.go`.
    private static let events = HubVersion.Conversion(
        toHub: { (event: EventsV1.Event) in
            CoreV1.Event.with {
                $0.metadata = event.metadata
                $0.eventTime = event.eventTime
                $0.series = event.series.map { series in
                    CoreV1.EventSeries.with {
                        $0.count = series.count
                        $0.lastObservedTime = series.lastObservedTime
                    }
                }
                $0.reportingComponent = event.reportingController
                $0.reportingInstance = event.reportingInstance
                $0.action = event.action
                $0.reason = event.reason
                $0.involvedObject = event.regarding
                $0.related = event.related
                $0.message = event.note
                $0.type = event.type
                $0.source = event.deprecatedSource
                $0.firstTimestamp = event.deprecatedFirstTimestamp
                $0.lastTimestamp = event.deprecatedLastTimestamp
                $0.count = event.deprecatedCount
            }
        },
        fromHub: { (event: CoreV1.Event) in
            EventsV1.Event.with {
                $0.metadata = event.metadata
                $0.eventTime = event.eventTime
                $0.series = event.series.map { series in
                    EventsV1.EventSeries.with {
                        $0.count = series.count
                        $0.lastObservedTime = series.lastObservedTime
                    }
                }
                $0.reportingController = event.reportingComponent
                $0.reportingInstance = event.reportingInstance
                $0.action = event.action
                $0.reason = event.reason
                $0.regarding = event.involvedObject
                $0.related = event.related
                $0.note = event.message
                $0.type = event.type
                $0.deprecatedSource = event.source
                $0.deprecatedFirstTimestamp = event.firstTimestamp
                $0.deprecatedLastTimestamp = event.lastTimestamp
                $0.deprecatedCount = event.count
            }
        }
    )
}
