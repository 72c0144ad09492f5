// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import Testing

@Suite("HeaderFields")
struct HeaderFieldsTests {
    @Test("keeps order, finds by name and repeats names")
    func order() throws {
        let custom = try #require(HeaderName("X-Custom"))
        var fields: HeaderFields = [.contentType: "a/b", custom: "1"]
        fields.append(custom, "2")
        #expect(fields.count == 3)
        #expect(fields[.contentType] == "a/b")
        #expect(fields[custom] == "1")
        #expect(fields.values(of: custom) == ["1", "2"])
        #expect(fields.map(\.name.text) == ["content-type", "x-custom", "x-custom"])
        #expect(fields[.accept] == nil)
    }

    @Test("a copy is not changed with its original")
    func copies() {
        let first: HeaderFields = [.accept: "x"]
        var second = first
        second.append(.accept, "y")
        #expect(first.count == 1)
        #expect(second.values(of: .accept) == ["x", "y"])
        second.set(.accept, "z")
        #expect(second.values(of: .accept) == ["z"])
        second.remove(.accept)
        #expect(second.isEmpty)
        #expect(first[.accept] == "x")
    }

    @Test("a value cannot split a message")
    func noSplitting() {
        let fields: HeaderFields = [.location: "/a\r\nset-cookie: b\0"]
        #expect(fields[.location] == "/a  set-cookie: b ")
    }

    @Test("names are tokens", arguments: ["", "a b", "a:b", "ä", "a\n", ":path "])
    func badNames(_ text: String) {
        #expect(HeaderName(text) == nil)
    }

    @Test("well-known names are found in any case")
    func wellKnown() {
        for name in WellKnownHeaderName.allCases where !name.isPseudo {
            #expect(HeaderName(name.text.uppercased()) == HeaderName(name))
            #expect(HeaderName(name.text + "x") != HeaderName(name))
        }
    }

    @Test("grows to many fields")
    func grows() throws {
        var fields = HeaderFields()
        for index in 0..<1000 {
            fields.append(
                try #require(HeaderName("n\(index)")),
                String(repeating: "v", count: index)
            )
        }
        #expect(fields.count == 1000)
        #expect(fields[try #require(HeaderName("n999"))]?.count == 999)
        #expect(fields.listByteCount == (0..<1000).reduce(0) { $0 + "n\($1)".count + $1 + 32 })
    }

    @Test("secrets do not show in descriptions")
    func redaction() {
        var fields: HeaderFields = [.authorization: "Bearer planted"]
        fields.append(.warning, "planted", sensitive: true)
        #expect(!fields.description.contains("planted"))
    }

    @Test("a list field has its tokens")
    func lists() {
        let fields: HeaderFields = [.connection: "keep-alive, Upgrade"]
        #expect(fields.list(.connection, has: "upgrade"))
        #expect(!fields.list(.connection, has: "up"))
    }

    @Test("a head keeps its parts apart from its fields")
    func head() {
        var head = HTTPRequestHead(
            method: .post,
            authority: "host:1",
            path: "/a b?c",
            fields: [.accept: "x"]
        )
        #expect(head.method == .post)
        #expect(head.scheme == "https")
        #expect(head.authority == "host:1")
        #expect(head.path == "/a%20b?c")
        #expect(head.fields.count == 1)
        #expect(head.methodIs("POST"))
        let template = head
        head.fields.append(.te, "trailers")
        #expect(head.fields.count == 2)
        #expect(template.fields.count == 1)
        #expect(head.path == template.path)
    }

    @Test(
        "ambiguous paths are told apart",
        arguments: [
            ("/", true), ("/a/b", true), ("/a/b/", true), ("/a?b=//..", true), ("/a%20b", true),
            ("", false), ("a", false), ("//a", false), ("/a//b", false), ("/a/../b", false),
            ("/a/./b", false), ("/..", false), ("/a%2fb", false), ("/a%2Fb", false),
            ("/%2e%2e/b", false), ("/a\\b", false), ("/a%5cb", false), ("/a%", false),
            ("/a%zz", false), ("/a#b", false), ("/a%00b", false),
        ]
    )
    func paths(_ path: String, _ isUnambiguous: Bool) {
        let head = HTTPRequestHead(method: .get, authority: "x", path: path)
        #expect(head.pathIsUnambiguous == isUnambiguous)
    }
}
