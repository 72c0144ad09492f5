// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Protobuf

/// A change of the objects that an informer knows. Objects are shared: nobody changes them.
public enum InformerEvent<Object: Message>: Sendable {
    case added(Object)
    case updated(old: Object, new: Object)
    /// - isFinalStateKnown: false when the deletion itself was missed, and the object is as it was
    ///   when it was last seen.
    case deleted(Object, isFinalStateKnown: Bool)

    /// The object as it is now, or was last.
    public var object: Object {
        switch self {
        case .added(let object), .updated(_, let object), .deleted(let object, _): object
        }
    }
}
