// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import ObjectModel
import Registry
import RequestInfo
import ResourceTable

/// What both faces of the server work with.
struct ServerCore: Sendable {
    let registry: Registry
    let access: AccessControl
    let operations: Operations
    let discovery: Discovery
    let health: HealthChecks

    init(registry: Registry, access: AccessControl, discovery: Discovery, health: HealthChecks) {
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

    /// The resource that a request is for; nil when its path leads nowhere.
    func route(_ info: RequestInfo, _ user: CallerIdentity) throws(StatusError) -> ResourceCall? {
        guard info.apiPrefix == (info.apiGroup.isEmpty ? "api" : "apis") else { return nil }
        let version = APIGroup.apiVersion(info.apiGroup, info.apiVersion)
        guard let entry = self.registry.entry(apiVersion: version, plural: info.resource) else {
            return nil
        }
        let resource = entry.resource
        // The scope is part of the path (CVE-2019-11247).
        let isInNamespace = !info.namespace.isEmpty && info.resource != "namespaces"
        if resource.isNamespaced {
            let isCollection = info.verb == "list" || info.verb == "watch"
            guard isInNamespace || (info.name.isEmpty && info.parts.count == 1 && isCollection)
            else {
                // Creating without a namespace, and the like.
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
            user: user
        )
    }
}

extension ResourceCall {
    /// Whether the resource or subresource has the verb of the request.
    func isAllowedMethod(_ info: RequestInfo, _ method: String) -> Bool {
        let verbs: APIResource.Verbs
        if self.subresource.isEmpty {
            verbs = self.resource.verbs
        } else {
            verbs = self.resource.subresource(self.subresource)?.verbs ?? []
        }
        return verbs.names.contains(info.verb)
    }
}
