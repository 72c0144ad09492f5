// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Informers
import KubernetesAPI
package import Protobuf
import ResourceClient

/// Objects by who controls them, from an index: a controller finds its own without looking at all.
package struct OwnedObjects<Object: Message>: Sendable {
    package let informer: Informer<Object>
    private static var index: String { "controller" }

    package init(_ informer: Informer<Object>) {
        self.informer = informer
        informer.addIndex(Self.index) { object in
            let metadata = object.objectMetadata
            return [metadata.controller?.uid ?? "/\(metadata.namespace)"]
        }
    }

    /// What the owner of that UID controls.
    package func owned(by uid: String) -> [Object] {
        self.informer.list(index: Self.index, uid)
    }

    /// What nobody controls in a namespace.
    package func orphans(in namespace: String) -> [Object] {
        self.informer.list(index: Self.index, "/\(namespace)")
    }
}
