// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GoldenRows
import MediaTypes
import Testing

@Suite("Request body") struct BodyTests {
    @Test("has the media type that upstream reads")
    func golden() throws {
        for row in try Golden.rows("content-type.tsv", atLeast: 40) where !row[0].isEmpty {
            let accepted = MediaType(rawValue: row[1])
            do throws(NegotiationError) {
                #expect(
                    try RequestBody.mediaType(of: row[0]) == accepted,
                    "\(row[0].debugDescription)"
                )
            } catch {
                #expect(accepted == nil, "\(row[0].debugDescription)")
                #expect(
                    error.message
                        == "the body of the request was in an unknown format - accepted media "
                        + "types include: application/json, application/yaml, "
                        + "application/vnd.kubernetes.protobuf"
                )
                #expect(error.code == 415)
                #expect(error.reason == "UnsupportedMediaType")
            }
        }
    }

    @Test("without a field is of the first type")
    func absent() throws {
        #expect(try RequestBody.mediaType(of: nil) == .json)
        #expect(try RequestBody.mediaType(of: "") == .json)
        #expect(try RequestBody.mediaType(of: nil, accepted: [.yaml]) == .yaml)
    }

    @Test("is only of a type that is accepted")
    func accepted() {
        #expect(throws: NegotiationError.unsupportedMediaType(["application/json"])) {
            try RequestBody.mediaType(of: "application/yaml", accepted: [.json])
        }
    }

    @Test("has a bounded Content-Type")
    func bound() throws {
        let long = "application/json;a=" + String(repeating: "b", count: 8192 - 19)
        #expect(try RequestBody.mediaType(of: long) == .json)
        #expect(throws: NegotiationError.self) { try RequestBody.mediaType(of: long + "b") }
    }

    @Test(
        "of a patch has its type",
        arguments: [
            ("application/json-patch+json", .json),
            ("application/merge-patch+json; charset=utf-8", .merge),
            ("application/strategic-merge-patch+json", .strategicMerge),
            ("application/apply-patch+yaml", .apply), ("application/json", nil), ("", nil),
            (";application/json-patch+json", nil), ("application/json-patch+json ;x", nil),
            ("Application/json-patch+json", nil), (";", nil),
        ] as [(String, PatchType?)]
    )
    func patches(_ contentType: String, _ expected: PatchType?) {
        do throws(NegotiationError) {
            #expect(
                try PatchType(contentType: contentType, accepted: PatchType.builtin) == expected
            )
        } catch {
            #expect(expected == nil)
            #expect(
                error.message
                    == "the body of the request was in an unknown format - accepted media types "
                    + "include: application/json-patch+json, application/merge-patch+json, "
                    + "application/strategic-merge-patch+json, application/apply-patch+yaml"
            )
        }
    }

    @Test("of a patch of a custom resource is not strategic")
    func customPatches() {
        #expect(throws: NegotiationError.self) {
            try PatchType(
                contentType: "application/strategic-merge-patch+json",
                accepted: PatchType.custom
            )
        }
    }

    @Test(
        "of a patch is checked by the route",
        arguments: [
            ("application/json-patch+json", true), ("application/merge-patch+json;x=y", true),
            ("application/json", false), (nil, false), ("*/*", true),
        ] as [(String?, Bool)]
    )
    func patchRoutes(_ contentType: String?, _ isAccepted: Bool) {
        do throws(NegotiationError) {
            try RouteMediaTypes.checkPatch(contentType, accepted: PatchType.builtin)
            #expect(isAccepted)
        } catch {
            #expect(!isAccepted)
            #expect(error.message == "415: Unsupported Media Type")
        }
    }

    @Test(
        "lists the types of routes",
        arguments: [
            (
                RouteMediaTypes.list,
                "application/json,application/yaml,application/vnd.kubernetes.protobuf,"
                    + "application/json;stream=watch,"
                    + "application/vnd.kubernetes.protobuf;stream=watch"
            )
        ]
    )
    func lists(_ types: [String], _ expected: String) {
        #expect(types.joined(separator: ",") == expected)
    }
}

@Suite("Answer") struct AnswerTests {
    @Test(
        "is compressed for who takes gzip",
        arguments: [
            (nil, false), ("", false), ("gzip", true), ("deflate, gzip", true),
            (" gzip ,br", true), ("gzip;q=1.0", false), ("gzip;q=0", false), ("x-gzip", false),
            ("identity", false), ("GZIP", false), ("*", false), (",,gzip", true),
        ] as [(String?, Bool)]
    )
    func gzip(_ field: String?, _ expected: Bool) {
        #expect(ContentCoding.acceptsGzip(field) == expected)
    }

    @Test(
        "is indented for people",
        arguments: [
            (nil, nil, false), (nil, "curl/8.0", true), (nil, "Wget/1.2", true),
            (nil, "Mozilla/5.0 (X11)", true), (nil, "Mozilla/4.0", false),
            (nil, "kubectl/v1.36", false), ("true", nil, true), ("1", "kubectl", true),
            ("false", "curl/8.0", false), ("0", "curl/8.0", false), ("yes", "curl/8.0", false),
            ("", "curl/8.0", true), ("T", nil, true), ("tRue", nil, false),
        ] as [(String?, String?, Bool)]
    )
    func pretty(_ parameter: String?, _ agent: String?, _ expected: Bool) {
        #expect(PrettyPrinting.isWanted(pretty: parameter, userAgent: agent) == expected)
    }
}
