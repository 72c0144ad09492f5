// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RequestInfo
import Testing

@Suite("Request target") struct RequestTargetTests {
    @Test(
        "reads paths",
        arguments: [
            ("/", "/", []), ("/healthz", "/healthz", ["healthz"]),
            ("/healthz/", "/healthz/", ["healthz"]), ("/apis/", "/apis/", ["apis"]),
            ("/api/v1/pods", "/api/v1/pods", ["api", "v1", "pods"]),
            ("/a%20b", "/a b", ["a b"]), ("/a+b", "/a+b", ["a+b"]), ("/%41", "/A", ["A"]),
            ("/system%3Anode", "/system:node", ["system:node"]), ("/é", "/é", ["é"]),
            ("/%C3%A9", "/é", ["é"]), ("/a;b", "/a;b", ["a;b"]), ("/...", "/...", ["..."]),
            ("/.a", "/.a", [".a"]), ("/a%252F", "/a%2F", ["a%2F"]), ("/a:b@c", "/a:b@c", ["a:b@c"]),
            ("/a\\b", "/a\\b", ["a\\b"]),
        ] as [(String, String, [String])]
    )
    func paths(_ text: String, _ path: String, _ segments: [String]) throws {
        let target = try RequestTarget(parsing: text)
        #expect(target.path == path)
        #expect(target.segments == segments)
        #expect(target.rawQuery.isEmpty)
        #expect(target.query.isEmpty)
        #expect(target.proxyPath == nil)
    }

    @Test(
        "refuses hostile paths",
        arguments: [
            ("", .notAbsolute), ("a", .notAbsolute), ("api/v1/secrets", .notAbsolute),
            ("*", .notAbsolute), ("http://host/api", .notAbsolute), ("?a=b", .notAbsolute),
            ("%2Fapi", .notAbsolute), ("//", .emptySegment), ("//api", .emptySegment),
            ("/api//v1", .emptySegment), ("/api/v1//", .emptySegment), ("/..", .dotSegment),
            ("/.", .dotSegment), ("/api/../x", .dotSegment), ("/api/./x", .dotSegment),
            ("/api/..", .dotSegment), ("/%2e%2e/x", .dotSegment), ("/%2E./x", .dotSegment),
            ("/.%2e", .dotSegment), ("/%2e", .dotSegment), ("/a%2Fb", .encodedSlash),
            ("/a%2fb", .encodedSlash), ("/%2F", .encodedSlash),
            ("/api/v1/namespaces/a%2F..%2Fb/pods", .encodedSlash), ("/a%00", .invalidCharacter),
            ("/a\0", .invalidCharacter), ("/a%0A", .invalidCharacter), ("/a b", .invalidCharacter),
            ("/a%7F", .invalidCharacter), ("/a%1F", .invalidCharacter), ("/a#b", .invalidCharacter),
            ("/a\n", .invalidCharacter), ("/%", .invalidEscape("%")), ("/%4", .invalidEscape("%4")),
            ("/%zz", .invalidEscape("%zz")), ("/%4g", .invalidEscape("%4g")),
            ("/%FF", .invalidUTF8), ("/%C3", .invalidUTF8), ("/%ED%A0%80", .invalidUTF8),
            ("/%C0%AF", .invalidUTF8), ("/%C0%AE%C0%AE", .invalidUTF8),
            ("/a?b=%zz", .invalidEscape("%zz")), ("/a?b=%FF", .invalidUTF8),
            ("/a?b;c", .semicolon), ("/a?b=c;d=e", .semicolon), ("/a?b=c d", .invalidCharacter),
            ("/a?b#c", .invalidCharacter),
        ] as [(String, RequestTargetError)]
    )
    func hostile(_ text: String, _ expected: RequestTargetError) {
        #expect(throws: expected) { try RequestTarget(parsing: text) }
        #expect(!expected.description.isEmpty)
    }

    @Test("refuses bytes that are not UTF-8")
    func bytes() throws {
        let good = Array("/api/v1".utf8)
        #expect(
            try good.withUnsafeBytes { try RequestTarget(parsing: $0) }.segments == ["api", "v1"]
        )
        #expect(throws: RequestTargetError.invalidUTF8) {
            try (good + [0x2F, 0xFF]).withUnsafeBytes { try RequestTarget(parsing: $0) }
        }
    }

    @Test(
        "leaves what follows proxy to the backend",
        arguments: [
            ("/api/v1/namespaces/a/pods/b/proxy", ""), ("/api/v1/namespaces/a/pods/b/proxy/", "/"),
            ("/api/v1/namespaces/a/services/b:80/proxy/x/y", "/x/y"),
            ("/api/v1/namespaces/a/services/https:b:80/proxy//x//", "//x//"),
            ("/api/v1/namespaces/a/pods/b/proxy/x%2Fy", "/x%2Fy"),
            ("/api/v1/nodes/n/proxy/metrics", "/metrics"), ("/api/v1/nodes/n/proxy/a+b", "/a+b"),
            ("/apis/g/v1/namespaces/a/rs/b/proxy/x", "/x"), ("/apis/g/v1/rs/b/proxy//", "//"),
            ("/api/v1/nodes/n/proxy/proxy/x", "/proxy/x"),
        ]
    )
    func proxies(_ text: String, _ expected: String) throws {
        #expect(try RequestTarget(parsing: text).proxyPath == expected)
    }

    @Test(
        "refuses hostile paths around proxy",
        arguments: [
            ("/api/v1/nodes/n/proxy/../x", .dotSegment),
            ("/api/v1/nodes/n/proxy/%2e%2e", .dotSegment),
            ("/api/v1/nodes/n/proxy/a%2F..%2Fb", .dotSegment),
            ("/api/v1/nodes/n/proxy/%2F.", .dotSegment),
            ("/api/v1/nodes/n/proxy/a%00", .invalidCharacter),
            ("/api/v1/nodes//proxy/x", .emptySegment),
            ("/api/v1/nodes/a%2Fb/proxy/x", .encodedSlash),
            ("/api/v1/proxy/nodes//x", .emptySegment), ("/api/v1/pods/proxy//x", .emptySegment),
            ("/healthz/proxy//x", .emptySegment), ("/x/v1/nodes/n/proxy//x", .emptySegment),
            ("/api/v1/namespaces/a/pods/b/log//x", .emptySegment),
            ("/api/v1/namespaces/proxy//x", .emptySegment),
        ] as [(String, RequestTargetError)]
    )
    func hostileProxies(_ text: String, _ expected: RequestTargetError) {
        #expect(throws: expected) { try RequestTarget(parsing: text) }
    }

    @Test(
        "reads queries",
        arguments: [
            ("", []), ("a=b", ["a", "b"]), ("a", ["a", ""]), ("a=", ["a", ""]), ("=b", ["", "b"]),
            ("a=b&c=d", ["a", "b", "c", "d"]), ("a=b&&c=d&", ["a", "b", "c", "d"]),
            ("a=b=c", ["a", "b=c"]), ("a+b=c+d", ["a b", "c d"]), ("a=%2B%26%3D", ["a", "+&="]),
            ("a=1&a=2", ["a", "1", "a", "2"]), ("a?b=c?d", ["a?b", "c?d"]), ("a=%00", ["a", "\0"]),
            ("a=/../x", ["a", "/../x"]), ("é=%C3%A9", ["é", "é"]), ("a=%3B", ["a", ";"]),
        ] as [(String, [String])]
    )
    func queries(_ text: String, _ expected: [String]) throws {
        let target = try RequestTarget(parsing: "/x?" + text)
        #expect(target.rawQuery == text)
        #expect(target.query.parameters.flatMap { [$0.name, $0.value] } == expected)
    }

    @Test("answers for parameters")
    func parameters() throws {
        let query = try QueryParameters(
            parsing: "a=1&a=2&t=true&f=FALSE&z=0&e=&n=12&bad=x&big=9223372036854775808"
        )
        #expect(query.first("a") == "1")
        #expect(query.all("a") == ["1", "2"])
        #expect(query.first("x") == nil)
        #expect(query.string("x") == "")
        #expect(query.bool("t") == true)
        #expect(query.bool("f") == false)
        #expect(query.bool("z") == false)
        #expect(query.bool("e") == true)
        #expect(query.bool("bad") == true)
        #expect(query.bool("x") == nil)
        #expect(try query.int64("n") == 12)
        #expect(try query.int64("x") == nil)
        for (name, message) in [
            ("bad", "strconv.ParseInt: parsing \"x\": invalid syntax"),
            ("big", "strconv.ParseInt: parsing \"9223372036854775808\": value out of range"),
            ("e", "strconv.ParseInt: parsing \"\": invalid syntax"),
        ] {
            let error = #expect(throws: ParameterError.self) { try query.int64(name) }
            #expect(error?.message == message)
            #expect(error?.code == 400)
            #expect(error?.reason == "BadRequest")
        }
    }

    @Test("has limits")
    func limits() throws {
        let segments = String(repeating: "/a", count: RequestTarget.maximumSegments)
        #expect(
            try RequestTarget(parsing: segments).segments.count == RequestTarget.maximumSegments
        )
        #expect(throws: RequestTargetError.tooManySegments) {
            try RequestTarget(parsing: segments + "/a")
        }
        let query = String(repeating: "&a", count: QueryParameters.maximumCount)
        #expect(
            try QueryParameters(parsing: query).parameters.count == QueryParameters.maximumCount
        )
        #expect(throws: RequestTargetError.tooManyParameters) {
            try QueryParameters(parsing: query + "&a")
        }
        let long = "/" + String(repeating: "a", count: RequestTarget.maximumBytes - 1)
        #expect(try RequestTarget(parsing: long).segments.count == 1)
        #expect(throws: RequestTargetError.tooLong) { try RequestTarget(parsing: long + "a") }
    }
}
