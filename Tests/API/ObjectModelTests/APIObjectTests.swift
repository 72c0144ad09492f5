// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import NameRules
import ObjectModel
import Protobuf
import ResourceTable
import Testing

@Suite("APIObject")
struct APIObjectTests {
    private let pod = CoreV1.Pod.with {
        $0.metadata.name = "web"
        $0.metadata.namespace = "default"
        $0.spec.nodeName = "a"
    }

    @Test("gives metadata and the typed message, and takes changes to both")
    func change() throws {
        var object = APIObject(self.pod)
        #expect(object.metadata.name == "web")
        object.metadata.labels["tier"] = "front"
        #expect(object.change(CoreV1.Pod.self) { $0.spec.nodeName = "b" })
        let changed: CoreV1.Pod = try #require(object.message())
        #expect(changed.spec.nodeName == "b")
        #expect(changed.metadata.labels["tier"] == "front")
        #expect(self.pod.spec.nodeName == "a")
        #expect(object.message(as: CoreV1.Node.self) == nil)
        #expect(!object.change(CoreV1.Node.self) { $0.spec.podCIDR = "x" })
        #expect(object != APIObject(self.pod))
    }

    @Test("survives both encodings")
    func coding() throws {
        let object = APIObject(self.pod)
        let binary = try object.withSerializedBytes {
            try APIObject(serialized: $0, as: CoreV1.Pod.schema)
        }
        #expect(binary == object)
        let json = try object.json().withUnsafeBytes {
            try APIObject.decode(json: $0, as: CoreV1.Pod.schema, validation: .strict)
        }
        #expect(json.message == object)
        #expect(json.typeMeta == TypeMeta(kind: "Pod", apiVersion: "v1"))
        #expect(try APIObject(object.dynamicValue(), as: CoreV1.Pod.schema) == object)
        #expect(try Envelope.open(object.sealed()).typeMeta.kind == "Pod")
    }

    @Test("a kind without metadata has none")
    func withoutMetadata() {
        var object = APIObject(MetaV1.DeleteOptions())
        #expect(!object.hasMetadata)
        object.metadata.name = "x"
        #expect(object.metadata.name.isEmpty)
    }
}

@Suite("StatusError")
struct StatusErrorTests {
    @Test("has upstream's words")
    func words() {
        let deployments = GroupResource(group: "apps", resource: "deployments")
        let missing = StatusError.notFound(deployments, "web")
        #expect(missing.message == #"deployments.apps "web" not found"#)
        #expect(missing.code == 404)
        #expect(missing.status.details?.kind == "deployments")
        #expect(
            StatusError.modified(GroupResource(group: "", resource: "pods"), "a").message
                == "Operation cannot be fulfilled on pods \"a\": the object has been modified; "
                + "please apply your changes to the latest version and try again"
        )
        var errors = FieldErrors(at: FieldPath())
        errors.within("spec") { $0.required(at: "nodeName") }
        let invalid = StatusError.invalid(kind: "Pod", group: "", name: "a", errors)
        #expect(invalid.message == #"Pod "a" is invalid: spec.nodeName: Required value"#)
        #expect(invalid.status.details?.causes.first?.field == "spec.nodeName")
    }
}
