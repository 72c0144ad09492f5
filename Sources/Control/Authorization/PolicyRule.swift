// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Access
import KubernetesAPI
import NameRules
import Protobuf

/// A rule of a role, taken out of its message once so that requests are matched against arrays.
///
/// Source: kubernetes `pkg/apis/rbac/v1/evaluation_helpers.go`.
package struct PolicyRule: Sendable, Hashable {
    package var verbs: [String] = []
    package var apiGroups: [String] = []
    package var resources: [String] = []
    package var resourceNames: [String] = []
    package var paths: [String] = []

    package init(
        verbs: [String],
        apiGroups: [String] = [],
        resources: [String] = [],
        resourceNames: [String] = [],
        paths: [String] = []
    ) {
        self.verbs = verbs
        self.apiGroups = apiGroups
        self.resources = resources
        self.resourceNames = resourceNames
        self.paths = paths
    }

    /// What allows everything; wildcards in a rule stand for all of their kind.
    static let wildcard = "*"
}

// MARK: - Messages

extension PolicyRule {
    init(_ rule: RbacV1.PolicyRule) {
        self.init(
            verbs: Array(rule.verbs),
            apiGroups: Array(rule.apiGroups),
            resources: Array(rule.resources),
            resourceNames: Array(rule.resourceNames),
            paths: Array(rule.nonResourceURLs)
        )
    }

    /// The rule as the API has it.
    var message: RbacV1.PolicyRule {
        .with {
            $0.verbs.append(contentsOf: self.verbs)
            $0.apiGroups.append(contentsOf: self.apiGroups)
            $0.resources.append(contentsOf: self.resources)
            $0.resourceNames.append(contentsOf: self.resourceNames)
            $0.nonResourceURLs.append(contentsOf: self.paths)
        }
    }
}

// MARK: - Matching

extension PolicyRule {
    /// Whether the rule allows a request.
    package func allows(_ request: AuthorizationAttributes) -> Bool {
        guard Self.matches(self.verbs, request.verb) else { return false }
        guard request.isResourceRequest else { return self.matches(path: request.path) }
        return Self.matches(self.apiGroups, request.group)
            && self.matches(resource: request.resource, subresource: request.subresource)
            && (self.resourceNames.isEmpty || self.resourceNames.contains(request.name))
    }

    private static func matches(_ values: [String], _ value: String) -> Bool {
        values.contains { $0 == value || $0 == self.wildcard }
    }

    private func matches(resource: String, subresource: String) -> Bool {
        if subresource.isEmpty { return Self.matches(self.resources, resource) }
        return self.resources.contains {
            $0 == Self.wildcard || $0 == "\(resource)/\(subresource)"
                || $0 == "\(Self.wildcard)/\(subresource)"
        }
    }

    private func matches(path: String) -> Bool {
        self.paths.contains { Self.path($0, covers: path) }
    }

    /// Whether a path of a rule, which may end in a wildcard, covers another.
    private static func path(_ pattern: String, covers path: String) -> Bool {
        pattern == self.wildcard || pattern == path
            || pattern.hasSuffix(self.wildcard) && path.hasPrefix(pattern.dropLast())
    }
}

// MARK: - Covering

extension PolicyRule {
    /// The rule as rules with one verb and one resource, name or path each.
    var parts: [PolicyRule] {
        var parts: [PolicyRule] = []
        for group in self.apiGroups {
            for resource in self.resources {
                for verb in self.verbs {
                    let part = PolicyRule(
                        verbs: [verb],
                        apiGroups: [group],
                        resources: [resource]
                    )
                    if self.resourceNames.isEmpty { parts.append(part) }
                    for name in self.resourceNames {
                        var named = part
                        named.resourceNames = [name]
                        parts.append(named)
                    }
                }
            }
        }
        for path in self.paths {
            for verb in self.verbs { parts.append(PolicyRule(verbs: [verb], paths: [path])) }
        }
        return parts
    }

    /// Whether everything that a part of another rule allows is allowed by this one.
    func covers(_ part: PolicyRule) -> Bool {
        Self.covers(self.verbs, part.verbs)
            && Self.covers(self.apiGroups, part.apiGroups)
            && self.coversResources(part.resources)
            && (self.resourceNames.isEmpty
                || !part.resourceNames.isEmpty
                    && part.resourceNames.allSatisfy(self.resourceNames.contains))
            && part.paths.allSatisfy { path in
                self.paths.contains { Self.path($0, covers: path) }
            }
    }

    private static func covers(_ owned: [String], _ wanted: [String]) -> Bool {
        owned.contains(self.wildcard) || wanted.allSatisfy(owned.contains)
    }

    private func coversResources(_ wanted: [String]) -> Bool {
        if self.resources.contains(Self.wildcard) { return true }
        return wanted.allSatisfy { resource in
            if self.resources.contains(resource) { return true }
            guard let slash = resource.firstIndex(of: "/") else { return false }
            return self.resources.contains(Self.wildcard + resource[slash...])
        }
    }

    /// What of `wanted` is not covered by `owned`.
    static func uncovered(_ wanted: [PolicyRule], by owned: [PolicyRule]) -> [PolicyRule] {
        wanted.flatMap(\.parts).filter { part in !owned.contains { $0.covers(part) } }
    }

    /// Parts of one resource joined, with all their verbs. Source: kubernetes
    /// `pkg/registry/rbac/validation/policy_compact.go`.
    static func compacted(_ parts: [PolicyRule]) -> [PolicyRule] {
        var joined: [PolicyRule] = []
        var places: [PolicyRule: Int] = [:]
        for part in parts {
            guard part.apiGroups.count == 1, part.resources.count == 1 else {
                joined.append(part)
                continue
            }
            var key = part
            key.verbs = []
            if let place = places[key] {
                joined[place].verbs += part.verbs
            } else {
                places[key] = joined.count
                joined.append(part)
            }
        }
        return joined
    }
}

extension PolicyRule: CustomStringConvertible {
    /// As Go prints it: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`.
    package var description: String {
        let parts = [
            ("APIGroups", self.apiGroups), ("Resources", self.resources),
            ("NonResourceURLs", self.paths), ("ResourceNames", self.resourceNames),
            ("Verbs", self.verbs),
        ].filter { !$0.1.isEmpty }
        return "{\(parts.map { "\($0.0):\(Self.quoted($0.1))" }.joined(separator: ", "))}"
    }

    /// A list of texts as Go's `%q` prints it.
    static func quoted(_ texts: [String]) -> String {
        "[\(texts.map(GoText.quoted).joined(separator: " "))]"
    }
}
