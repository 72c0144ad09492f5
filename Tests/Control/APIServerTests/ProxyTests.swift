// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import NameRules
import Testing

@testable import APIServer

@Suite("The parts of the proxy")
struct ProxyTests {
    @Test(
        "reads names",
        arguments: [
            ("a", "http a "), ("a:80", "http a 80"), ("a:web", "http a web"),
            ("https:a:443", "https a 443"), ("http:a:", "http a "), (":a:1", "http a 1"),
            ("", "-"), ("a:", "-"), ("ftp:a:1", "-"), ("a:0", "-"), ("a:65536", "-"),
            ("a:b:c:d", "-"), ("a:-", "-"), ("https::1", "-"), ("..:80", "-"),
        ]
    )
    func names(text: String, expected: String) {
        let name = ProxyName(parsing: text)
        let found = name.map { "\($0.isSecure ? "https" : "http") \($0.name) \($0.port)" }
        #expect((found ?? "-") == expected)
    }

    @Test(
        "connects to nobody who is near",
        arguments: [
            ("10.0.0.1", true), ("192.0.2.1", true), ("2001:db8::1", true), ("127.0.0.1", false),
            ("127.1.2.3", false), ("169.254.169.254", false), ("0.0.0.0", false),
            ("224.0.0.1", false), ("255.255.255.255", false), ("::", false), ("::1", false),
            ("::ffff:127.0.0.1", false), ("fe80::1", false), ("ff02::1", false),
        ]
    )
    func addresses(text: String, isAllowed: Bool) throws {
        #expect(ProxyTarget.isAllowed(try #require(IPAddress(parsing: text))) == isAllowed)
    }

    @Test(
        "leads the client nowhere else",
        arguments: [
            ("/a?b", "/p/a?b"), ("a", "a"), ("?x", "?x"), ("http://10.0.0.1:80/c", "/p/c"),
            ("https://10.0.0.1:80", "/p/"), ("http://10.0.0.1:80?q", "/p/?q"),
            ("http://10.0.0.1:81/c", nil), ("http://evil/", nil), ("//evil/", nil),
            ("javascript:x", nil), (#"/\evil"#, nil), ("http://10.0.0.1:80@evil/", nil),
        ] as [(String, String?)]
    )
    func redirects(location: String, expected: String?) {
        let head = HTTPResponseHead(
            status: HTTPStatus(rawValue: 302),
            fields: [.location: location]
        )
        let found = try? ProxyFields.answer(head, from: "10.0.0.1:80", prefix: "/p")
        #expect(found?[.location] == expected)
    }

    @Test("fields that Connection names stay on their connection")
    func hops() throws {
        let hop = try #require(HeaderName("x-hop"))
        let end = try #require(HeaderName("x-end"))
        let head = HTTPResponseHead(
            status: HTTPStatus(rawValue: 200),
            fields: [
                .connection: "close, X-Hop", .keepAlive: "timeout=5", hop: "1", end: "2",
            ]
        )
        let fields = try ProxyFields.answer(head, from: "10.0.0.1:80", prefix: "/p")
        #expect(fields.map { $0.0.text } == ["x-end"])
    }

    @Test(
        "reads heads",
        arguments: [
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 101),
            ("HTTP/1.0 403\r\nA:b\r\n\r\n", 403), ("HTTP/2 200 OK\r\n\r\n", nil),
            ("HTTP/1.1 20 OK\r\n\r\n", nil), ("HTTP/1.1 abc OK\r\n\r\n", nil), ("\r\n\r\n", nil),
            ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", nil),
            ("HTTP/1.1 200 OK\r\na b: c\r\n\r\n", nil),
            ("HTTP/1.1 200 OK\r\na: \u{1}\r\n\r\n", nil),
        ] as [(String, Int?)]
    )
    func heads(text: String, code: Int?) {
        #expect(ProxyTunnel.parse(text)?.status.rawValue == code)
    }

    @Test(
        "reads chunks",
        arguments: [
            ("0\r\n\r\n", ""), ("3\r\nabc\r\n0\r\n\r\n", "abc"),
            ("1;x=y\r\na\r\nA\r\n0123456789\r\n0\r\n\r\n", "a0123456789"), ("", nil),
            ("3\r\nab", nil), ("x\r\n", nil), ("-1\r\n", nil), ("ffffffffff\r\n", nil),
        ] as [(String, String?)]
    )
    func chunks(text: String, expected: String?) {
        let body = ChunkedBody.decode(ByteBuffer(string: text))
        #expect(body.map { String(buffer: $0) } == expected)
    }
}
