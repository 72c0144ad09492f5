// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import JSON
package import KubernetesAPI
package import Protobuf
import ResourceClient

extension MetaV1.ObjectMeta {
    /// The owner that controls the object.
    package var controller: MetaV1.OwnerReference? {
        self.ownerReferences.first { $0.controller == true }
    }

    /// Whether the object is controlled by the one of that UID.
    package func isControlled(by uid: String) -> Bool { self.controller?.uid == uid }
}

extension MetaV1.OwnerReference {
    /// The reference of an object to the one that controls it.
    package static func controller<Owner: Message>(_ owner: Owner) -> MetaV1.OwnerReference {
        let resource = ResourceName(of: Owner.self)
        let metadata = owner.objectMetadata
        return MetaV1.OwnerReference.with {
            $0.apiVersion = resource.apiVersion
            $0.kind = resource.kind
            $0.name = metadata.name
            $0.uid = metadata.uid
            $0.controller = true
            $0.blockOwnerDeletion = true
        }
    }

    /// The reference as patches have it.
    package var tree: DynamicValue {
        var tree: DynamicValue = [
            "apiVersion": DynamicValue(self.apiVersion),
            "kind": DynamicValue(self.kind),
            "name": DynamicValue(self.name),
            "uid": DynamicValue(self.uid),
        ]
        if let controller = self.controller { tree["controller"] = DynamicValue(controller) }
        if let blocks = self.blockOwnerDeletion {
            tree["blockOwnerDeletion"] = DynamicValue(blocks)
        }
        return tree
    }

    /// The API group of the owner.
    package var group: String {
        self.apiVersion.contains("/") ? String(self.apiVersion.prefix { $0 != "/" }) : ""
    }
}
