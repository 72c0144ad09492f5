// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import ObjectModel
import Registry
import ResourceTable
import Scalars

/// A request for a resource, whatever face it came through: what it is routed and authorized by.
final class ResourceCall: Sendable {
    let entry: Registry.Entry
    /// The verb of the API: `get`, `list`, `create`, ...
    let verb: String
    /// Empty for cluster-scoped resources, and for all namespaces.
    let namespace: String
    /// Empty for collections.
    let name: String
    /// Empty for the object itself.
    let subresource: String
    /// Who asks; anonymous until that is known.
    let user: UserInfo

    init(
        entry: Registry.Entry,
        verb: String,
        namespace: String,
        name: String,
        subresource: String,
        user: UserInfo
    ) {
        self.entry = entry
        self.verb = verb
        self.namespace = namespace
        self.name = name
        self.subresource = subresource
        self.user = user
    }

    /// The same call by a user who has become known.
    func made(by user: UserInfo) -> ResourceCall {
        ResourceCall(
            entry: self.entry,
            verb: self.verb,
            namespace: self.namespace,
            name: self.name,
            subresource: self.subresource,
            user: user
        )
    }

    var resource: APIResource { self.entry.resource }
    var store: ResourceStore { self.entry.store }

    /// The part of the object that a write is about.
    var scope: UpdateScope {
        switch self.subresource {
        case "": .object
        case "status": .status
        default: .subresource(self.subresource)
        }
    }
}
