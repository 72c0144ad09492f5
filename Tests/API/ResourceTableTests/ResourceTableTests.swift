// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import ResourceTable
import Testing

@Suite("ResourceTable")
struct ResourceTableTests {
    @Test("finds a resource by path, kind and type")
    func lookUp() throws {
        let table = ResourceTable.builtin
        let pods = try #require(table.resource(apiVersion: "v1", plural: "pods"))
        #expect(pods.kind == "Pod")
        #expect(pods.listKind == "PodList")
        #expect(pods.storage?.prefix == "/registry/pods/")
        #expect(table.resource(of: CoreV1.Pod.self)?.plural == "pods")
        #expect(table.resource(of: CoreV1.PodSpec.self) == nil)
        let scale = table.resource(of: AppsV1.Deployment.self)?.subresource("scale")
        #expect(scale?.kind == "Scale")
        #expect(scale?.group == "autoscaling")
    }

    @Test("each row agrees with the schema of its type")
    func rows() {
        let table = ResourceTable.builtin
        #expect(table.resources.count == 95)
        for resource in table.resources {
            #expect(resource.schema.isKind, "\(resource.plural)")
            #expect(resource.schema.file.group == resource.group, "\(resource.plural)")
            #expect(resource.schema.file.version == resource.version, "\(resource.plural)")
            let versions = table.groups.first { $0.name == resource.group }?.versions
            #expect(versions?.contains { $0.name == resource.version } == true)
        }
    }

    @Test("verbs have upstream's names and order")
    func verbs() {
        #expect(
            APIResource.Verbs.all.names == [
                "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
            ]
        )
        #expect(([.list, .get] as APIResource.Verbs).names == ["get", "list"])
    }
}
