// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf
import ResourceTable

/// Makes the paths of resources with their operations.
enum PathBuilder {
    /// The paths of a group and version.
    static func paths(
        of groupVersion: GroupVersion,
        in table: ResourceTable,
        _ builder: inout SchemaBuilder
    ) -> DynamicValue {
        var paths = DynamicValue.emptyObject
        let root = "/\(groupVersion.path)"
        for resource in table.resources where resource.documentPath == groupVersion.path {
            let scope = resource.isNamespaced ? "\(root)/namespaces/{namespace}" : root
            let collection = "\(scope)/\(resource.plural)"
            if resource.isNamespaced, resource.verbs.contains(.list) {
                paths["\(root)/\(resource.plural)"] = Self.item(
                    [.list],
                    resource,
                    nil,
                    isForAllNamespaces: true,
                    &builder
                )
            }
            paths[collection] = Self.item(
                [.deleteCollection, .list, .create],
                resource,
                nil,
                &builder
            )
            paths["\(collection)/{name}"] = Self.item(
                [.delete, .get, .patch, .update],
                resource,
                nil,
                &builder
            )
            for subresource in resource.subresources {
                let path = "\(collection)/{name}/\(subresource.name)"
                paths[path] = Self.item(
                    [.delete, .get, .patch, .update, .create],
                    resource,
                    subresource,
                    &builder
                )
            }
        }
        paths["\(root)/"] = Self.discoveryItem(MetaV1.APIResourceList.schema, &builder)
        return paths
    }

    /// The path of a discovery document.
    static func discovery(_ path: String, _ builder: inout SchemaBuilder) -> DynamicValue {
        let schema =
            switch path {
            case "api": MetaV1.APIVersions.schema
            case "apis": MetaV1.APIGroupList.schema
            case "version": Version.Info.schema
            default: MetaV1.APIGroup.schema
            }
        return [.init("/\(path)/"): Self.discoveryItem(schema, &builder)]
    }

    private static func discoveryItem(
        _ schema: MessageSchema,
        _ builder: inout SchemaBuilder
    ) -> DynamicValue {
        let reference = builder.reference(schema)
        var operation: DynamicValue = [
            "description": "Tells what is served.",
            "responses": Self.responses(["200"], reference, builder.form, isList: false),
        ]
        if builder.form == .v2 {
            operation["produces"] = DynamicValue(MediaTypes.objects.map { DynamicValue($0) })
        }
        return ["get": operation]
    }

    // MARK: - Operations

    /// What can be done at a path.
    private static func item(
        _ verbs: [APIResource.Verbs],
        _ resource: APIResource,
        _ subresource: APIResource.Subresource?,
        isForAllNamespaces: Bool = false,
        _ builder: inout SchemaBuilder
    ) -> DynamicValue? {
        var item = DynamicValue.emptyObject
        let served = subresource?.verbs ?? resource.verbs
        for verb in verbs where served.contains(verb) {
            let operation = Operation(
                verb: verb,
                resource: resource,
                subresource: subresource,
                isForAllNamespaces: isForAllNamespaces
            )
            item[operation.method] = operation.description(&builder)
        }
        guard item.count > 0 else { return nil }
        var parameters: [DynamicValue] = []
        if verbs.contains(.get) {
            parameters.append(
                Self.parameter("name", "path", "string", "The name of the object.", builder.form)
            )
        }
        if resource.isNamespaced, !isForAllNamespaces {
            parameters.append(
                Self.parameter(
                    "namespace",
                    "path",
                    "string",
                    "The namespace of the object.",
                    builder.form
                )
            )
        }
        parameters.append(
            Self.parameter(
                "pretty",
                "query",
                "string",
                "Whether the answer is indented for people.",
                builder.form
            )
        )
        item["parameters"] = DynamicValue(parameters)
        return item
    }

    /// A parameter of a path or query.
    static func parameter(
        _ name: String,
        _ place: String,
        _ type: String,
        _ description: String,
        _ form: SchemaBuilder.Form
    ) -> DynamicValue {
        var parameter: DynamicValue = [
            "name": DynamicValue(name), "in": DynamicValue(place),
            "description": DynamicValue(description),
        ]
        if place == "path" { parameter["required"] = true }
        switch form {
        case .v2:
            parameter["type"] = DynamicValue(type)
            parameter["uniqueItems"] = true
        case .v3: parameter["schema"] = ["type": DynamicValue(type), "uniqueItems": true]
        }
        return parameter
    }

    /// Answers with a type.
    static func responses(
        _ codes: [String],
        _ reference: DynamicValue,
        _ form: SchemaBuilder.Form,
        isList: Bool
    ) -> DynamicValue {
        let texts = ["200": "OK", "201": "Created", "202": "Accepted"]
        var responses: DynamicValue = ["401": ["description": "Unauthorized"]]
        for code in codes {
            var response: DynamicValue = ["description": DynamicValue(texts[code] ?? "")]
            switch form {
            case .v2: response["schema"] = reference
            case .v3:
                var content = DynamicValue.emptyObject
                for type in isList ? MediaTypes.lists : MediaTypes.objects {
                    content[type] = ["schema": reference]
                }
                response["content"] = content
            }
            responses[code] = response
        }
        return responses
    }
}

/// The forms that bodies come in.
enum MediaTypes {
    static let objects = [
        "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
    ]
    static let lists =
        objects + [
            "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch",
        ]
    static let patches = [
        "application/json-patch+json", "application/merge-patch+json",
        "application/strategic-merge-patch+json", "application/apply-patch+yaml",
    ]
}
