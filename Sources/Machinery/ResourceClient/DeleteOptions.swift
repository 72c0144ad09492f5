// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ApusAPI
import Protobuf

/// How an object is deleted.
public struct DeleteOptions: Sendable, Hashable {
    public var gracePeriodSeconds: Int64?
    /// What happens to the objects that it owns.
    public var propagation: ApusResource.Propagation
    /// Only the object with this UID.
    public var uid: String?
    /// Only this version of it.
    public var resourceVersion: String?

    public init(
        gracePeriodSeconds: Int64? = nil,
        propagation: ApusResource.Propagation = .unspecified,
        uid: String? = nil,
        resourceVersion: String? = nil
    ) {
        self.gracePeriodSeconds = gracePeriodSeconds
        self.propagation = propagation
        self.uid = uid
        self.resourceVersion = resourceVersion
    }

    var message: ApusResource.DeleteOptions {
        ApusResource.DeleteOptions.with {
            $0.gracePeriodSeconds = self.gracePeriodSeconds
            $0.propagation = self.propagation
            $0.answer = .none
            guard self.uid != nil || self.resourceVersion != nil else { return }
            $0.preconditions = ApusResource.Preconditions.with {
                $0.uid = self.uid
                $0.resourceVersion = self.resourceVersion
            }
        }
    }
}

/// What a delete has done.
public struct Deletion: Sendable, Hashable {
    /// Nothing is left of the object; else it waits for finalizers or its grace period.
    public var isGone: Bool
    /// Of the deletion, or of the object as it is marked.
    public var resourceVersion: String
}
