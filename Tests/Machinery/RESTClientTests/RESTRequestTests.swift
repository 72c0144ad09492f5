// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import HTTP
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import Testing

@testable import RESTClient

@Suite("RESTRequest") struct RESTRequestTests {
    private static func target(
        _ group: String = "",
        _ resource: String = "pods",
        namespace: String = "default",
        name: String = "",
        subresource: String = ""
    ) -> ApusResource.Target {
        .with {
            $0.group = group
            $0.version = "v1"
            $0.resource = resource
            $0.namespace = namespace
            $0.name = name
            $0.subresource = subresource
        }
    }

    @Test(
        "paths",
        arguments: [
            (RESTRequestTests.target(name: "a"), "/api/v1/namespaces/default/pods/a"),
            (
                RESTRequestTests.target("apps", "deployments"),
                "/apis/apps/v1/namespaces/default/deployments"
            ),
            (RESTRequestTests.target("", "nodes", namespace: "", name: "n"), "/api/v1/nodes/n"),
            (
                RESTRequestTests.target(name: "a", subresource: "status"),
                "/api/v1/namespaces/default/pods/a/status"
            ),
            (
                RESTRequestTests.target("", "nodes", namespace: "", name: "a/b c"),
                "/api/v1/nodes/a%2Fb%20c"
            ),
        ]
    )
    func paths(_ target: ApusResource.Target, _ path: String) {
        let request = RESTRequest(ApusResource.GetRequest.with { $0.target = target })
        #expect(request.path == path)
        #expect(request.method == .get && request.body == nil)
    }

    @Test("a list asks with all that narrows it, and for metadata alone where that is enough")
    func list() {
        let request = RESTRequest(
            ApusResource.ListRequest.with {
                $0.target = Self.target()
                $0.labelSelector = "app in (a,b)"
                $0.fieldSelector = "spec.nodeName=n"
                $0.resourceVersion = "5"
                $0.resourceVersionMatch = .notOlderThan
                $0.limit = 500
                $0.continueToken = "x=="
                $0.form = .metadata
            }
        )
        #expect(
            request.path
                == "/api/v1/namespaces/default/pods?labelSelector=app%20in%20%28a%2Cb%29"
                + "&fieldSelector=spec.nodeName%3Dn&resourceVersion=5"
                + "&resourceVersionMatch=NotOlderThan&limit=500&continue=x%3D%3D"
        )
        #expect(request.accept.hasPrefix("application/json;as=PartialObjectMetadataList;"))
    }

    @Test("a watch of one object is one of a field")
    func watch() {
        let request = RESTRequest(
            ApusResource.WatchRequest.with {
                $0.target = Self.target(name: "a")
                $0.fieldSelector = "spec.nodeName=n"
                $0.resourceVersion = "5"
                $0.allowBookmarks = true
                $0.timeoutSeconds = 60
            }
        )
        #expect(
            request.path
                == "/api/v1/namespaces/default/pods?watch=true"
                + "&fieldSelector=spec.nodeName%3Dn%2Cmetadata.name%3Da&resourceVersion=5"
                + "&allowWatchBookmarks=true&timeoutSeconds=60"
        )
    }

    @Test("an object is made in its collection, a binding under its pod")
    func create() {
        let body = ApusResource.Object.with {
            $0.encoding = .json
            $0.body = "{}"
        }
        func path(_ target: ApusResource.Target) -> String {
            RESTRequest(
                ApusResource.CreateRequest.with {
                    $0.target = target
                    $0.object = body
                    $0.options = .with {
                        $0.dryRun = true
                        $0.fieldManager = "me"
                        $0.fieldValidation = .strict
                    }
                }
            ).path
        }
        let query = "?dryRun=All&fieldManager=me&fieldValidation=Strict"
        #expect(path(Self.target(name: "a")) == "/api/v1/namespaces/default/pods\(query)")
        #expect(
            path(Self.target(name: "a", subresource: "binding"))
                == "/api/v1/namespaces/default/pods/a/binding\(query)"
        )
    }

    @Test("what is protobuf goes in its envelope")
    func envelope() throws {
        let pod = CoreV1.Pod.with { $0.metadata.name = "a" }
        let request = RESTRequest(
            ApusResource.UpdateRequest.with {
                $0.target = Self.target(name: "a")
                $0.object = .with {
                    $0.encoding = .protobuf
                    $0.body = pod.withSerializedBytes { Bytes(copying: $0) }
                }
            }
        )
        #expect(request.contentType == "application/vnd.kubernetes.protobuf")
        let bytes = try #require(request.body)
        #expect(bytes.starts(with: Envelope.prefix))
    }

    @Test(
        "patches say what they are",
        arguments: [
            (ApusResource.PatchRequest.Type_.json, "application/json-patch+json"),
            (.merge, "application/merge-patch+json"),
            (.strategic, "application/strategic-merge-patch+json"),
            (.apply, "application/apply-patch+yaml"),
        ]
    )
    func patches(_ type: ApusResource.PatchRequest.Type_, _ contentType: String) {
        let request = RESTRequest(
            ApusResource.PatchRequest.with {
                $0.target = Self.target(name: "a")
                $0.type = type
                $0.force = type == .apply
                $0.patch = "{}"
            }
        )
        #expect(request.method == .patch && request.contentType == contentType)
        #expect(request.path.hasSuffix("?force=true") == (type == .apply))
    }

    @Test("options of a deletion go in its body")
    func deletion() throws {
        let request = RESTRequest(
            ApusResource.DeleteRequest.with {
                $0.target = Self.target(name: "a")
                $0.options = .with {
                    $0.gracePeriodSeconds = 0
                    $0.propagation = .foreground
                    $0.preconditions = .with { $0.uid = "u" }
                    $0.dryRun = true
                }
            }
        )
        let body = try DynamicValue(json: try #require(request.body))
        #expect(body["kind"]?.string == "DeleteOptions")
        #expect(body["gracePeriodSeconds"]?.integer == 0)
        #expect(body["propagationPolicy"]?.string == "Foreground")
        #expect(body["preconditions"]?["uid"]?.string == "u")
        #expect(body["preconditions"]?["resourceVersion"] == nil)
        #expect(body["dryRun"]?.items.compactMap(\.string) == ["All"])
    }
}

@Suite("RESTAnswer") struct RESTAnswerTests {
    @Test("a list keeps its objects as they are")
    func list() throws {
        let text = """
            {"kind":"PodList","metadata":{"resourceVersion":"7","continue":"c",\
            "remainingItemCount":3},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}
            """
        let list = RESTAnswer.list(try RESTAnswer.tree(Array(text.utf8)))
        #expect(list.head?.resourceVersion == "7" && list.head?.encoding == .json)
        #expect(list.tail?.continueToken == "c" && list.tail?.remainingItemCount == 3)
        #expect(
            list.items.map { String(decoding: $0, as: UTF8.self) }
                == ["{\"metadata\":{\"name\":\"a\"}}", "{\"metadata\":{\"name\":\"b\"}}"]
        )
    }

    @Test(
        "events",
        arguments: [
            ("ADDED", ApusResource.WatchEvent.Type_.added), ("MODIFIED", .modified),
            ("DELETED", .deleted), ("BOOKMARK", .bookmark),
        ]
    )
    func events(_ type: String, _ expected: ApusResource.WatchEvent.Type_) throws {
        let line = "{\"type\":\"\(type)\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}"
        let event = try RESTAnswer.event(Array(line.utf8))
        #expect(event.type == expected && event.resourceVersion == "9")
    }

    @Test("an error among events is the server's")
    func error() {
        let line = """
            {"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired",\
            "message":"too old resource version"}}
            """
        #expect {
            try RESTAnswer.event(Array(line.utf8))
        } throws: { error in
            (error as? StatusError)?.reason == .expired
        }
    }

    @Test(
        "an answer that is no Status is one by its code",
        arguments: [
            (401, StatusError.Reason.unauthorized), (403, .forbidden), (404, .notFound),
            (409, .conflict), (410, .expired), (429, .tooManyRequests), (500, .internalError),
            (502, .internalError), (503, .serviceUnavailable),
        ]
    )
    func failures(_ code: Int, _ reason: StatusError.Reason) {
        let failure = RESTAnswer.failure(Array("no such page".utf8), status: code)
        #expect(failure.reason == reason && failure.message == "no such page")
        #expect(failure.code == code)
    }

    @Test(
        "whether anything is left of what was deleted",
        arguments: [
            ("{\"kind\":\"Status\",\"status\":\"Success\"}", true),
            ("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}", true),
            (
                "{\"kind\":\"Pod\",\"metadata\":{\"deletionTimestamp\":\"t\","
                    + "\"deletionGracePeriodSeconds\":30}}", false
            ),
            (
                "{\"kind\":\"Pod\",\"metadata\":{\"deletionTimestamp\":\"t\","
                    + "\"deletionGracePeriodSeconds\":0,\"finalizers\":[\"x\"]}}", false
            ),
        ]
    )
    func deletions(_ text: String, _ isGone: Bool) throws {
        #expect(try RESTAnswer.deleted(Array(text.utf8), nil).gone == isGone)
    }

    @Test("lines come whole, however they are cut", arguments: 1...12)
    func lines(_ size: Int) throws {
        var splitter = LineSplitter(limit: 100)
        var lines: [String] = []
        let bytes = Array("one\ntwo\n\nthree\nrest".utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            let part = bytes[start..<min(start + size, bytes.count)]
            lines += try splitter.take(part).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(lines == ["one", "two", "three"])
    }

    @Test("a line has an end", arguments: [(10, false), (11, true)])
    func longLine(_ count: Int, _ isTooLong: Bool) {
        var splitter = LineSplitter(limit: 10)
        let bytes = [UInt8](repeating: 0x61, count: count)
        let isRefused = (try? splitter.take(bytes)) == nil
        #expect(isRefused == isTooLong)
    }
}
