// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GoldenRows
import MediaTypes
import Testing

@Suite("Accept") struct AcceptTests {
    /// The form in which the recorded answers show what was agreed on.
    private func text(_ negotiation: AcceptNegotiation, _ accept: String?) -> String {
        do throws(NegotiationError) {
            let result = try negotiation.negotiate(accept)
            var text = result.mediaType.rawValue
            if result.isPretty { text += " pretty" }
            if !result.stream.isEmpty { text += " stream=\(result.stream)" }
            if let target = result.target {
                text += " \(target.group)/\(target.version) \(target.kind)"
            }
            return result.profile.isEmpty ? text : "\(text) profile=\(result.profile)"
        } catch {
            return "none"
        }
    }

    @Test("is negotiated as upstream")
    func golden() throws {
        for row in try Golden.rows("accept.tsv", atLeast: 80) {
            #expect(self.text(.builtin, row[0]) == row[1], "\(row[0].debugDescription)")
        }
    }

    @Test("without a field takes the first type")
    func absent() throws {
        #expect(try AcceptNegotiation.builtin.negotiate(nil).mediaType == .json)
        #expect(try AcceptNegotiation.builtin.negotiate("").mediaType == .json)
        #expect(try AcceptNegotiation.builtin.negotiateStream(nil).mediaType == .json)
    }

    @Test(
        "of custom resources has no plain protobuf",
        arguments: [
            ("application/vnd.kubernetes.protobuf", "none"),
            ("application/vnd.kubernetes.protobuf,application/json", "application/json"),
            ("application/yaml", "application/yaml"), ("*/*", "application/json"),
            (
                "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
                "application/vnd.kubernetes.protobuf meta.k8s.io/v1 PartialObjectMetadata"
            ),
            (
                "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,"
                    + "application/json;as=Table;v=v1;g=meta.k8s.io",
                "application/json meta.k8s.io/v1 Table"
            ),
        ]
    )
    func custom(_ accept: String, _ expected: String) {
        #expect(self.text(.custom, accept) == expected)
    }

    @Test(
        "of errors knows no other forms",
        arguments: [
            ("application/yaml", "application/yaml"),
            ("application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf"),
            ("application/json;as=Table;v=v1;g=meta.k8s.io", "none"),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "application/json"),
        ]
    )
    func plain(_ accept: String, _ expected: String) {
        #expect(self.text(.plain, accept) == expected)
    }

    @Test(
        "of kinds without columns has no table",
        arguments: [
            ("application/json;as=Table;v=v1;g=meta.k8s.io", "none"),
            ("application/json;as=Table;v=v1;g=meta.k8s.io, */*", "application/json"),
        ]
    )
    func noTable(_ accept: String, _ expected: String) {
        let negotiation = AcceptNegotiation(targets: .objects(hasTable: false))
        #expect(self.text(negotiation, accept) == expected)
    }

    private static let discoveryList = "apidiscovery.k8s.io/v2 APIGroupDiscoveryList"

    @Test(
        "of discovery takes the aggregated document alone",
        arguments: [
            (
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
                "application/json " + discoveryList
            ),
            (
                "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io;"
                    + "profile=nopeer",
                "application/json " + discoveryList + " profile=nopeer"
            ),
            (
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
                    + "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
                    + "application/json",
                "application/json " + discoveryList
            ),
            ("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList", "none"),
            ("application/json", "none"), ("*/*", "none"),
        ]
    )
    func discovery(_ accept: String, _ expected: String) {
        #expect(self.text(.discovery, accept) == expected)
    }

    @Test("of a watch takes what can be streamed")
    func stream() throws {
        let builtin = AcceptNegotiation.builtin
        let proto = try builtin.negotiateStream("application/vnd.kubernetes.protobuf;stream=watch")
        #expect(
            proto.mediaType.streamContentType
                == "application/vnd.kubernetes.protobuf;stream=watch"
        )
        #expect(
            try builtin.negotiateStream("application/json").mediaType.streamContentType
                == "application/json"
        )
        let error = #expect(throws: NegotiationError.self) {
            try builtin.negotiateStream("application/yaml")
        }
        #expect(
            error?.message
                == "only the following media types are accepted: application/json;stream=watch, "
                + "application/vnd.kubernetes.protobuf;stream=watch"
        )
        #expect(error?.code == 406)
        #expect(error?.reason == "NotAcceptable")
    }

    @Test("tells what would be accepted")
    func message() {
        let error = #expect(throws: NegotiationError.self) {
            try AcceptNegotiation.builtin.negotiate("text/html")
        }
        #expect(
            error?.message
                == "only the following media types are accepted: application/json, "
                + "application/yaml, application/vnd.kubernetes.protobuf"
        )
    }

    @Test("names the form and its version")
    func forms() throws {
        let table = try AcceptNegotiation.builtin.negotiate(
            "application/json;as=Table;v=v1beta1;g=meta.k8s.io"
        )
        #expect(table.form == .table)
        #expect(table.formVersion == "v1beta1")
        #expect(
            table.contentTypeWithTarget
                == "application/json;g=meta.k8s.io;v=v1beta1;as=Table"
        )
        #expect(Representation(.yaml).contentTypeWithTarget == "application/yaml")
        #expect(Representation(.yaml).form == nil)
    }

    @Test("looks at a bounded number of clauses")
    func bound() {
        let many = Array(repeating: "a/b", count: 63).joined(separator: ",")
        #expect(self.text(.builtin, many + ",application/yaml") == "application/yaml")
        #expect(self.text(.builtin, many + ",a/b,application/yaml") == "none")
        let huge = Array(repeating: "*/*;q=0.1", count: 100_000).joined(separator: ",")
        #expect(self.text(.builtin, huge) == "application/json")
        let parameters = Array(repeating: "a=b", count: 100_000).joined(separator: ";")
        #expect(self.text(.builtin, "application/json;" + parameters) == "application/json")
    }

    @Test(
        "is checked by routes first",
        arguments: [
            (nil, "GET", nil, nil), ("", "GET", nil, nil), ("*/*", "GET", nil, nil),
            ("application/json", "GET", nil, nil), ("application/json;q=0.1", "GET", nil, nil),
            ("text/html, application/yaml;x=y", "GET", nil, nil),
            ("text/html;q=1,*/*;q=0.1", "GET", nil, nil),
            ("application/*", "GET", nil, 406), ("*", "GET", nil, 406),
            ("text/html", "GET", nil, 406), ("text/html", "DELETE", nil, 406),
            ("text/html", "POST", nil, 415), ("text/html", "POST", 0, 415),
            ("text/html", "PUT", 5, 406), ("text/html", "PATCH", nil, 415),
        ] as [(String?, String, Int?, Int?)]
    )
    func routes(_ accept: String?, _ method: String, _ length: Int?, _ code: Int?) {
        do throws(NegotiationError) {
            try RouteMediaTypes.checkAccept(
                accept,
                produces: RouteMediaTypes.object,
                method: method,
                contentLength: length
            )
            #expect(code == nil)
        } catch {
            #expect(error.code == code)
            let start = code == 406 ? "406: Not Acceptable" : "415: Unsupported Media Type"
            #expect(
                error.message
                    == start + "\n\nAvailable representations: application/json, "
                    + "application/yaml, application/vnd.kubernetes.protobuf"
            )
        }
    }
}
