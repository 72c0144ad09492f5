// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KubernetesAPI
import ObjectModel
public import Protobuf

extension Message {
    /// The metadata of an object of the API; empty for a message without any.
    public var objectMetadata: MetaV1.ObjectMeta { APIObject(self).metadata }

    /// The object's place among those of its resource.
    public var objectKey: ObjectKey { ObjectKey(self.objectMetadata) }
}
