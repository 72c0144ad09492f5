// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import KubernetesAPI
import ObjectModel
import OpenAPI
import Registry
import RequestInfo
import ResourceTable

/// What both faces of the server work with.
final class ServerCore: Sendable {
    let registry: Registry
    let access: AccessControl
    let operations: Operations
    let discovery: Discovery
    let health: HealthChecks
    let limits: InFlightLimits
    let nodes: NodeConnections
    let usage: NodeUsage
    let metrics: ServerMetrics
    let openAPI: OpenAPIDocuments
    let requestTimeout: Duration

    init(
        registry: Registry,
        access: AccessControl,
        discovery: Discovery,
        health: HealthChecks,
        limits: InFlightLimits,
        nodes: NodeConnections,
        requestTimeout: Duration
    ) {
        self.requestTimeout = requestTimeout
        self.metrics = ServerMetrics(registry, limits)
        self.openAPI = OpenAPIDocuments(
            registry.table,
            version: ServerVersion.info.gitVersion
        )
        self.nodes = nodes
        self.usage = NodeUsage(nodes: nodes)
        self.limits = limits
        self.registry = registry
        self.access = access
        self.operations = Operations(registry: registry, access: access)
        self.discovery = discovery
        self.health = health
    }

    /// The answer of a path that leads nowhere.
    static let pageNotFound = StatusError(
        .notFound,
        code: 404,
        "the server could not find the requested resource"
    )

    /// The resource that a request is for, whoever makes it; nil when its path leads nowhere.
    func route(_ info: RequestInfo) -> ResourceCall? {
        guard info.apiPrefix == (info.apiGroup.isEmpty ? "api" : "apis") else { return nil }
        let version = APIGroup.apiVersion(info.apiGroup, info.apiVersion)
        guard let entry = self.registry.entry(apiVersion: version, plural: info.resource) else {
            return nil
        }
        let resource = entry.resource
        // The scope is part of the path (CVE-2019-11247).
        let isInNamespace = !info.namespace.isEmpty && info.resource != "namespaces"
        if resource.isNamespaced {
            // Without a namespace there is the collection of all.
            guard isInNamespace || (info.name.isEmpty && info.parts.count == 1) else {
                return nil
            }
        } else if isInNamespace {
            return nil
        }
        guard info.parts.count <= 3 || info.subresource == "proxy" else { return nil }
        if !info.subresource.isEmpty, resource.subresource(info.subresource) == nil { return nil }
        return ResourceCall(
            entry: entry,
            verb: info.verb,
            namespace: resource.isNamespaced ? info.namespace : "",
            name: info.parts.count > 1 ? info.name : "",
            subresource: info.subresource,
            user: .anonymous
        )
    }
}

// MARK: - Reviews

/// A request for something that is answered and not stored.
struct ReviewCall: Sendable {
    let resource: APIResource
    let endpoint: any ReviewEndpoint
    let context: ReviewContext
}

extension ServerCore {
    /// The review that a request is for; nil when it is for none.
    func review(_ info: RequestInfo, _ user: UserInfo, isDryRun: Bool) -> ReviewCall? {
        guard info.verb == "create", info.subresource.isEmpty, info.parts.count == 1 else {
            return nil
        }
        return self.review(
            apiVersion: APIGroup.apiVersion(info.apiGroup, info.apiVersion),
            plural: info.resource,
            namespace: info.namespace,
            user,
            isDryRun: isDryRun
        )
    }

    func review(
        apiVersion: String,
        plural: String,
        namespace: String,
        _ user: UserInfo,
        isDryRun: Bool
    ) -> ReviewCall? {
        guard
            let resource = self.registry.table.resource(apiVersion: apiVersion, plural: plural),
            resource.storage == nil, resource.isNamespaced == !namespace.isEmpty,
            let endpoint = self.access.parts.reviews[resource.groupResource]
        else { return nil }
        return ReviewCall(
            resource: resource,
            endpoint: endpoint,
            context: ReviewContext(
                user: user,
                namespace: namespace,
                isDryRun: isDryRun,
                now: .current()
            )
        )
    }
}

extension ServerCore {
    /// Whether a path is that of something that can be asked and is not stored, whatever the method.
    func isReviewPath(_ info: RequestInfo) -> Bool {
        guard info.parts.count == 1,
            let resource = self.registry.table.resource(
                apiVersion: APIGroup.apiVersion(info.apiGroup, info.apiVersion),
                plural: info.resource
            )
        else { return false }
        return resource.storage == nil && resource.isNamespaced == !info.namespace.isEmpty
    }
}

extension ReviewCall {
    /// Reads the body and answers it.
    func answer(
        _ body: RequestBody,
        _ options: WriteOptions
    ) async throws(StatusError) -> (APIObject, warnings: [String]) {
        var decoded = try BodyDecoder.decode(
            body,
            as: self.resource.schema,
            options.fieldValidation
        )
        ObjectRules.setDefaults(&decoded.object)
        return (try await self.endpoint.create(decoded.object, self.context), decoded.warnings)
    }
}

extension ResourceCall {
    /// Whether the request becomes a connection to a container.
    var isStream: Bool {
        switch self.subresource {
        case "exec", "attach", "portforward": self.resource.plural == "pods"
        default: false
        }
    }

    /// Whether the resource or subresource has the verb of the request.
    func isAllowedMethod(_ info: RequestInfo, _ method: String) -> Bool {
        // All namespaces together can be looked at, no more.
        if self.resource.isNamespaced, self.namespace.isEmpty {
            return info.verb == "list" || info.verb == "watch"
        }
        // Objects are created in their collection, and changed by their name.
        switch info.verb {
        case "create" where self.subresource.isEmpty: guard self.name.isEmpty else { return false }
        case "update", "patch": guard !self.name.isEmpty else { return false }
        default: break
        }
        let verbs: APIResource.Verbs
        if self.isStream {
            return ["get", "create"].contains(info.verb)
        }
        if self.subresource.isEmpty {
            verbs = self.resource.verbs
        } else {
            verbs = self.resource.subresource(self.subresource)?.verbs ?? []
        }
        return verbs.contains(info.verb)
    }
}
