// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Patches
import Testing

@Suite("StrategicMergePatch")
struct StrategicMergePatchTests {
    @Test("merges the spec of a pod", arguments: Self.cases)
    func apply(_ test: PatchCase) throws {
        try test.check { (patch, document) throws(PatchError) in
            try StrategicMergePatch.apply(patch, to: document, schema: CoreV1.PodSpec.schema)
        }
    }

    static let cases: [PatchCase] = [
        PatchCase(
            "scalars",
            #"{"nodeName":"a","hostname":"h"}"#,
            #"{"nodeName":"b"}"#,
            gives: #"{"nodeName":"b","hostname":"h"}"#
        ),
        PatchCase(
            "removes by null",
            #"{"nodeName":"a"}"#,
            #"{"nodeName":null,"hostname":null}"#,
            gives: "{}"
        ),
        PatchCase(
            "a container by its name",
            #"{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}"#,
            #"{"containers":[{"name":"b","image":"3"}]}"#,
            gives: #"{"containers":[{"name":"a","image":"1"},{"name":"b","image":"3"}]}"#
        ),
        PatchCase(
            "a new container",
            #"{"containers":[{"name":"a"}]}"#,
            #"{"containers":[{"name":"b","image":"3"}]}"#,
            gives: #"{"containers":[{"name":"b","image":"3"},{"name":"a"}]}"#
        ),
        PatchCase(
            "deletes an item",
            #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            #"{"containers":[{"$patch":"delete","name":"a"}]}"#,
            gives: #"{"containers":[{"name":"b"}]}"#
        ),
        PatchCase(
            "deletes what is not there",
            #"{"containers":[{"name":"a"}]}"#,
            #"{"containers":[{"$patch":"delete","name":"x"}]}"#,
            gives: #"{"containers":[{"name":"a"}]}"#
        ),
        PatchCase(
            "replaces a list",
            #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            #"{"containers":[{"name":"c"},{"$patch":"replace"}]}"#,
            gives: #"{"containers":[{"name":"c"}]}"#
        ),
        PatchCase(
            "replaces an object",
            #"{"securityContext":{"runAsUser":1,"runAsGroup":2}}"#,
            #"{"securityContext":{"$patch":"replace","runAsUser":3}}"#,
            gives: #"{"securityContext":{"runAsUser":3}}"#
        ),
        PatchCase(
            "empties an object",
            #"{"securityContext":{"runAsUser":1}}"#,
            #"{"securityContext":{"$patch":"delete"}}"#,
            gives: #"{"securityContext":{}}"#
        ),
        PatchCase(
            "lists without a strategy are replaced",
            #"{"tolerations":[{"key":"a"}]}"#,
            #"{"tolerations":[{"key":"b"}]}"#,
            gives: #"{"tolerations":[{"key":"b"}]}"#
        ),
        PatchCase(
            "maps",
            #"{"nodeSelector":{"a":"1","b":"2"}}"#,
            #"{"nodeSelector":{"b":null,"c":"3"}}"#,
            gives: #"{"nodeSelector":{"a":"1","c":"3"}}"#
        ),
        PatchCase(
            "nested lists",
            #"{"containers":[{"name":"a","env":[{"name":"X","value":"1"}]}]}"#,
            #"{"containers":[{"name":"a","env":[{"name":"Y","value":"2"}],"ports":[{"containerPort":80}]}]}"#,
            gives:
                #"{"containers":[{"name":"a","env":[{"name":"Y","value":"2"},{"name":"X","value":"1"}],"ports":[{"containerPort":80}]}]}"#
        ),
        PatchCase(
            "retains keys",
            #"{"volumes":[{"name":"v","emptyDir":{}}]}"#,
            #"{"volumes":[{"name":"v","$retainKeys":["name","hostPath"],"hostPath":{"path":"/"}}]}"#,
            gives: #"{"volumes":[{"name":"v","hostPath":{"path":"/"}}]}"#
        ),
        PatchCase(
            "orders a list",
            #"{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#,
            #"{"$setElementOrder/containers":[{"name":"c"},{"name":"a"},{"name":"b"}],"containers":[{"name":"a","image":"1"}]}"#,
            gives: #"{"containers":[{"name":"c"},{"name":"a","image":"1"},{"name":"b"}]}"#
        ),
        PatchCase(
            "orders without a change",
            #"{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#,
            #"{"$setElementOrder/containers":[{"name":"c"},{"name":"a"}]}"#,
            gives: #"{"containers":[{"name":"b"},{"name":"c"},{"name":"a"}]}"#
        ),
        PatchCase(
            "keeps what only the server has near its place",
            #"{"containers":[{"name":"x"},{"name":"a"},{"name":"b"}]}"#,
            #"{"$setElementOrder/containers":[{"name":"a"},{"name":"new"},{"name":"b"}],"containers":[{"name":"new"}]}"#,
            gives: #"{"containers":[{"name":"x"},{"name":"a"},{"name":"new"},{"name":"b"}]}"#
        ),
        PatchCase(
            "directives of new parts go",
            "{}",
            #"{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"a","$setElementOrder/env":[{"name":"X"}],"env":[{"name":"X","value":"1"}]},{"$patch":"delete","name":"b"}]}"#,
            gives: #"{"containers":[{"name":"a","env":[{"name":"X","value":"1"}]}]}"#
        ),
        PatchCase(
            "nulls of new parts go",
            "{}",
            #"{"securityContext":{"runAsUser":null,"fsGroup":1}}"#,
            gives: #"{"securityContext":{"fsGroup":1}}"#
        ),
        PatchCase(
            "an unknown directive",
            #"{"securityContext":{}}"#,
            #"{"securityContext":{"$patch":"burn"}}"#,
            throws: .unsupported("unknown patch type: burn in map: map[$patch:burn]")
        ),
        PatchCase(
            "an unknown directive in a list",
            #"{"containers":[{"name":"a"}]}"#,
            #"{"containers":[{"$patch":"burn","name":"a"}]}"#,
            throws: .unsupported("unknown patch type: burn in map: map[$patch:burn name:a]")
        ),
        PatchCase(
            "no merge key",
            #"{"containers":[{"name":"a"}]}"#,
            #"{"containers":[{"image":"i"}]}"#,
            throws: .unsupported("map: map[image:i] does not contain declared merge key: name")
        ),
        PatchCase(
            "a key that is not retained",
            #"{"securityContext":{}}"#,
            #"{"securityContext":{"$retainKeys":["a"],"b":1}}"#,
            throws: .unsupported("patch content doesn't match retainKeys list")
        ),
        PatchCase(
            "retainKeys of another type",
            #"{"securityContext":{}}"#,
            #"{"securityContext":{"$retainKeys":"a"}}"#,
            throws: .malformed("invalid patch format of retainKeys")
        ),
        PatchCase(
            "an order of another type",
            #"{"containers":[{"name":"a"}]}"#,
            #"{"$setElementOrder/containers":1,"containers":[{"name":"a"}]}"#,
            throws: .malformed("invalid patch format of setElementOrder list")
        ),
        PatchCase(
            "lists of lists",
            #"{"containers":[{"name":"a"}]}"#,
            #"{"containers":[[1]]}"#,
            throws: .inapplicable("lists of lists are not supported")
        ),
        PatchCase(
            "an item that is no object",
            #"{"containers":[{"name":"a"}]}"#,
            #"{"containers":[1]}"#,
            throws: .unsupported("list element types are not identical")
        ),
        PatchCase("no object", "{}", "[]", throws: .malformed("invalid JSON document")),
    ]

    @Test("merges metadata", arguments: Self.metadataCases)
    func applyMetadata(_ test: PatchCase) throws {
        try test.check { (patch, document) throws(PatchError) in
            try StrategicMergePatch.apply(patch, to: document, schema: MetaV1.ObjectMeta.schema)
        }
    }

    static let metadataCases: [PatchCase] = [
        PatchCase(
            "finalizers are a set",
            #"{"finalizers":["a","b"]}"#,
            #"{"finalizers":["b","c"]}"#,
            gives: #"{"finalizers":["a","b","c"]}"#
        ),
        PatchCase(
            "deletes finalizers",
            #"{"finalizers":["a","b"]}"#,
            #"{"$deleteFromPrimitiveList/finalizers":["a","x"]}"#,
            gives: #"{"finalizers":["b"]}"#
        ),
        PatchCase(
            "deletes and adds",
            #"{"finalizers":["a","b"]}"#,
            #"{"$deleteFromPrimitiveList/finalizers":["a"],"$setElementOrder/finalizers":["c","b"],"finalizers":["c"]}"#,
            gives: #"{"finalizers":["c","b"]}"#
        ),
        PatchCase(
            "owners by uid",
            #"{"ownerReferences":[{"uid":"1","name":"a"}]}"#,
            #"{"ownerReferences":[{"uid":"1","name":"b"},{"uid":"2"}]}"#,
            gives: #"{"ownerReferences":[{"uid":"1","name":"b"},{"uid":"2"}]}"#
        ),
        PatchCase(
            "labels",
            #"{"labels":{"a":"1"}}"#,
            #"{"labels":{"b":"2","a":null}}"#,
            gives: #"{"labels":{"b":"2"}}"#
        ),
        PatchCase(
            "a primitive list of objects",
            #"{"finalizers":["a"]}"#,
            #"{"$deleteFromPrimitiveList/finalizers":[{}]}"#,
            throws: .malformed("invalid patch format of primitive list")
        ),
    ]
}
