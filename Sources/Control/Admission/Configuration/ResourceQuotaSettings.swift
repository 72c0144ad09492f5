// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import ObjectModel
import Protobuf
import Quotas
import ResourceTable

/// Resources that are there for those alone who have a quota for them.
///
/// Source: k8s.io/apiserver `pkg/admission/plugin/resourcequota/apis/resourcequota/types.go`.
public struct ResourceQuotaSettings: Sendable, Equatable {
    struct Limited: Sendable, Equatable {
        var resource: GroupResource
        /// Parts of the names of what has to be covered, such as `requests.storage`.
        var contained: [String]
        /// Scopes that have to be covered for the objects in them.
        var scopes: [CoreV1.ScopedResourceSelectorRequirement]
    }

    var limited: [Limited] = []

    public init() {}

    private static let versions = [
        "apiserver.config.k8s.io/v1", "resourcequota.admission.k8s.io/v1",
        "resourcequota.admission.k8s.io/v1beta1", "resourcequota.admission.k8s.io/v1alpha1",
    ]
    private static let kinds = ["ResourceQuotaConfiguration", "Configuration"]
    private static let operators = ["In", "NotIn", "Exists", "DoesNotExist"]

    init(_ settings: SettingsReader) throws(AdmissionSettingsError) {
        var settings = settings
        let kind = try settings.string("kind")
        try settings.expect(Self.kinds.contains(kind) ? kind : Self.kinds[0], Self.versions)
        for var item in try settings.objects("limitedResources") {
            let resource = try item.string("resource")
            if resource.isEmpty {
                throw .invalid(item.name("resource"), "\(GoText.quoted("")): must not be empty")
            }
            var scopes: [CoreV1.ScopedResourceSelectorRequirement] = []
            for var scope in try item.objects("matchScopes") {
                let name = try scope.string("scopeName")
                let word = try scope.string("operator")
                guard Self.operators.contains(word) else {
                    throw .invalid(
                        scope.name("operator"),
                        "\(GoText.quoted(word)): must be one of "
                            + Self.operators.joined(separator: ", ")
                    )
                }
                let values = try scope.strings("values")
                try scope.finish()
                scopes.append(
                    CoreV1.ScopedResourceSelectorRequirement.with {
                        $0.scopeName = name
                        $0.operator = word
                        for value in values { $0.values.append(value) }
                    }
                )
            }
            self.limited.append(
                Limited(
                    resource: GroupResource(
                        group: try item.string("apiGroup"),
                        resource: resource
                    ),
                    contained: try item.strings("matchContains"),
                    scopes: scopes
                )
            )
            try item.finish()
        }
        try settings.finish()
    }

    // MARK: - Coverage

    /// Why an object may not be made: nobody has given its namespace a quota for it.
    ///
    /// - Parameter quotas: those of the namespace.
    func refusal(
        _ resource: GroupResource,
        _ object: APIObject,
        delta: @autoclosure () -> ResourceAmounts,
        _ quotas: [CoreV1.ResourceQuota]
    ) -> String? {
        let limited = self.limited.filter { $0.resource == resource }
        if limited.isEmpty { return nil }
        let covered = quotas.filter { ObjectUsage.matches($0, object) }
            .reduce(into: Set<String>()) { names, quota in
                for (name, _) in quota.status.hard { names.insert(name) }
            }
        let missing = delta().keys.filter { name in
            !covered.contains(name)
                && limited.contains { $0.contained.contains { Self.contains(name, $0) } }
        }.sorted()
        if !missing.isEmpty {
            return "insufficient quota to consume: \(missing.joined(separator: ","))"
        }
        guard let pod: CoreV1.Pod = object.message() else { return nil }
        let known = quotas.reduce(into: Set<String>()) { names, quota in
            for scope in ObjectUsage.scopes(of: quota) where ObjectUsage.isIn(scope, pod) {
                names.insert(scope.scopeName)
            }
        }
        let open = limited.flatMap(\.scopes).filter {
            ObjectUsage.isIn($0, pod) && !known.contains($0.scopeName)
        }
        if open.isEmpty { return nil }
        let texts = open.map { scope in
            "{\(scope.scopeName) \(scope.operator) [\(scope.values.joined(separator: " "))]}"
        }
        return "insufficient quota to match these scopes: [\(texts.joined(separator: " "))]"
    }

    private static func contains(_ text: String, _ part: String) -> Bool {
        part.isEmpty
            || text.indices.contains { text[$0...].hasPrefix(part) }
    }
}
