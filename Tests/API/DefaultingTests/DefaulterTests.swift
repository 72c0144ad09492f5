// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Defaulting
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Scalars
import Testing

/// An object before and after, as JSON; `after` lists what must stand at some paths.
struct DefaultingCase: Sendable, CustomTestStringConvertible {
    let name: String
    let schema: MessageSchema
    let before: String
    /// Path from the root in dots and numbers, and the JSON there; `absent` for none.
    let after: [String: String]

    var testDescription: String { self.name }

    init(
        _ name: String,
        _ schema: MessageSchema,
        _ before: String,
        _ after: [String: String]
    ) {
        self.name = name
        self.schema = schema
        self.before = before
        self.after = after
    }
}

@Suite("Defaulter")
struct DefaulterTests {
    static let now = Timestamp(seconds: 1_700_000_000, nanoseconds: 5)

    @Test("sets what upstream sets", arguments: Self.cases)
    func defaults(_ test: DefaultingCase) throws {
        let tree = try DynamicValue(json: Array(test.before.utf8))
        var object = try APIObject(tree, as: test.schema)
        Defaulter.setDefaults(&object, now: Self.now)
        let result = try object.dynamicValue()
        for (path, expected) in test.after.sorted(by: { $0.key < $1.key }) {
            let steps = path.split(separator: ".").map { part in
                Int(part).map { PathStep.index($0) }
                    ?? .key(String(part.map { $0 == "~" ? "." : $0 }))
            }
            let found = result[path: steps]?.jsonText ?? "absent"
            #expect(found == expected, "\(path) in \(result.jsonText)")
        }
    }

    @Test("leaves a complete object as it is", arguments: Self.cases)
    func idempotent(_ test: DefaultingCase) throws {
        let tree = try DynamicValue(json: Array(test.before.utf8))
        var once = try APIObject(tree, as: test.schema)
        Defaulter.setDefaults(&once, now: Self.now)
        var twice = once
        Defaulter.setDefaults(&twice, now: Self.now)
        #expect(once == twice)
    }

    @Test("changes no copy of the object")
    func copies() {
        var pod = CoreV1.Pod.with { $0.spec.containers.append(.with { $0.image = "a" }) }
        let copy = pod
        Defaulter.setDefaults(&pod)
        #expect(copy.spec.restartPolicy.isEmpty)
        #expect(copy.spec.containers[0].imagePullPolicy.isEmpty)
        #expect(pod.spec.restartPolicy == "Always")
    }

    @Test("keeps times unset without a clock")
    func noClock() {
        var slice = ResourceV1.ResourceSlice.with {
            $0.spec.devices.append(.with { $0.taints.append(.with { $0.key = "a" }) })
        }
        Defaulter.setDefaults(&slice)
        #expect(slice.spec.devices[0].taints[0].timeAdded == nil)
        Defaulter.setDefaults(&slice, now: Self.now)
        #expect(slice.spec.devices[0].taints[0].timeAdded?.seconds == 1_700_000_000)
    }

    @Test("knows every rule that the schemas state", arguments: Self.resources)
    func everyKind(_ name: String) throws {
        let resource = try #require(
            ResourceTable.builtin.resources.first { "\($0.apiVersion) \($0.kind)" == name }
        )
        // An unknown rule stops the program when the plan of its kind is compiled.
        var object = APIObject(MessageStorage(), resource.schema)
        Defaulter.setDefaults(&object, now: Self.now)
        var again = object
        Defaulter.setDefaults(&again, now: Self.now)
        #expect(again == object)
        _ = try object.json()
    }

    static let resources = ResourceTable.builtin.resources.map { "\($0.apiVersion) \($0.kind)" }

    @Test("has no defaults for lists and for kinds without")
    func none() {
        var list = CoreV1.PodList.with { $0.items.append(.with { $0.metadata.name = "a" }) }
        let before = list
        Defaulter.setDefaults(&list)
        #expect(list == before)
    }
}
