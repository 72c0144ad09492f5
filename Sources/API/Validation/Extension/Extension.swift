// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

// Source: upstream `pkg/apis/{admissionregistration,flowcontrol,networking}/validation`,
// kube-aggregator and apiextensions.

extension KindRules {
    static var `extension`: [String: KindRules] {
        Dictionary(uniqueKeysWithValues: [
            self.of(AdmissionregistrationV1.ValidatingWebhookConfiguration.self) {
                errors,
                configuration in
                errors.validateWebhooks(configuration.webhooks.map(Webhook.init))
            },
            self.of(AdmissionregistrationV1.MutatingWebhookConfiguration.self) {
                errors,
                configuration in
                errors.validateWebhooks(configuration.webhooks.map(Webhook.init))
                errors.forEach("webhooks", in: configuration.webhooks) { errors, webhook in
                    errors.oneOf(
                        "reinvocationPolicy",
                        webhook.reinvocationPolicy,
                        ifPresent: ["IfNeeded", "Never"]
                    )
                }
            },
            self.ofSpec(FlowcontrolV1.FlowSchema.self, spec: { $0.validateFlow($1.spec) }),
            self.ofSpec(
                FlowcontrolV1.PriorityLevelConfiguration.self,
                spec: { $0.validateLevel($1.spec) }
            ),
            self.of(ApiregistrationV1.APIService.self) { $0.validateService($1) },
            self.of(ApiextensionsV1.CustomResourceDefinition.self) { errors, definition in
                errors.validateDefinition(definition)
            } update: { errors, new, old, subresource in
                if subresource == nil { errors.validateDefinitionUpdate(new, old: old) }
            },
            self.of(NetworkingV1.IPAddress.self) { errors, address in
                errors.validateParent(address)
            } update: { errors, new, old, _ in
                errors.within("spec") { errors in
                    errors.immutable(at: "parentRef", new.spec.parentRef, old.spec.parentRef)
                }
            },
            self.ofSpec(
                NetworkingV1.ServiceCIDR.self,
                spec: { $0.validateRanges($1.spec.cidrs) },
                update: { $0.validateRangesUpdate($1.spec.cidrs, old: $2.spec.cidrs) }
            ),
        ])
    }
}

/// What the two kinds of webhooks have in common.
struct Webhook {
    let name: String
    let client: AdmissionregistrationV1.WebhookClientConfig
    let rules: RepeatedField<AdmissionregistrationV1.RuleWithOperations>
    let failurePolicy: String?
    let matchPolicy: String?
    let namespaceSelector: MetaV1.LabelSelector?
    let objectSelector: MetaV1.LabelSelector?
    let sideEffects: String?
    let timeoutSeconds: Int32?
    let versions: RepeatedField<String>
    let conditions: RepeatedField<AdmissionregistrationV1.MatchCondition>

    init(_ webhook: AdmissionregistrationV1.ValidatingWebhook) {
        self.name = webhook.name
        self.client = webhook.clientConfig
        self.rules = webhook.rules
        self.failurePolicy = webhook.failurePolicy
        self.matchPolicy = webhook.matchPolicy
        self.namespaceSelector = webhook.namespaceSelector
        self.objectSelector = webhook.objectSelector
        self.sideEffects = webhook.sideEffects
        self.timeoutSeconds = webhook.timeoutSeconds
        self.versions = webhook.admissionReviewVersions
        self.conditions = webhook.matchConditions
    }

    init(_ webhook: AdmissionregistrationV1.MutatingWebhook) {
        self.name = webhook.name
        self.client = webhook.clientConfig
        self.rules = webhook.rules
        self.failurePolicy = webhook.failurePolicy
        self.matchPolicy = webhook.matchPolicy
        self.namespaceSelector = webhook.namespaceSelector
        self.objectSelector = webhook.objectSelector
        self.sideEffects = webhook.sideEffects
        self.timeoutSeconds = webhook.timeoutSeconds
        self.versions = webhook.admissionReviewVersions
        self.conditions = webhook.matchConditions
    }
}

extension FieldErrors {
    // MARK: - Webhooks

    mutating func validateWebhooks(_ webhooks: [Webhook]) {
        var names: Set<String> = []
        for (index, webhook) in webhooks.enumerated() {
            self.within("webhooks", index: index) { errors in
                errors.validate(webhook)
                if !webhook.name.isEmpty && !names.insert(webhook.name).inserted {
                    errors.duplicate(at: "name", .string(webhook.name))
                }
            }
        }
    }

    private mutating func validate(_ webhook: Webhook) {
        self.add(Formats.fullyQualifiedName(self.path.child("name"), webhook.name))
        if webhook.versions.isEmpty {
            self.required(
                at: "admissionReviewVersions",
                "must specify one of v1, v1beta1"
            )
        } else if !webhook.versions.contains("v1") && !webhook.versions.contains("v1beta1") {
            self.invalid(
                at: "admissionReviewVersions",
                .init(webhook.versions),
                "must include at least one of v1, v1beta1"
            )
        }
        self.forEach("rules", in: webhook.rules) { $0.validateRule($1) }
        self.oneOf("failurePolicy", webhook.failurePolicy, ifPresent: ["Fail", "Ignore"])
        self.oneOf("matchPolicy", webhook.matchPolicy, ifPresent: ["Equivalent", "Exact"])
        if let effects = webhook.sideEffects {
            self.oneOf("sideEffects", effects, ifPresent: ["None", "NoneOnDryRun"])
        } else {
            self.required(
                at: "sideEffects",
                "must specify one of None, NoneOnDryRun"
            )
        }
        if let seconds = webhook.timeoutSeconds,
            !(1...Int32(APILimits.webhookTimeoutMax)).contains(seconds)
        {
            self.invalid(
                at: "timeoutSeconds",
                .number(seconds),
                "the timeout value must be between 1 and 30 seconds"
            )
        }
        self.ifPresent("namespaceSelector", webhook.namespaceSelector) { $0.validateSelector($1) }
        self.ifPresent("objectSelector", webhook.objectSelector) { $0.validateSelector($1) }
        self.within("clientConfig") { errors in
            switch (webhook.client.url, webhook.client.service) {
            case (nil, nil), (_?, _?):
                errors.required("exactly one of url or service is required")
            case (let url?, nil):
                errors.validateURL("url", url)
            case (nil, let service?):
                errors.within("service") { errors in
                    errors.mustHave(
                        "name",
                        service.name,
                        "service name is required"
                    )
                    errors.mustHave(
                        "namespace",
                        service.namespace,
                        "service namespace is required"
                    )
                    if let path = service.path, !path.hasPrefix("/") {
                        errors.invalid(at: "path", .string(path), "must start with a '/'")
                    }
                    if let port = service.port, !Formats.portNumber(Int64(port)).isEmpty {
                        errors.invalid(
                            at: "port",
                            .number(port),
                            "port is not valid: "
                                + Formats.portNumber(Int64(port)).joined(separator: ",")
                        )
                    }
                }
            }
        }
        if webhook.conditions.count > APILimits.webhookMatchConditionsMax {
            self.tooMany(
                at: "matchConditions",
                count: webhook.conditions.count,
                limit: APILimits.webhookMatchConditionsMax
            )
        }
        var names: Set<String> = []
        self.forEach("matchConditions", in: webhook.conditions) { errors, condition in
            errors.mustHave("expression", condition.expression.trimmed)
            if condition.name.isEmpty {
                errors.required(at: "name")
            } else {
                errors.invalid(
                    at: "name",
                    .string(condition.name),
                    Formats.labelKey(condition.name)
                )
                if !names.insert(condition.name).inserted {
                    errors.duplicate(at: "name", .string(condition.name))
                }
            }
        }
    }

    private mutating func validateURL(_ name: String, _ url: String) {
        guard url.hasPrefix("https://") else {
            self.invalid(
                at: name,
                .string(url),
                "'https' is the only allowed URL scheme; desired format: https://host[/path]"
            )
            return
        }
        let rest = url.dropFirst("https://".count)
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if host.isEmpty {
            self.invalid(
                at: name,
                .string(url),
                "host must be specified; desired format: https://host[/path]"
            )
        }
        if host.contains("@") {
            self.invalid(
                at: name,
                .string(url),
                "user information is not permitted in the URL; desired format: https://host[/path]"
            )
        }
        if rest.contains("#") {
            self.invalid(
                at: name,
                .string(url),
                "fragments are not permitted in the URL; desired format: https://host[/path]"
            )
        }
        if rest.contains("?") {
            self.invalid(
                at: name,
                .string(url),
                "query parameters are not permitted in the URL; desired format: https://host[/path]"
            )
        }
    }

    private mutating func validateRule(_ rule: AdmissionregistrationV1.RuleWithOperations) {
        let operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]
        if rule.operations.isEmpty { self.required(at: "operations") }
        if rule.operations.contains("*") && rule.operations.count > 1 {
            self.invalid(
                at: "operations",
                .init(rule.operations),
                "if '*' is present, must not specify other operations"
            )
        }
        self.forEach("operations", in: rule.operations) { errors, operation in
            if !operations.contains(operation) {
                errors.notSupported(.string(operation), supported: operations)
            }
        }
        for (name, list, words) in [
            (
                "apiGroups", rule.rule.apiGroups,
                "if '*' is present, must not specify other API groups"
            ),
            (
                "apiVersions", rule.rule.apiVersions,
                "if '*' is present, must not specify other API versions"
            ),
        ] {
            if list.isEmpty { self.required(at: name) }
            if list.contains("*") && list.count > 1 {
                self.invalid(at: name, .init(list), words)
            }
        }
        self.forEach("apiVersions", in: rule.rule.apiVersions) { errors, version in
            if version.isEmpty { errors.required() }
        }
        if rule.rule.resources.isEmpty { self.required(at: "resources") }
        self.forEach("resources", in: rule.rule.resources) { errors, resource in
            if resource.isEmpty { errors.required() }
        }
        if let scope = rule.rule.scope {
            self.oneOf("scope", scope, ifPresent: ["*", "Cluster", "Namespaced"])
        }
    }

    // MARK: - Flow control

    mutating func validateFlow(_ spec: FlowcontrolV1.FlowSchemaSpec) {
        let most = Int32(APILimits.flowSchemaPrecedenceMax)
        if spec.matchingPrecedence <= 0 {
            self.invalid(
                at: "matchingPrecedence",
                .number(spec.matchingPrecedence),
                "must be a positive value"
            )
        }
        if spec.matchingPrecedence > most {
            self.invalid(
                at: "matchingPrecedence",
                .number(spec.matchingPrecedence),
                "must not be greater than \(most)"
            )
        }
        if let method = spec.distinguisherMethod {
            self.within("distinguisherMethod") { errors in
                errors.oneOf(
                    "type",
                    method.type,
                    ifPresent: ["ByNamespace", "ByUser"]
                )
            }
        }
        if spec.priorityLevelConfiguration.name.isEmpty {
            self.within("priorityLevelConfiguration") {
                $0.required(at: "name", "must reference a priority level")
            }
        }
        self.forEach("rules", in: spec.rules) { errors, rule in
            if rule.subjects.isEmpty {
                errors.required(at: "subjects", "subjects must contain at least one value")
            }
            errors.forEach("subjects", in: rule.subjects) { errors, subject in
                let kinds = [
                    "Group": subject.group != nil, "ServiceAccount": subject.serviceAccount != nil,
                    "User": subject.user != nil,
                ]
                guard let isSet = kinds[subject.kind] else {
                    errors.notSupported(
                        at: "kind",
                        .string(subject.kind),
                        supported: kinds.keys.sorted()
                    )
                    return
                }
                if !isSet {
                    let field = subject.kind.prefix(1).lowercased() + subject.kind.dropFirst()
                    errors.required(
                        at: field,
                        "\(field) is required when subject kind is '\(subject.kind)'"
                    )
                }
            }
            if rule.resourceRules.isEmpty && rule.nonResourceRules.isEmpty {
                errors.required(
                    "at least one of resourceRules and nonResourceRules has to be non-empty"
                )
            }
            errors.forEach("resourceRules", in: rule.resourceRules) { errors, rule in
                if rule.verbs.isEmpty {
                    errors.required(at: "verbs", "verbs must contain at least one value")
                }
                if rule.apiGroups.isEmpty {
                    errors.required(
                        at: "apiGroups",
                        "resource rules must supply at least one api group"
                    )
                }
                if rule.resources.isEmpty {
                    errors.required(
                        at: "resources",
                        "resource rules must supply at least one resource"
                    )
                }
                if rule.namespaces.isEmpty && !rule.clusterScope {
                    errors.required(
                        at: "namespaces",
                        "resource rules that are not cluster scoped must supply at least one "
                            + "namespace"
                    )
                }
            }
            errors.forEach("nonResourceRules", in: rule.nonResourceRules) { errors, rule in
                if rule.verbs.isEmpty {
                    errors.required(at: "verbs", "verbs must contain at least one value")
                }
                if rule.nonResourceURLs.isEmpty {
                    errors.required(
                        at: "nonResourceURLs",
                        "nonResourceURLs must contain at least one value"
                    )
                }
            }
        }
    }

    mutating func validateLevel(_ spec: FlowcontrolV1.PriorityLevelConfigurationSpec) {
        switch spec.type {
        case "Exempt":
            if spec.limited != nil {
                self.forbidden(
                    at: "limited",
                    "must be nil if the type is not Limited"
                )
            }
        case "Limited":
            if spec.exempt != nil {
                self.forbidden(at: "exempt", "must be nil if the type is Limited")
            }
            guard let limited = spec.limited else {
                self.required(at: "limited", "must not be empty when type is Limited")
                return
            }
            self.within("limited") { errors in
                if let shares = limited.nominalConcurrencyShares, shares < 0 {
                    errors.invalid(
                        at: "nominalConcurrencyShares",
                        .number(shares),
                        "must be a non-negative integer"
                    )
                }
                if let percent = limited.lendablePercent, !(0...100).contains(percent) {
                    errors.invalid(
                        at: "lendablePercent",
                        .number(percent),
                        "must be between 0 and 100, inclusive"
                    )
                }
                if let percent = limited.borrowingLimitPercent, percent < 0 {
                    errors.invalid(
                        at: "borrowingLimitPercent",
                        .number(percent),
                        "if specified, must be a non-negative integer"
                    )
                }
                errors.within("limitResponse") { errors in
                    let response = limited.limitResponse
                    switch response.type {
                    case "Reject":
                        if response.queuing != nil {
                            errors.forbidden(
                                at: "queuing",
                                "must be nil if limited.limitResponse.type is not Limited"
                            )
                        }
                    case "Queue":
                        if response.queuing == nil {
                            errors.required(
                                at: "queuing",
                                "must not be empty if limited.limitResponse.type is Limited"
                            )
                        }
                    default:
                        errors.notSupported(
                            at: "type",
                            .string(response.type),
                            supported: ["Queue", "Reject"]
                        )
                    }
                }
            }
        default:
            self.notSupported(
                at: "type",
                .string(spec.type),
                supported: ["Exempt", "Limited"]
            )
        }
    }

    // MARK: - Aggregated APIs

    mutating func validateService(_ service: ApiregistrationV1.APIService) {
        let spec = service.spec
        let name = "\(spec.version).\(spec.group)"
        if service.metadata.name != name {
            self.within("metadata") {
                $0.invalid(
                    at: "name",
                    .string(service.metadata.name),
                    "must be `spec.version+\".\"+spec.group`: \(GoText.quoted(name))"
                )
            }
        }
        self.within("spec") { errors in
            if spec.group.isEmpty && spec.service != nil {
                errors.required(
                    at: "group",
                    "only v1 may have an empty group and it better be legacy kube"
                )
            }
            if !spec.group.isEmpty {
                errors.invalid(
                    at: "group",
                    .string(spec.group),
                    Formats.dns1123Subdomain(spec.group)
                )
            }
            errors.invalid(
                at: "version",
                .string(spec.version),
                Formats.dns1035Label(spec.version)
            )
            if !(1...20_000).contains(spec.groupPriorityMinimum) {
                errors.invalid(
                    at: "groupPriorityMinimum",
                    .number(spec.groupPriorityMinimum),
                    "must be positive and less than 20000"
                )
            }
            if !(1...1000).contains(spec.versionPriority) {
                errors.invalid(
                    at: "versionPriority",
                    .number(spec.versionPriority),
                    "must be positive and less than 1000"
                )
            }
            if let service = spec.service {
                errors.within("service") { errors in
                    errors.mustHave("namespace", service.namespace)
                    errors.mustHave("name", service.name)
                }
                if spec.insecureSkipTLSVerify, let bundle = spec.caBundle, !bundle.isEmpty {
                    errors.invalid(
                        at: "insecureSkipTLSVerify",
                        true,
                        "may not be true if caBundle is present"
                    )
                }
            } else if spec.insecureSkipTLSVerify {
                errors.invalid(
                    at: "insecureSkipTLSVerify",
                    true,
                    "local APIServices may not have insecureSkipTLSVerify"
                )
            }
        }
    }

    // MARK: - Custom resources

    mutating func validateDefinition(_ definition: ApiextensionsV1.CustomResourceDefinition) {
        let spec = definition.spec
        let name = "\(spec.names.plural).\(spec.group)"
        if definition.metadata.name != name {
            self.within("metadata") {
                $0.invalid(
                    at: "name",
                    .string(definition.metadata.name),
                    "must be spec.names.plural+\".\"+spec.group"
                )
            }
        }
        self.within("spec") { errors in
            if spec.group.isEmpty {
                errors.required(at: "group")
            } else {
                errors.invalid(
                    at: "group",
                    .string(spec.group),
                    Formats.dns1123Subdomain(spec.group)
                )
                if spec.group.split(separator: ".").count < 2 {
                    errors.invalid(
                        at: "group",
                        .string(spec.group),
                        "should be a domain with at least one dot"
                    )
                }
            }
            errors.oneOf("scope", spec.scope, ["Cluster", "Namespaced"])
            errors.within("names") { errors in
                for (field, text) in [
                    ("plural", spec.names.plural), ("singular", spec.names.singular),
                    ("kind", spec.names.kind), ("listKind", spec.names.listKind),
                ] {
                    if text.isEmpty {
                        errors.required(at: field)
                    } else {
                        errors.invalid(
                            at: field,
                            .string(text),
                            Formats.dns1035Label(text.lowercased())
                        )
                    }
                }
                if !spec.names.kind.isEmpty && spec.names.kind == spec.names.listKind {
                    errors.invalid(
                        at: "listKind",
                        .string(spec.names.listKind),
                        "kind and listKind may not be the same"
                    )
                }
            }
            var names: Set<String> = []
            errors.forEach("versions", in: spec.versions) { errors, version in
                errors.invalid(
                    at: "name",
                    .string(version.name),
                    Formats.dns1035Label(version.name)
                )
                if !names.insert(version.name).inserted {
                    errors.duplicate(at: "name", .string(version.name))
                }
                if version.schema_?.openAPIV3Schema == nil {
                    errors.required(
                        at: "schema.openAPIV3Schema",
                        "schemas are required"
                    )
                }
            }
            let stored = spec.versions.filter { $0.storage_ }
            if spec.versions.isEmpty {
                errors.required(
                    at: "versions",
                    "must have exactly one version marked as storage version"
                )
            } else if stored.count != 1 {
                errors.invalid(
                    at: "versions",
                    .list(spec.versions),
                    "must have exactly one version marked as storage version"
                )
            }
        }
    }

    mutating func validateDefinitionUpdate(
        _ new: ApiextensionsV1.CustomResourceDefinition,
        old: ApiextensionsV1.CustomResourceDefinition
    ) {
        self.validateDefinition(new)
        self.within("spec") { errors in
            errors.immutable(at: "scope", new.spec.scope, old.spec.scope)
            errors.within("names") { errors in
                errors.immutable(at: "kind", new.spec.names.kind, old.spec.names.kind)
                errors.immutable(at: "plural", new.spec.names.plural, old.spec.names.plural)
            }
            errors.immutable(at: "group", new.spec.group, old.spec.group)
        }
        self.within("status") { errors in
            let names = Set(new.spec.versions.map(\.name))
            for (index, version) in new.status.storedVersions.enumerated()
            where !names.contains(version) {
                errors.within("storedVersions", index: index) {
                    $0.invalid(
                        .string(version),
                        "missing from spec.versions; \(version) was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in \(version) and removes \(version) from status.storedVersions"
                    )
                }
            }
        }
    }

    // MARK: - Addresses

    mutating func validateParent(_ address: NetworkingV1.IPAddress) {
        self.within("spec") { errors in
            guard let parent = address.spec.parentRef else {
                errors.required(at: "parentRef")
                return
            }
            errors.within("parentRef") { errors in
                if !parent.group.isEmpty {
                    errors.invalid(
                        at: "group",
                        .string(parent.group),
                        Formats.dns1123Subdomain(parent.group)
                    )
                }
                errors.mustHave("resource", parent.resource) { Formats.pathSegmentName($0) }
                errors.mustHave("name", parent.name) { Formats.pathSegmentName($0) }
                errors.mayHave("namespace", parent.namespace) { Formats.pathSegmentName($0) }
            }
        }
    }

    mutating func validateRanges(_ ranges: RepeatedField<String>) {
        if ranges.isEmpty {
            self.required(at: "cidrs", "at least one CIDR required")
            return
        }
        if ranges.count > 2 {
            self.invalid(
                at: "cidrs",
                .init(ranges),
                "may only hold up to 2 values"
            )
            return
        }
        if ranges.count == 2, let first = IPPrefix(parsing: ranges[0]),
            let second = IPPrefix(parsing: ranges[1]),
            first.network.isIPv4 == second.network.isIPv4
        {
            self.invalid(
                at: "cidrs",
                .init(ranges),
                "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
                    + "2001:db8::/64"
            )
        }
        self.forEach("cidrs", in: ranges) { errors, range in
            errors.add(Formats.cidr(errors.path, range))
        }
    }

    /// A second family may be added; nothing else changes.
    mutating func validateRangesUpdate(
        _ new: RepeatedField<String>,
        old: RepeatedField<String>
    ) {
        let isExtended = old.count == 1 && new.count == 2
        guard isExtended || old.count == new.count else {
            self.invalid(at: "cidrs", .init(new), "field is immutable")
            return
        }
        for (index, range) in old.enumerated() where new[index] != range {
            self.within("cidrs", index: index) {
                $0.invalid(.string(new[index]), "field is immutable")
            }
        }
    }
}
