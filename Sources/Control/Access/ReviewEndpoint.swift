// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ObjectModel
public import Scalars

/// A resource or subresource whose create computes an answer and stores nothing: the access
/// reviews, TokenReview, SelfSubjectReview, and the `token` of service accounts.
public protocol ReviewEndpoint: Sendable {
    /// Answers a create.
    ///
    /// - Parameter object: the body, defaulted and validated by the generic rules.
    /// - Returns: an object of the same type with its status filled in.
    func create(
        _ object: APIObject,
        _ context: ReviewContext
    ) async throws(StatusError) -> APIObject
}

/// Where a review is asked for, and by whom.
public struct ReviewContext: Sendable {
    public var user: UserInfo
    /// The namespace in the path; empty without one.
    public var namespace: String
    /// The name in the path: that of the service account for its `token`.
    public var name: String
    public var isDryRun: Bool
    public var now: Timestamp

    public init(
        user: UserInfo,
        namespace: String = "",
        name: String = "",
        isDryRun: Bool = false,
        now: Timestamp
    ) {
        self.user = user
        self.namespace = namespace
        self.name = name
        self.isDryRun = isDryRun
        self.now = now
    }
}
