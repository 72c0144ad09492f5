// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules
public import ObjectModel
public import RequestInfo
public import ResourceTable

/// What a user wants to do. Source: apiserver `pkg/authorization/authorizer/interfaces.go`.
public struct AuthorizationAttributes: Sendable {
    public var user: UserInfo
    public var verb: String
    /// Whether it is about a resource, not about a path.
    public var isResourceRequest: Bool
    public var group = ""
    public var version = ""
    public var resource = ""
    public var subresource = ""
    public var namespace = ""
    public var name = ""
    public var path = ""
    /// The text of the field selector of a list, watch or deletecollection.
    public var fieldSelector = ""
    /// The text of the label selector of a list, watch or deletecollection.
    public var labelSelector = ""

    /// A request on a resource.
    public init(
        user: UserInfo,
        verb: String,
        group: String,
        version: String = "",
        resource: String,
        subresource: String = "",
        namespace: String = "",
        name: String = ""
    ) {
        self.user = user
        self.verb = verb
        self.isResourceRequest = true
        self.group = group
        self.version = version
        self.resource = resource
        self.subresource = subresource
        self.namespace = namespace
        self.name = name
    }

    /// A request on a path that is no resource.
    public init(user: UserInfo, verb: String, path: String) {
        self.user = user
        self.verb = verb
        self.isResourceRequest = false
        self.path = path
    }

    /// A request as it was routed.
    public init(user: UserInfo, _ request: RequestInfo) {
        self.user = user
        self.verb = request.verb
        self.isResourceRequest = request.isResourceRequest
        self.path = request.path
        guard request.isResourceRequest else { return }
        self.group = request.apiGroup
        self.version = request.apiVersion
        self.resource = request.resource
        self.subresource = request.subresource
        self.namespace = request.namespace
        self.name = request.name
        self.fieldSelector = request.fieldSelector
        self.labelSelector = request.labelSelector
    }

    /// Whether nothing is changed by it.
    public var isReadOnly: Bool {
        self.verb == "get" || self.verb == "list" || self.verb == "watch"
    }

    /// `pods/log`
    public var qualifiedResource: String {
        self.subresource.isEmpty ? self.resource : "\(self.resource)/\(self.subresource)"
    }

    public var groupResource: GroupResource {
        GroupResource(group: self.group, resource: self.resource)
    }
}

extension AuthorizationAttributes {
    /// What the user may not do, in upstream's words. Source: apiserver
    /// `pkg/endpoints/handlers/responsewriters/errors.go`.
    public var forbiddenText: String {
        let user = GoText.quoted(self.user.name)
        guard self.isResourceRequest else {
            return "User \(user) cannot \(self.verb) path \(GoText.quoted(self.path))"
        }
        let what =
            "User \(user) cannot \(self.verb) resource \(GoText.quoted(self.qualifiedResource))"
            + " in API group \(GoText.quoted(self.group))"
        return self.namespace.isEmpty
            ? "\(what) at the cluster scope"
            : "\(what) in the namespace \(GoText.quoted(self.namespace))"
    }

    /// The answer to a request that is not allowed.
    public func forbidden(reason: String) -> StatusError {
        let why = reason.isEmpty ? self.forbiddenText : "\(self.forbiddenText): \(reason)"
        return StatusError.forbidden(self.groupResource, self.name, why)
    }
}
