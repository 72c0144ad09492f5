// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf
import Testing

/// JSON that is not the object it should be, and what is said of it.
@Suite("JSON of the wrong shape")
struct JSONBadInputTests {
    struct Row: Sendable {
        let json: String
        let message: String
    }

    static let mismatches: [Row] = [
        Row(
            json: #"{"spec":{"containers":{}}}"#,
            message: "json: cannot unmarshal object into Go struct field "
                + "PodSpec.spec.containers of type []v1.Container"
        ),
        Row(
            json: #"{"spec":{"containers":[{"name":1}]}}"#,
            message: "json: cannot unmarshal number 1 into Go struct field "
                + "Container.spec.containers.name of type string"
        ),
        Row(
            json: #"{"spec":{"containers":[7]}}"#,
            message: "json: cannot unmarshal number 7 into Go struct field "
                + "PodSpec.spec.containers of type v1.Container"
        ),
        Row(
            json: #"{"spec":{"hostNetwork":"yes"}}"#,
            message: "json: cannot unmarshal string into Go struct field "
                + "PodSpec.spec.hostNetwork of type bool"
        ),
        Row(
            json: #"{"spec":{"hostNetwork":1}}"#,
            message: "json: cannot unmarshal number 1 into Go struct field "
                + "PodSpec.spec.hostNetwork of type bool"
        ),
        Row(
            json: #"{"spec":{"priority":"high"}}"#,
            message: "json: cannot unmarshal string into Go struct field "
                + "PodSpec.spec.priority of type int32"
        ),
        Row(
            json: #"{"spec":{"priority":1.5}}"#,
            message: "json: cannot unmarshal number 1.5 into Go struct field "
                + "PodSpec.spec.priority of type int32"
        ),
        Row(
            json: #"{"spec":{"priority":1e3}}"#,
            message: "json: cannot unmarshal number 1e3 into Go struct field "
                + "PodSpec.spec.priority of type int32"
        ),
        Row(
            json: #"{"spec":{"priority":2147483648}}"#,
            message: "json: cannot unmarshal number 2147483648 into Go struct field "
                + "PodSpec.spec.priority of type int32"
        ),
        Row(
            json: #"{"spec":{"priority":-2147483649}}"#,
            message: "json: cannot unmarshal number -2147483649 into Go struct field "
                + "PodSpec.spec.priority of type int32"
        ),
        Row(
            json: #"{"spec":{"activeDeadlineSeconds":9223372036854775808}}"#,
            message: "json: cannot unmarshal number 9223372036854775808 into Go struct field "
                + "PodSpec.spec.activeDeadlineSeconds of type int64"
        ),
        Row(
            json: #"{"spec":{"activeDeadlineSeconds":true}}"#,
            message: "json: cannot unmarshal bool into Go struct field "
                + "PodSpec.spec.activeDeadlineSeconds of type int64"
        ),
        Row(
            json: #"{"spec":{"activeDeadlineSeconds":[]}}"#,
            message: "json: cannot unmarshal array into Go struct field "
                + "PodSpec.spec.activeDeadlineSeconds of type int64"
        ),
        Row(
            json: #"{"metadata":[]}"#,
            message: "json: cannot unmarshal array into Go struct field "
                + "Pod.metadata of type v1.ObjectMeta"
        ),
        Row(
            json: #"{"metadata":"x"}"#,
            message: "json: cannot unmarshal string into Go struct field "
                + "Pod.metadata of type v1.ObjectMeta"
        ),
        Row(
            json: #"{"metadata":{"labels":[]}}"#,
            message: "json: cannot unmarshal array into Go struct field "
                + "ObjectMeta.metadata.labels of type map[string]string"
        ),
        Row(
            json: #"{"metadata":{"labels":{"a":1}}}"#,
            message: "json: cannot unmarshal number 1 into Go struct field "
                + "ObjectMeta.metadata.labels.a of type string"
        ),
        Row(
            json: #"{"metadata":{"finalizers":"x"}}"#,
            message: "json: cannot unmarshal string into Go struct field "
                + "ObjectMeta.metadata.finalizers of type []string"
        ),
        Row(
            json: #"{"kind":7}"#,
            message: "json: cannot unmarshal number 7 into Go struct field "
                + "Pod.kind of type string"
        ),
        Row(json: "[]", message: "json: cannot unmarshal array into Go value of type v1.Pod"),
        Row(json: "\"x\"", message: "json: cannot unmarshal string into Go value of type v1.Pod"),
        Row(json: "true", message: "json: cannot unmarshal bool into Go value of type v1.Pod"),
        Row(json: "12", message: "json: cannot unmarshal number 12 into Go value of type v1.Pod"),
    ]

    @Test("is refused in Go's words", arguments: mismatches)
    func mismatch(row: Row) {
        let error = #expect(throws: JSONError.self) { try CoreV1.Pod(json: row.json) }
        #expect(error?.description == row.message)
    }

    struct ValueRow: Sendable {
        let json: String
        let path: String
    }

    static let values: [ValueRow] = [
        ValueRow(
            json: #"{"metadata":{"creationTimestamp":"yesterday"}}"#,
            path: "metadata.creationTimestamp"
        ),
        ValueRow(
            json: #"{"metadata":{"creationTimestamp":"2026-13-01T00:00:00Z"}}"#,
            path: "metadata.creationTimestamp"
        ),
        ValueRow(
            json: #"{"metadata":{"creationTimestamp":"2026-02-30T00:00:00Z"}}"#,
            path: "metadata.creationTimestamp"
        ),
        ValueRow(
            json: #"{"metadata":{"creationTimestamp":""}}"#,
            path: "metadata.creationTimestamp"
        ),
        ValueRow(
            json: #"{"spec":{"containers":[{"resources":{"limits":{"cpu":"lots"}}}]}}"#,
            path: "spec.containers[0].resources.limits.cpu"
        ),
        ValueRow(
            json: #"{"spec":{"containers":[{"resources":{"limits":{"cpu":"1 Gi"}}}]}}"#,
            path: "spec.containers[0].resources.limits.cpu"
        ),
        ValueRow(
            json: #"{"spec":{"containers":[{"resources":{"limits":{"cpu":""}}}]}}"#,
            path: "spec.containers[0].resources.limits.cpu"
        ),
        ValueRow(json: #"{"spec":{"overhead":{"cpu":"1K"}}}"#, path: "spec.overhead.cpu"),
    ]

    @Test("a value that its type refuses is named by its path", arguments: values)
    func invalidValue(row: ValueRow) {
        let error = #expect(throws: JSONError.self) { try CoreV1.Pod(json: row.json) }
        guard case .invalidValue(let path, let reason, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path == row.path)
        #expect(!reason.isEmpty)
    }

    @Test(
        "base 64 that is malformed is refused",
        arguments: ["!", "YQ", "YQ=", "Y===", "YQ==YQ==", "YQ==="]
    )
    func base64(text: String) {
        #expect(throws: JSONError.self) {
            try CoreV1.Secret(json: "{\"data\":{\"a\":\"\(text)\"}}")
        }
    }

    @Test(
        "a port that is neither number nor text is refused",
        arguments: ["1.5", "true", "{}", "[]", "2147483648", "-2147483649", "1e1"]
    )
    func intOrString(value: String) {
        let json = #"{"spec":{"ports":[{"targetPort":\#(value)}]}}"#
        #expect(throws: JSONError.self) { try CoreV1.Service(json: json) }
    }

    @Test(
        "microseconds have six digits",
        arguments: [
            ("2026-01-02T03:04:05.123456Z", true), ("2026-01-02T03:04:05.12345Z", false),
            ("2026-01-02T03:04:05.1234567Z", false), ("2026-01-02T03:04:05Z", false),
        ]
    )
    func microTime(text: String, isValid: Bool) throws {
        let json = #"{"spec":{"renewTime":"\#(text)"}}"#
        if isValid {
            let lease = try CoordinationV1.Lease(json: json)
            #expect(try lease.jsonText().contains(text))
        } else {
            #expect(throws: JSONError.self) { try CoordinationV1.Lease(json: json) }
        }
    }

    // MARK: - Unknown and duplicate fields

    struct ProblemRow: Sendable {
        let json: String
        let problems: [String]
    }

    static let problems: [ProblemRow] = [
        ProblemRow(json: #"{"kind":"Pod","apiVersion":"v1"}"#, problems: []),
        ProblemRow(json: #"{"foo":1}"#, problems: [#"unknown field "foo""#]),
        ProblemRow(json: #"{"Kind":"Pod"}"#, problems: [#"unknown field "Kind""#]),
        ProblemRow(
            json: #"{"spec":{"foo":{"bar":[1,{"x":null}]}}}"#,
            problems: [#"unknown field "spec.foo""#]
        ),
        ProblemRow(
            json: #"{"spec":{"containers":[{"name":"a"},{"nam":"b","imag":"c"}]}}"#,
            problems: [
                #"unknown field "spec.containers[1].nam""#,
                #"unknown field "spec.containers[1].imag""#,
            ]
        ),
        ProblemRow(
            json: #"{"metadata":{"name":"a","name":"b"}}"#,
            problems: [#"duplicate field "metadata.name""#]
        ),
        ProblemRow(
            json: #"{"metadata":{},"metadata":{}}"#,
            problems: [#"duplicate field "metadata""#]
        ),
        ProblemRow(
            json: #"{"metadata":{"labels":{"a":"1","b":"2","a":"3"}}}"#,
            problems: [#"duplicate field "metadata.labels.a""#]
        ),
        ProblemRow(json: #"{"kind":"Pod","kind":"Pod"}"#, problems: [#"duplicate field "kind""#]),
        ProblemRow(json: #"{"a":1,"a":2,"a":3}"#, problems: [#"unknown field "a""#]),
        ProblemRow(
            json: #"{"spec":{"volumes":[{"name":"v","emptyDir":{},"hostpath":{}}]}}"#,
            problems: [#"unknown field "spec.volumes[0].hostpath""#]
        ),
        ProblemRow(
            json: #"{"spec":{"ephemeralContainers":[{"name":"a","targetContainerName":"b"}]}}"#,
            problems: []
        ),
    ]

    @Test("are found all at once, in upstream's words", arguments: problems)
    func unknownAndDuplicate(row: ProblemRow) throws {
        let strict = try CoreV1.Pod.decode(json: Array(row.json.utf8), validation: .strict)
        #expect(strict.problems == row.problems)
        let warn = try CoreV1.Pod.decode(json: Array(row.json.utf8), validation: .warn)
        #expect(warn.problems == row.problems)
        let ignore = try CoreV1.Pod.decode(json: Array(row.json.utf8), validation: .ignore)
        #expect(ignore.problems == [])
        #expect(ignore.message == strict.message)
    }

    @Test("at most a hundred are reported", arguments: [99, 100, 101])
    func manyProblems(count: Int) throws {
        let fields = (0..<count).map { "\"x\($0)\":0" }.joined(separator: ",")
        let decoded = try CoreV1.Pod.decode(json: Array("{\(fields)}".utf8), validation: .strict)
        #expect(decoded.problems.count == min(count, 100))
    }

    @Test("the last of duplicate keys wins")
    func lastWins() throws {
        let pod = try CoreV1.Pod(
            json: #"{"metadata":{"name":"a","name":"b","labels":{"k":"1","k":"2"}}}"#
        )
        #expect(pod.metadata.name == "b")
        #expect(pod.metadata.labels == ["k": "2"])
    }

    // MARK: - null

    @Test("null is the same as absent, an empty list is not")
    func nulls() throws {
        let json =
            #"{"metadata":{"creationTimestamp":null,"labels":null},"spec":{"containers":null,"#
            + #""securityContext":null,"hostNetwork":null,"nodeName":null,"priority":null}}"#
        #expect(try CoreV1.Pod(json: json) == CoreV1.Pod())
        let empty = try CoreV1.Pod(json: #"{"spec":{"containers":[]}}"#)
        #expect(try empty.jsonText().contains(#""containers":[]"#))
        #expect(try CoreV1.Pod().jsonText().contains(#""containers":null"#))
        #expect(try CoreV1.Pod(json: "null") == CoreV1.Pod())
    }

    @Test("a document cut at any byte is refused")
    func truncation() throws {
        let text = try MessageValueTests.pod().json()
        for count in 0..<text.count {
            #expect(throws: JSONError.self) { try CoreV1.Pod(json: Array(text.prefix(count))) }
        }
    }

    @Test("a document with any byte changed is refused or read")
    func corruption() throws {
        let text = try MessageValueTests.pod().json()
        for index in text.indices {
            for change in [0x01, 0x20, 0x80] as [UInt8] {
                var copy = text
                copy[index] ^= change
                if let pod = try? CoreV1.Pod(json: copy) {
                    #expect(try CoreV1.Pod(json: pod.json()) == pod)
                }
            }
        }
    }
}
