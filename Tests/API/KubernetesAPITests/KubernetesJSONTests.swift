// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import Protobuf
import Testing

/// The JSON of Kubernetes' own types and its rules of presence (WIRE rules, upstream 1.36).
@Suite("Kubernetes JSON")
struct KubernetesJSONTests {
    struct Row: Sendable {
        let name: String
        let json: String
        var written: String?
    }

    static let services: [Row] = [
        Row(
            name: "numbers and names as ports",
            json:
                #"{"kind":"Service","apiVersion":"v1","metadata":{},"spec":{"ports":[{"port":80,"targetPort":8080},"#
                + #"{"port":81,"targetPort":"http"}]},"status":{"loadBalancer":{}}}"#
        ),
        Row(
            name: "an unset port is 0",
            json: #"{"spec":{"ports":[{"port":80}]}}"#,
            written:
                #"{"kind":"Service","apiVersion":"v1","metadata":{},"spec":{"ports":[{"port":80,"targetPort":0}]},"#
                + #""status":{"loadBalancer":{}}}"#
        ),
    ]

    @Test("reads and writes services", arguments: services)
    func service(row: Row) throws {
        #expect(try CoreV1.Service(json: row.json).jsonText() == row.written ?? row.json)
    }

    struct QuantityRow: Sendable {
        let input: String
        let output: String
    }

    static let quantities: [QuantityRow] = [
        QuantityRow(input: #""1500m""#, output: "1500m"),
        QuantityRow(input: #""1024Mi""#, output: "1Gi"),
        QuantityRow(input: #""1.5Gi""#, output: "1536Mi"),
        QuantityRow(input: #""0.1""#, output: "100m"),
        QuantityRow(input: "2", output: "2"), QuantityRow(input: "0.5", output: "500m"),
        QuantityRow(input: #""1000m""#, output: "1"), QuantityRow(input: #""0""#, output: "0"),
        QuantityRow(input: #""1e3""#, output: "1e3"),
        QuantityRow(input: #""128974848""#, output: "128974848"),
    ]

    @Test("writes quantities in their canonical form", arguments: quantities)
    func quantity(row: QuantityRow) throws {
        let requirements = try CoreV1.ResourceRequirements(
            json: #"{"limits":{"cpu":\#(row.input)}}"#
        )
        #expect(try requirements.jsonText() == #"{"limits":{"cpu":"\#(row.output)"}}"#)
        #expect(requirements.limits["cpu"]?.string == row.output)
    }

    @Test("times are in UTC and whole seconds")
    func times() throws {
        let pod = try CoreV1.Pod(
            json: #"{"metadata":{"creationTimestamp":"2026-05-04T12:11:12.987+02:00"}}"#
        )
        #expect(try pod.jsonText().contains(#""creationTimestamp":"2026-05-04T10:11:12Z""#))
        #expect(try !CoreV1.Pod().jsonText().contains("creationTimestamp"))
        #expect(try CoreV1.Event().jsonText().contains(#""firstTimestamp":null"#))
        #expect(try CoreV1.Event().jsonText().contains(#""eventTime":null"#))
    }

    @Test("bytes are base 64, integers of 64 bits are numbers")
    func scalars() throws {
        let secret = try CoreV1.Secret(json: #"{"data":{"a":"aGVsbG8=","b":""}}"#)
        #expect(secret.data["a"] == "hello")
        #expect(try secret.jsonText().contains(#""data":{"a":"aGVsbG8=","b":""}"#))
        let pod = try CoreV1.Pod(json: #"{"metadata":{"generation":9223372036854775807}}"#)
        #expect(pod.metadata.generation == Int64.max)
        #expect(try pod.jsonText().contains(#""generation":9223372036854775807"#))
    }

    @Test("inlined structs are flat in JSON and nested in protobuf")
    func inlined() throws {
        let volume = try CoreV1.Volume(
            json: #"{"name":"v","configMap":{"name":"c","optional":true}}"#
        )
        #expect(volume.volumeSource.configMap?.localObjectReference.name == "c")
        #expect(try volume.jsonText() == #"{"name":"v","configMap":{"name":"c","optional":true}}"#)
        #expect(try CoreV1.Volume(serialized: volume.serialized()) == volume)
    }

    @Test("raw JSON is kept and written compactly")
    func raw() throws {
        let revision = try AppsV1.ControllerRevision(
            json: #"{"data": {"b" : [1, 2 ],"a":"<x>"},"revision":1}"#
        )
        #expect(try revision.jsonText().contains(#""data":{"b":[1,2],"a":"\u003cx\u003e"}"#))
        #expect(throws: JSONError.self) { try AppsV1.ControllerRevision(json: #"{"data":{]}"#) }
    }

    static let schemas: [String] = [
        #"{"items":{"type":"string"}}"#, #"{"items":[{"type":"string"},{"type":"integer"}]}"#,
        #"{"additionalProperties":true}"#, #"{"additionalProperties":false}"#,
        #"{"additionalProperties":{"type":"string"}}"#,
        #"{"dependencies":{"a":["b","c"],"d":{"type":"object"}}}"#,
        #"{"enum":["a",1,null,{"b":[]}]}"#, #"{"default":{"a":1}}"#, #"{"minimum":1.5}"#,
        #"{"properties":{"a":{"properties":{"b":{"type":"string"}}}}}"#,
    ]

    @Test("schemas take their many forms", arguments: schemas)
    func schema(json: String) throws {
        let schema = try ApiextensionsV1.JSONSchemaProps(json: json)
        #expect(try schema.jsonText() == json)
        #expect(try ApiextensionsV1.JSONSchemaProps(serialized: schema.serialized()) == schema)
    }

    @Test("NaN has no JSON")
    func notFinite() {
        let schema = ApiextensionsV1.JSONSchemaProps.with { $0.minimum = .nan }
        #expect(throws: JSONEncodingError.notFinite(field: "minimum")) { try schema.json() }
    }

    @Test("kind and apiVersion follow the type and are told when read")
    func typeMeta() throws {
        let decoded = try AppsV1.Deployment.decode(
            json: Array(#"{"kind":"Deployment","apiVersion":"apps/v1"}"#.utf8)
        )
        #expect(decoded.typeMeta == AppsV1.Deployment.typeMeta)
        #expect(AppsV1.Deployment.typeMeta == TypeMeta(kind: "Deployment", apiVersion: "apps/v1"))
        #expect(CoreV1.Pod.typeMeta == TypeMeta(kind: "Pod", apiVersion: "v1"))
    }
}
