// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules
import Selectors

/// What a request asks for, read from its method and target alone: the attributes that it is routed
/// and authorized by.
///
/// Source: upstream k8s.io/apiserver 0.36 `pkg/endpoints/request/requestinfo.go`.
public struct RequestInfo: Sendable {
    /// Whether the path names a resource of the API.
    public var isResourceRequest = false

    /// The decoded path.
    public var path: String

    /// The verb of the API (`get`, `list`, `watch`, `create`, `update`, `patch`, `delete`,
    /// `deletecollection`, `proxy`), the HTTP method in lower case for other paths, or empty for a
    /// method that means nothing to a resource.
    public var verb: String

    /// `api`, `apis` or empty.
    public var apiPrefix = ""
    public var apiGroup = ""
    public var apiVersion = ""
    public var namespace = ""

    /// The plural name of the resource.
    public var resource = ""
    public var subresource = ""

    /// The name in the path, or the one that a field selector asks for.
    public var name = ""

    /// The segments of the path from the resource on.
    public var parts: ArraySlice<String> = []

    /// The text of the field selector, for verbs that honour it.
    public var fieldSelector = ""

    /// The text of the label selector, for verbs that honour it.
    public var labelSelector = ""

    /// The options of a list or watch as they were read to tell one from the other, not yet
    /// defaulted or validated; nil for requests of other kinds.
    public var listOptions: Result<ListOptions, ParameterError>?

    /// Whether a segment after a namespace is a subresource of it and not a resource in it.
    static func isNamespaceSubresource(_ segment: String) -> Bool {
        segment == "status" || segment == "finalize"
    }

    /// Reads the attributes of a request.
    ///
    /// - Parameter method: the HTTP method as it came.
    public init(method: String, target: RequestTarget) throws(RequestInfoError) {
        self.path = target.path
        let segments = target.segments
        let isGroupless = segments.first == "api"
        // The segment of the resource, or of the verb before it.
        var index = isGroupless ? 2 : 3
        guard segments.count > index, isGroupless || segments.first == "apis" else {
            self.verb = Self.lowercased(method)
            return
        }
        self.apiPrefix = segments[0]
        if !isGroupless { self.apiGroup = segments[1] }
        self.isResourceRequest = true
        self.apiVersion = segments[index - 1]
        let isVerbInPath = segments[index] == "proxy" || segments[index] == "watch"
        if isVerbInPath {
            guard segments.count > index + 1 else { throw RequestInfoError(target: target) }
            self.verb = segments[index]
            index += 1
        } else {
            self.verb = Self.verb(of: method)
        }
        self.readResource(segments[index...])
        self.readCollectionVerb(target.query)
        if !isVerbInPath, !target.query.isEmpty, Self.honoursSelectors(self.verb) {
            self.fieldSelector = target.query.string("fieldSelector")
            self.labelSelector = target.query.string("labelSelector")
        }
    }

    private static func honoursSelectors(_ verb: String) -> Bool {
        verb == "list" || verb == "watch" || verb == "deletecollection"
    }

    /// Reads namespace, resource, name and subresource.
    private mutating func readResource(_ segments: ArraySlice<String>) {
        var start = segments.startIndex
        if segments.count > 1, segments[start] == "namespaces" {
            self.namespace = segments[start + 1]
            if segments.count > 2, !Self.isNamespaceSubresource(segments[start + 2]) { start += 2 }
        }
        self.parts = segments[start...]
        self.resource = segments[start]
        if start + 1 < segments.endIndex { self.name = segments[start + 1] }
        if start + 2 < segments.endIndex, self.verb != "proxy" {
            self.subresource = segments[start + 2]
        }
    }

    /// A request without a name is for a collection.
    private mutating func readCollectionVerb(_ query: QueryParameters) {
        guard self.name.isEmpty else { return }
        if self.verb == "delete" { self.verb = "deletecollection" }
        guard self.verb == "get" else { return }
        if query.isEmpty {
            self.verb = "list"
            self.listOptions = .success(ListOptions())
            return
        }
        do throws(ParameterError) {
            let options = try ListOptions(parsing: query)
            self.verb = options.watch ? "watch" : "list"
            if let name = options.fieldSelector.requiredValue(of: "metadata.name"),
                Formats.isPathSegmentName(name)
            {
                self.name = name
            }
            self.listOptions = .success(options)
        } catch {
            // The request will fail on its options; what it may do is asked for all the same.
            let watch = query.first("watch").map(Self.lowercased)
            self.verb = watch == nil || watch == "false" || watch == "0" ? "list" : "watch"
            self.listOptions = .failure(error)
        }
    }

    /// The verb of a method on a resource.
    private static func verb(of method: String) -> String {
        switch method {
        case "POST": "create"
        case "GET", "HEAD": "get"
        case "PUT": "update"
        case "PATCH": "patch"
        case "DELETE": "delete"
        default: ""
        }
    }

    private static func lowercased(_ text: String) -> String {
        switch text {
        case "GET": "get"
        case "POST": "post"
        case "PUT": "put"
        default: text.lowercased()
        }
    }
}

extension RequestInfo {
    /// Whether the request only reads, for limits by class of request.
    public var isReadOnly: Bool {
        switch self.verb {
        case "get", "list", "watch": true
        default: false
        }
    }

    /// The resource with its subresource: `pods/log`.
    public var qualifiedResource: String {
        self.subresource.isEmpty ? self.resource : "\(self.resource)/\(self.subresource)"
    }
}

/// A path that has a special verb and nothing behind it: 500 with this description, as upstream.
public struct RequestInfoError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    init(target: RequestTarget) {
        let query = target.rawQuery.isEmpty ? "" : "?" + target.rawQuery
        self.description =
            "unable to determine kind and namespace from url, \(target.path)\(query)"
    }
}
