// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules
import Testing

@Suite("IP address") struct IPAddressTests {
    @Test(
        "knows its class",
        arguments: [
            ("127.0.0.1", "loopback"), ("127.255.0.9", "loopback"), ("::1", "loopback"),
            ("::ffff:127.0.0.1", "loopback"), ("0.0.0.0", "unspecified"), ("::", "unspecified"),
            ("169.254.169.254", "link-local"), ("fe80::1", "link-local"),
            ("febf::1", "link-local"), ("224.0.0.1", "link-local multicast"),
            ("ff02::1", "link-local multicast"), ("ff12::1", "link-local multicast"),
            ("239.0.0.1", "multicast"), ("ff0e::1", "multicast"), ("10.0.0.1", ""),
            ("2001:db8::1", ""), ("fec0::1", ""), ("128.0.0.1", ""), ("169.253.0.1", ""),
        ]
    )
    func classes(_ text: String, _ expected: String) throws {
        let address = try #require(IPAddress(parsing: text))
        let actual =
            address.isLoopback
            ? "loopback"
            : address.isUnspecified
                ? "unspecified"
                : address.isLinkLocalUnicast
                    ? "link-local"
                    : address.isLinkLocalMulticast
                        ? "link-local multicast" : address.isMulticast ? "multicast" : ""
        #expect(actual == expected)
    }

    @Test(
        "is held by prefixes",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.5/32", "10.0.0.5", true), ("10.0.0.5/32", "10.0.0.4", false),
            ("0.0.0.0/0", "1.2.3.4", true), ("::/0", "1.2.3.4", false), ("::/0", "fe80::1", true),
            ("2001:db8::/65", "2001:db8::7fff:0:0:1", true),
            ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
            ("2001:db8::/64", "2001:db8:0:1::", false), ("2001:db8::1/128", "2001:db8::1", true),
        ]
    )
    func containment(_ prefix: String, _ address: String, _ expected: Bool) throws {
        let prefix = try #require(IPPrefix(parsing: prefix))
        #expect(prefix.contains(try #require(IPAddress(parsing: address))) == expected)
    }

    @Test("sorts in network order")
    func order() throws {
        let texts = ["10.0.0.10", "10.0.0.9", "2001:db8::1", "::2", "9.255.0.0"]
        let sorted = texts.compactMap { IPAddress(parsing: $0) }.sorted().map(\.description)
        #expect(sorted == ["::2", "9.255.0.0", "10.0.0.9", "10.0.0.10", "2001:db8::1"])
    }

    @Test("reads back what it writes")
    func roundTrip() throws {
        var generator = SplitMix(state: 1)
        for _ in 0..<2000 {
            let keep = generator.next()
            // Zero groups at random, so that runs are left out.
            var high = generator.next()
            var low = generator.next()
            for group in 0..<4 {
                if keep >> UInt64(group) & 1 == 0 { high &= ~(0xFFFF << UInt64(group * 16)) }
                if keep >> UInt64(group + 4) & 1 == 0 { low &= ~(0xFFFF << UInt64(group * 16)) }
            }
            let address = IPAddress(ipv6High: high, low: low)
            if !address.isIPv4MappedIPv6 {
                #expect(IPAddress(parsing: address.description) == address)
            }
            let four = IPAddress(ipv4: UInt32(truncatingIfNeeded: low))
            #expect(IPAddress(parsing: four.description) == four)
        }
    }

    @Test("has a bounded text")
    func limit() {
        let zeros = String(repeating: "0", count: 600)
        #expect(IPAddress(parsing: zeros + "1.2.3.4", .sloppy) == nil)
        #expect(IPPrefix(IPAddress(ipv4: 0), length: 33) == nil)
        #expect(IPPrefix(IPAddress(ipv4: 0), length: -1) == nil)
    }
}

/// A small seeded generator of numbers.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
