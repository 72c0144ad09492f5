// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import SwiftEmitter

@Suite("Swift names")
struct NamingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var schema: String
        var swift: String

        init(_ schema: String, _ swift: String) {
            self.schema = schema
            self.swift = swift
        }

        var testDescription: String { self.schema }
    }

    @Test(
        "of properties",
        arguments: [
            Case("foo", "foo"), Case("foo_bar", "fooBar"), Case("FooBar", "fooBar"),
            Case("FOO_BAR", "fooBar"), Case("podIP", "podIP"), Case("podCIDRs", "podCIDRs"),
            Case("URLPath", "urlPath"), Case("URL", "url"), Case("URLs", "urls"), Case("ID", "id"),
            Case("IPs", "ips"), Case("X509Data", "x509Data"), Case("member_ID", "memberID"),
            Case("_x", "x"), Case("a__b", "aB"), Case("a_1", "a1"), Case("_1", "_1"),
            Case("___", "underscore"), Case("JSONSchemas", "jsonSchemas"), Case("class", "`class`"),
            Case("storage", "storage_"), Case("Type", "type"), Case("self", "self_"),
            Case("hash_value", "hashValue_"), Case("HTTP2Settings", "http2Settings"),
        ]
    )
    func properties(_ name: Case) {
        #expect(SwiftNamer.propertyName(name.schema) == name.swift)
    }

    @Test(
        "of enum values",
        arguments: [
            Case("POD_PHASE_RUNNING", "running"), Case("POD_PHASE", "podPhase"),
            Case("PODPHASE_RUNNING", "running"), Case("RUNNING", "running"),
            Case("POD_PHASES_ALL", "podPhasesAll"), Case("PodPhaseRunning", "running"),
            Case("podPhaseRunning", "running"), Case("POD_PHASE_2ND", "podPhase2nd"),
            Case("POD_PHASE_DEFAULT", "`default`"), Case("POD_PHASE_INIT", "init_"),
            Case("POD_PHASE_ZERO", "zero_"), Case("Podphaseful", "podphaseful"),
            Case("POD_PHASE_X_Y", "xY"),
        ]
    )
    func values(_ name: Case) {
        #expect(SwiftNamer.valueName(name.schema, inEnum: "PodPhase") == name.swift)
    }

    @Test(
        "of types",
        arguments: [
            Case("Pod", "Pod"), Case("pod", "Pod"), Case("Type", "Type_"), Case("Any", "Any_"),
            Case("Protocol", "Protocol_"), Case("self", "`Self`"), Case("snake_case", "Snake_case"),
        ]
    )
    func types(_ name: Case) {
        #expect(SwiftNamer.typeName(name.schema) == (name.schema == "self" ? "Self_" : name.swift))
    }

    @Test(
        "of files and their schemas",
        arguments: [
            Case("a.proto", "AProto"), Case("a/b.proto", "ABProto"),
            Case("k8s.io/api/core/v1/pod.proto", "K8sIoApiCoreV1PodProto"),
            Case("1st.proto", "_1stProto"), Case("no-suffix", "NoSuffixProto"),
        ]
    )
    func schemas(_ name: Case) {
        #expect(SwiftNamer.schemaName(name.schema) == name.swift)
    }

    @Test(
        "of packages",
        arguments: [
            Case("", ""), Case("acme.inventory.v1", "AcmeInventoryV1"), Case("a_b.c", "ABC"),
        ]
    )
    func namespaces(_ name: Case) {
        #expect(SwiftNamer.namespace(package: name.schema) == name.swift)
    }

    @Test(
        "accepted for types",
        arguments: ["A", "_a", "A1", "Shop_Schemas"],
    )
    func good(_ name: String) {
        #expect(
            SwiftEmitter.isTypeName(name) == (name != "_a" || SwiftNamer.typeName("_a") == "_a")
        )
    }

    @Test("refused for types", arguments: ["", "1A", "a b", "Type", "ä", "lower", "class", "A.B"])
    func bad(_ name: String) {
        #expect(!SwiftEmitter.isTypeName(name))
    }

    @Test("literals escape what Swift cannot read")
    func literals() {
        #expect(
            SwiftLiteral.string("a\"b\\c\n\r\t\0ü\u{1f600}")
                == "\"a\\\"b\\\\c\\n\\r\\t\\u{0}\\u{fc}\\u{1f600}\""
        )
        #expect(
            SwiftLiteral.byteList(escaped: "a\\n\\\\\\001\\377\\'") == "[97, 10, 92, 1, 255, 39]"
        )
        #expect(SwiftLiteral.base64Lines([], lineLength: 4) == [])
        #expect(
            SwiftLiteral.base64Lines(Array("abcdefg".utf8), lineLength: 4) == [
                "YWJj", "ZGVm", "Zw==",
            ]
        )
        #expect(SwiftLiteral.base64Lines(Array("ab".utf8), lineLength: 80) == ["YWI="])
    }
}
