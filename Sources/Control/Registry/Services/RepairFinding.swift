// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// Something that is not as it should be between Services and what was given to them.
package struct RepairFinding: Sendable {
    /// What kind of fault it is, as metrics count it.
    package enum Kind: String, Sendable, CaseIterable {
        case leak, repair, duplicate, outOfRange, invalid
    }

    /// What puts it right.
    package enum Remedy: Sendable {
        case none
        /// Makes the object of an address of a Service, in place of one that may be there.
        case create(String, CoreV1.Service, replacing: Bool)
        /// Removes the object of an address.
        case remove(String)
    }

    /// What an event is written about.
    package enum Subject: Sendable {
        case service(CoreV1.Service)
        case address(NetworkingV1.IPAddress)
    }

    package var kind: Kind
    /// The reason of the event; empty for no event.
    package var reason: String
    package var message: String
    package var subject: Subject?
    package var remedy: Remedy

    init(
        _ kind: Kind,
        _ message: String,
        reason: String = "",
        about subject: Subject? = nil,
        _ remedy: Remedy = .none
    ) {
        self.kind = kind
        self.reason = reason
        self.message = message
        self.subject = subject
        self.remedy = remedy
    }

    static func warning(
        _ kind: Kind,
        _ reason: String,
        _ message: String,
        _ service: CoreV1.Service,
        _ remedy: Remedy = .none
    ) -> RepairFinding {
        RepairFinding(kind, message, reason: reason, about: .service(service), remedy)
    }

    static func warning(
        _ kind: Kind,
        _ reason: String,
        _ message: String,
        _ address: NetworkingV1.IPAddress
    ) -> RepairFinding {
        RepairFinding(
            kind,
            message,
            reason: reason,
            about: .address(address),
            .remove(address.metadata.name)
        )
    }
}
