// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf
import ResourceTable

/// One verb on one path.
struct Operation {
    let verb: APIResource.Verbs
    let resource: APIResource
    let subresource: APIResource.Subresource?
    let isForAllNamespaces: Bool

    /// The key in a path item.
    var method: String {
        switch self.verb {
        case .create: "post"
        case .update: "put"
        case .patch: "patch"
        case .delete, .deleteCollection: "delete"
        default: "get"
        }
    }

    /// `x-kubernetes-action`
    private var action: String {
        switch self.verb {
        case .create: "post"
        case .update: "put"
        case .patch: "patch"
        case .delete: "delete"
        case .deleteCollection: "deletecollection"
        case .list: "list"
        default: "get"
        }
    }

    private var verbName: String {
        switch self.verb {
        case .create: "create"
        case .update: "replace"
        case .patch: "patch"
        case .delete, .deleteCollection: "delete"
        case .list: "list"
        default: "read"
        }
    }

    /// The type of the object at the path.
    private var schema: MessageSchema { self.subresource?.schema ?? self.resource.schema }

    func description(_ builder: inout SchemaBuilder) -> DynamicValue {
        var operation: DynamicValue = [
            "operationId": DynamicValue(self.identifier), "tags": [DynamicValue(self.tag)],
            "description": DynamicValue(self.text),
            "x-kubernetes-action": DynamicValue(self.action),
            "x-kubernetes-group-version-kind": self.kind,
        ]
        var parameters = self.parameters(builder.form)
        if let body = self.body(&builder) {
            switch builder.form {
            case .v2:
                var parameter: DynamicValue = [
                    "name": "body", "in": "body", "schema": body,
                ]
                if self.verb != .delete, self.verb != .deleteCollection {
                    parameter["required"] = true
                }
                parameters.append(parameter)
            case .v3:
                var content = DynamicValue.emptyObject
                for type in self.verb == .patch ? MediaTypes.patches : ["*/*"] {
                    content[type] = ["schema": body]
                }
                operation["requestBody"] = ["content": content]
            }
        }
        if !parameters.isEmpty { operation["parameters"] = DynamicValue(parameters) }
        operation["responses"] = self.responses(&builder)
        if builder.form == .v2 {
            let produced = self.verb == .list ? MediaTypes.lists : MediaTypes.objects
            let consumed = self.verb == .patch ? MediaTypes.patches : ["*/*"]
            operation["produces"] = DynamicValue(produced.map { DynamicValue($0) })
            operation["consumes"] = DynamicValue(consumed.map { DynamicValue($0) })
            operation["schemes"] = ["https"]
        }
        return operation
    }

    private var kind: DynamicValue {
        SchemaBuilder.kind(
            self.subresource?.group ?? self.resource.group,
            self.subresource?.version ?? self.resource.version,
            self.subresource?.kind ?? self.resource.kind
        )
    }

    // MARK: - Names

    /// `rbacAuthorization_v1`
    private var tag: String {
        let group = self.groupName
        return "\(group.prefix(1).lowercased())\(group.dropFirst())_\(self.resource.version)"
    }

    /// `Core`, `Apps`, `RbacAuthorization`
    private var groupName: String {
        let group = self.resource.group
        if group.isEmpty { return "Core" }
        let plain = group.hasSuffix(".k8s.io") ? String(group.dropLast(7)) : group
        return plain.split(separator: ".").map { $0.prefix(1).uppercased() + $0.dropFirst() }
            .joined()
    }

    private var identifier: String {
        let version = self.resource.version
        let prefix = "\(self.groupName)\(version.prefix(1).uppercased())\(version.dropFirst())"
        let collection = self.verb == .deleteCollection ? "Collection" : ""
        let scope = self.resource.isNamespaced && !self.isForAllNamespaces ? "Namespaced" : ""
        let part =
            self.subresource.map { $0.name.prefix(1).uppercased() + $0.name.dropFirst() } ?? ""
        let all = self.isForAllNamespaces ? "ForAllNamespaces" : ""
        return "\(self.verbName)\(prefix)\(collection)\(scope)\(self.resource.kind)\(part)\(all)"
    }

    private var text: String {
        let what = self.subresource.map { "\($0.name) of a \(self.resource.kind)" }
        switch self.verb {
        case .create: return "Creates \(what ?? "a \(self.resource.kind)")."
        case .update: return "Replaces \(what ?? "a \(self.resource.kind)")."
        case .patch: return "Changes \(what ?? "a \(self.resource.kind)")."
        case .delete: return "Deletes \(what ?? "a \(self.resource.kind)")."
        case .deleteCollection: return "Deletes the \(self.resource.plural) that match."
        case .list: return "Lists or watches \(self.resource.plural)."
        default: return "Reads \(what ?? "a \(self.resource.kind)")."
        }
    }

    // MARK: - What goes in and out

    private func parameters(_ form: SchemaBuilder.Form) -> [DynamicValue] {
        func query(_ name: String, _ type: String, _ text: String) -> DynamicValue {
            PathBuilder.parameter(name, "query", type, text, form)
        }
        var all: [DynamicValue] = []
        let isWrite = [.create, .update, .patch].contains(self.verb)
        if isWrite {
            all.append(query("dryRun", "string", "All for a request that stores nothing."))
            all.append(query("fieldManager", "string", "Who is noted as the one who changes."))
            all.append(
                query(
                    "fieldValidation",
                    "string",
                    "What happens to unknown and repeated fields: Ignore, Warn or Strict."
                )
            )
        }
        if self.verb == .patch {
            all.append(query("force", "boolean", "Take fields that others have applied."))
        }
        if self.verb == .delete || self.verb == .deleteCollection {
            all.append(query("dryRun", "string", "All for a request that deletes nothing."))
            all.append(
                query("gracePeriodSeconds", "integer", "Seconds until the object is gone.")
            )
            all.append(
                query("orphanDependents", "boolean", "Older form of propagationPolicy.")
            )
            all.append(
                query(
                    "propagationPolicy",
                    "string",
                    "What happens to dependents: Orphan, Background or Foreground."
                )
            )
        }
        if self.verb == .list || self.verb == .deleteCollection {
            for (name, type, text) in Self.listParameters { all.append(query(name, type, text)) }
        }
        return all
    }

    private static let listParameters = [
        ("allowWatchBookmarks", "boolean", "Send bookmarks in a watch."),
        ("continue", "string", "The token of the part before."),
        ("fieldSelector", "string", "Which objects, by their fields."),
        ("labelSelector", "string", "Which objects, by their labels."),
        ("limit", "integer", "The most items of an answer."),
        ("resourceVersion", "string", "The version to read at, or to watch from."),
        ("resourceVersionMatch", "string", "How resourceVersion is meant."),
        ("sendInitialEvents", "boolean", "Begin a watch with what there is."),
        ("timeoutSeconds", "integer", "The longest time that the request takes."),
        ("watch", "boolean", "Watch instead of list."),
    ]

    private func body(_ builder: inout SchemaBuilder) -> DynamicValue? {
        switch self.verb {
        case .create, .update: builder.reference(self.schema)
        case .patch: builder.patchReference()
        case .delete, .deleteCollection: builder.reference(MetaV1.DeleteOptions.schema)
        default: nil
        }
    }

    private func responses(_ builder: inout SchemaBuilder) -> DynamicValue {
        let status = MetaV1.Status.schema
        let answer: MessageSchema
        let codes: [String]
        switch self.verb {
        case .list:
            answer = self.resource.listType?.schema ?? self.schema
            codes = ["200"]
        case .create: (answer, codes) = (self.schema, ["200", "201", "202"])
        case .update, .patch: (answer, codes) = (self.schema, ["200", "201"])
        case .delete:
            let isObject = self.resource.behaviour.contains(.deleteReturnsObject)
            (answer, codes) = (isObject ? self.schema : status, ["200", "202"])
        case .deleteCollection: (answer, codes) = (status, ["200"])
        default: (answer, codes) = (self.schema, ["200"])
        }
        return PathBuilder.responses(
            codes,
            builder.reference(answer),
            builder.form,
            isList: self.verb == .list
        )
    }
}
