// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import OpenAPI
import ResourceTable
import Testing

@Suite("OpenAPIDocuments")
struct OpenAPIDocumentsTests {
    static let documents = OpenAPIDocuments(.served, version: "v1.36.2")

    static func tree(_ kind: OpenAPIDocuments.Kind) throws -> DynamicValue {
        let document = try #require(Self.documents.document(kind))
        return try DynamicValue(json: Array(document.body))
    }

    @Test("the index leads to every document, with its hash")
    func index() throws {
        let paths = try #require(try Self.tree(.index)["paths"])
        for (path, entry) in paths.entries {
            let document = try #require(Self.documents.document(.v3(path)))
            #expect(
                entry["serverRelativeURL"]?.string
                    == "/openapi/v3/\(path)?hash=\(document.hash)"
            )
            #expect(document.tag == "\"\(document.hash)\"")
        }
        for path in ["api/v1", "apis/apps/v1", "apis/apps", "api", "apis", "version"] {
            #expect(paths[path] != nil)
        }
        #expect(Self.documents.document(.v3("apis/none/v1")) == nil)
    }

    @Test("every reference of a document leads somewhere")
    func references() throws {
        func references(in value: DynamicValue, _ found: inout Set<String>) {
            if let reference = value["$ref"]?.string {
                found.insert(String(reference.split(separator: "/").last ?? ""))
            }
            for entry in value.entries { references(in: entry.value, &found) }
            for item in value.items { references(in: item, &found) }
        }
        for kind in [OpenAPIDocuments.Kind.v3("api/v1"), .v3("apis/apps/v1"), .v2] {
            let document = try Self.tree(kind)
            let schemas = document["components"]?["schemas"] ?? document["definitions"]
            let names = Set((schemas ?? .emptyObject).entries.map(\.key))
            var found: Set<String> = []
            references(in: document, &found)
            #expect(found.count > 50)
            #expect(found.subtracting(names).isEmpty)
        }
    }

    @Test("says of pods what kubectl asks")
    func pods() throws {
        let document = try Self.tree(.v3("api/v1"))
        let path = "/api/v1/namespaces/{namespace}/pods/{name}"
        let patch = try #require(document[path: ["paths", .key(path), "patch"]])
        #expect(patch["operationId"] == "patchCoreV1NamespacedPod")
        #expect(patch["x-kubernetes-action"] == "patch")
        #expect(
            patch["x-kubernetes-group-version-kind"]
                == ["group": "", "version": "v1", "kind": "Pod"]
        )
        let names = patch["parameters"]?.items.compactMap { $0["name"]?.string } ?? []
        #expect(names == ["dryRun", "fieldManager", "fieldValidation", "force"])
        let content = patch[path: ["requestBody", "content"]]
        #expect(content?["application/strategic-merge-patch+json"] != nil)
        #expect(content?["application/apply-patch+yaml"] != nil)

        let schemas = try #require(document[path: ["components", "schemas"]])
        let pod = try #require(schemas["io.k8s.api.core.v1.Pod"])
        #expect(
            pod["x-kubernetes-group-version-kind"]
                == [["group": "", "version": "v1", "kind": "Pod"]]
        )
        #expect(pod[path: ["properties", "spec", "default"]] == [:])
        #expect(
            pod[path: ["properties", "spec", "allOf", 0, "$ref"]]
                == "#/components/schemas/io.k8s.api.core.v1.PodSpec"
        )
        let spec = try #require(schemas["io.k8s.api.core.v1.PodSpec"])
        #expect(spec["required"] == ["containers"])
        let containers = try #require(spec[path: ["properties", "containers"]])
        #expect(containers["x-kubernetes-list-type"] == "map")
        #expect(containers["x-kubernetes-list-map-keys"] == ["name"])
        #expect(containers["x-kubernetes-patch-strategy"] == "merge")
        #expect(containers["x-kubernetes-patch-merge-key"] == "name")
        let port = schemas["io.k8s.api.core.v1.ContainerPort"]
        #expect(port?[path: ["properties", "protocol", "default"]] == "TCP")
        #expect(port?[path: ["properties", "containerPort", "format"]] == "int32")
        let quantity = schemas["io.k8s.apimachinery.pkg.api.resource.Quantity"]
        #expect(quantity == ["oneOf": [["type": "string"], ["type": "number"]]])
    }

    @Test("version 2 has every kind once, and no defaults")
    func version2() throws {
        let document = try Self.tree(.v2)
        #expect(document["swagger"] == "2.0")
        let definitions = try #require(document["definitions"])
        let deployment = definitions["io.k8s.api.apps.v1.Deployment"]
        #expect(
            deployment?[path: ["properties", "spec", "$ref"]]
                == "#/definitions/io.k8s.api.apps.v1.DeploymentSpec"
        )
        #expect(deployment?[path: ["properties", "spec", "default"]] == nil)
        let options = definitions["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"]
        #expect((options?["x-kubernetes-group-version-kind"]?.count ?? 0) > 20)
        for (path, item) in document["paths"]?.entries ?? DynamicValue.emptyObject.entries {
            #expect(item.count > 0, "\(path)")
        }
    }

    @Test("writes protobuf that can be walked to its end")
    func protobuf() throws {
        let document = try #require(Self.documents.document(.v2Protobuf))
        // The older name, which is asked for with an `@`, is no media type that parsers take.
        #expect(
            document.contentType == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
        )
        var fields: [UInt64: Int] = [:]
        var rest = Array(document.body)[...]
        func varint() -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { break }
                shift += 7
            }
            return value
        }
        while !rest.isEmpty {
            let key = varint()
            #expect(key & 7 == 2)
            let count = Int(varint())
            #expect(count <= rest.count)
            rest = rest.dropFirst(count)
            fields[key >> 3, default: 0] += 1
        }
        #expect(fields == [1: 1, 2: 1, 8: 1, 9: 1, 12: 1, 13: 1])
    }
}
