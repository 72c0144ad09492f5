// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP2Transport
import Testing

@Suite("HTTPEndpoint")
struct HTTPEndpointTests {
    static let addresses: [(String, HTTPEndpoint?)] = [
        ("localhost:80", .tcp(host: "localhost", port: 80)),
        ("10.0.0.1:65535", .tcp(host: "10.0.0.1", port: 65_535)),
        ("[::1]:0", .tcp(host: "::1", port: 0)),
        ("dns:a.b:1", .tcp(host: "a.b", port: 1)),
        ("dns:///a.b:1", .tcp(host: "a.b", port: 1)),
        ("unix:///run/a.sock", .unix(path: "/run/a.sock")),
        ("unix:/run/a.sock", .unix(path: "/run/a.sock")),
        ("unix:a.sock", .unix(path: "a.sock")),
        ("/run/a.sock", .unix(path: "/run/a.sock")),
        ("", nil), ("localhost", nil), (":80", nil), ("a:", nil), ("a:65536", nil), ("a:-1", nil),
        ("a:+1", nil), ("::1:80", nil), ("[a]:80", nil), ("[]:80", nil), ("http://a:80", nil),
        ("a b:80", nil), ("u@a:80", nil), ("unix:", nil), ("unix://host/a", nil), ("unix://", nil),
    ]

    @Test("is read from the forms that people write", arguments: addresses)
    func parses(_ text: String, _ endpoint: HTTPEndpoint?) {
        #expect(HTTPEndpoint(text) == endpoint)
    }

    @Test(
        "reads what it writes",
        arguments: [
            HTTPEndpoint.tcp(host: "a", port: 1), .tcp(host: "::1", port: 2), .unix(path: "/a b"),
        ]
    )
    func roundTrip(_ endpoint: HTTPEndpoint) {
        #expect(HTTPEndpoint(endpoint.description) == endpoint)
    }
}
