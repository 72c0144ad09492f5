// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Selectors
import Testing

@testable import WatchCache

@Suite("ObjectBytes")
struct ObjectBytesTests {
    static let form = StoredForm(
        schema: CoreV1.ConfigMap.schema,
        storedSchema: CoreV1.ConfigMap.schema,
        encoding: .protobuf,
        fields: nil
    )

    static func configMap(labels: Int, data: Int) -> CoreV1.ConfigMap {
        CoreV1.ConfigMap.with {
            $0.metadata.name = "a"
            $0.metadata.namespace = "default"
            $0.metadata.uid = "0efbe73f-3e5b-4853-be3a-76bb193b82c9"
            for index in 0..<labels { $0.metadata.labels["key\(index)"] = "value\(index)" }
            $0.metadata.annotations["note"] = "n"
            for index in 0..<data { $0.data["k\(index)"] = String(repeating: "x", count: index) }
        }
    }

    @Test(
        "sets the resource version as an encoder does",
        arguments: [0, 1, 5, 40],
        [Int64(1), 127, 128, 9_223_372_036_854_775_807]
    )
    func version(size: Int, revision: Int64) throws {
        var object = Self.configMap(labels: size, data: size * 3)
        let message = Bytes(object.serialized())
        let cached = try #require(
            CachedObject.make(
                key: "default/a",
                message: message,
                revision: revision,
                createRevision: 1,
                Self.form
            )
        )
        object.metadata.resourceVersion = "\(revision)"
        #expect([UInt8](cached.message) == object.serialized())
        #expect(cached.namespace == "default")
        #expect(cached.name == "a")
    }

    @Test("replaces a version that is there")
    func replaces() throws {
        var object = Self.configMap(labels: 2, data: 2)
        object.metadata.resourceVersion = "77777"
        let cached = try #require(
            CachedObject.make(
                key: "default/a",
                message: Bytes(object.serialized()),
                revision: 8,
                createRevision: 1,
                Self.form
            )
        )
        object.metadata.resourceVersion = "8"
        #expect([UInt8](cached.message) == object.serialized())
        let deleted = cached.deleted(at: 900, Self.form)
        object.metadata.resourceVersion = "900"
        #expect([UInt8](deleted.message) == object.serialized())
    }

    @Test("takes a message whose fields do not ascend")
    func unordered() throws {
        let object = Self.configMap(labels: 1, data: 0)
        // Field 2 (data) before field 1.
        let entry: [UInt8] = [0x12, 0x08, 0x0A, 0x01, 0x6B, 0x12, 0x03, 0x61, 0x62, 0x63]
        let cached = try #require(
            CachedObject.make(
                key: "default/a",
                message: Bytes(entry + object.serialized()),
                revision: 5,
                createRevision: 1,
                Self.form
            )
        )
        let decoded = try CoreV1.ConfigMap(serialized: cached.message)
        #expect(decoded.metadata.resourceVersion == "5")
        #expect(decoded.data["k"] == "abc")
    }

    @Test(
        "finds labels without decoding",
        arguments: [
            ("key0=value0", true), ("key0=value1", false), ("key3", true), ("!key3", false),
            ("key9", false), ("!key9", true), ("key1 in (value1,value2)", true), ("note", false),
        ]
    )
    func labels(selector: String, isMatch: Bool) throws {
        let cached = try #require(
            CachedObject.make(
                key: "default/a",
                message: Bytes(Self.configMap(labels: 5, data: 3).serialized()),
                revision: 3,
                createRevision: 1,
                Self.form
            )
        )
        #expect(try LabelSelector(parsing: selector).matches(cached) == isMatch)
    }

    @Test("refuses every truncation")
    func truncation() {
        let bytes = Self.configMap(labels: 3, data: 2).serialized()
        for count in 0..<bytes.count {
            bytes[..<count].withUnsafeBytes { raw in
                // No trap, and no layout beyond the bytes.
                if let layout = ObjectBytes.layout(raw) {
                    #expect(layout.body.upperBound <= count)
                }
            }
        }
    }

    @Test(
        "tells stored values apart by their first bytes",
        arguments: [
            ("{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}", true),
            ("{\"metadata\":7}", false), ("", false), ("k8s", false), ("k8s\0\u{1}", false),
            ("x", false),
        ]
    )
    func values(text: String, isObject: Bool) {
        #expect((Self.form.message(Bytes(utf8: text)) != nil) == isObject)
    }
}
