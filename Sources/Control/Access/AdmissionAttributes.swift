// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KubernetesAPI
public import ObjectModel
public import ResourceTable
public import Scalars

/// What is done to an object, as admission sees it. Source: apiserver `pkg/admission/attributes.go`.
public struct AdmissionAttributes: Sendable {
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        case create = "CREATE"
        case update = "UPDATE"
        case delete = "DELETE"
        case connect = "CONNECT"
    }

    public var operation: Operation
    public var resource: GroupResource
    public var subresource: String
    /// The kind of the object, in the version of the request.
    public var kind: GroupVersionKind
    /// Empty for what has none.
    public var namespace: String
    /// Empty for a create with a generated name.
    public var name: String
    /// What is written, in the version of the request; nil for a delete. For a subresource with a
    /// body of its own, such as `pods/binding`, that body.
    public var object: APIObject?
    /// What it replaces or deletes, in the same version; nil for a create.
    public var oldObject: APIObject?
    public var options: Options
    public var user: UserInfo
    public var isDryRun: Bool
    /// The time of the request.
    public var now: Timestamp
    /// Texts for `Warning` headers of the answer.
    public private(set) var warnings: [String] = []
    /// What audit is to note, by `<plugin>/<key>`.
    public private(set) var auditAnnotations: [String: String] = [:]

    /// The options of the request.
    public enum Options: Sendable {
        case none
        case create(MetaV1.CreateOptions)
        case update(MetaV1.UpdateOptions)
        case patch(MetaV1.PatchOptions)
        case delete(MetaV1.DeleteOptions)
        /// Those of exec, attach, port-forward and proxy.
        case connect(APIObject)
    }

    public init(
        _ operation: Operation,
        _ resource: GroupResource,
        subresource: String = "",
        kind: GroupVersionKind,
        namespace: String,
        name: String,
        object: APIObject? = nil,
        oldObject: APIObject? = nil,
        options: Options = .none,
        user: UserInfo,
        isDryRun: Bool = false,
        now: Timestamp
    ) {
        self.operation = operation
        self.resource = resource
        self.subresource = subresource
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.object = object
        self.oldObject = oldObject
        self.options = options
        self.user = user
        self.isDryRun = isDryRun
        self.now = now
    }

    /// Adds a text to the answer's `Warning` headers.
    public mutating func warn(_ text: String) {
        if !self.warnings.contains(text) { self.warnings.append(text) }
    }

    /// Adds a note for audit.
    public mutating func annotate(_ key: String, _ value: String) {
        self.auditAnnotations[key] = value
    }

    /// The refusal of the request, in upstream's words: `pods "a" is forbidden: …`. Source:
    /// apiserver `pkg/admission/errors.go`.
    public func forbidden(_ why: String) -> StatusError {
        let generateName = self.object?.metadata.generateName ?? ""
        var name = self.name
        if name.isEmpty { name = self.object?.metadata.name ?? "" }
        if name.isEmpty, !generateName.isEmpty { name = generateName }
        return StatusError.forbidden(self.resource, name.isEmpty ? "Unknown" : name, why)
    }
}
