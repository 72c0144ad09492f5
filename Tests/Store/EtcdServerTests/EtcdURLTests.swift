// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP2Transport
import Testing

@testable import EtcdServer

@Suite("EtcdURL")
struct EtcdURLTests {
    @Test(
        "reads etcd's addresses",
        arguments: [
            ("http://127.0.0.1:2379", .tcp(host: "127.0.0.1", port: 2_379), false),
            ("https://[::1]:4001/", .tcp(host: "::1", port: 4_001), true),
            ("http://localhost", .tcp(host: "localhost", port: 2_379), false),
            ("https://[fe80::1]", .tcp(host: "fe80::1", port: 2_379), true),
            ("unix:///run/etcd.sock", .unix(path: "/run/etcd.sock"), false),
            ("unixs:///run/etcd.sock", .unix(path: "/run/etcd.sock"), true),
        ] as [(String, HTTPEndpoint, Bool)]
    )
    func good(text: String, endpoint: HTTPEndpoint, isTLS: Bool) throws {
        let url = try #require(EtcdURL(text))
        #expect(url.endpoint == endpoint)
        #expect(url.isTLS == isTLS)
        #expect(url.description == text)
    }

    @Test(
        "refuses others",
        arguments: [
            "", "127.0.0.1:2379", "http://", "ftp://a:1", "http://a:b", "http://a:65536",
            "http://::1:1", "http://[::1", "http://[::1]x", "http://a/b:1", "unix://",
        ]
    )
    func bad(text: String) {
        #expect(EtcdURL(text) == nil)
    }
}
