// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Registry

@Suite("AddressRange")
struct AddressRangeTests {
    @Test(
        "knows its text, family and first address",
        arguments: [
            ("10.96.0.0/12", "10.96.0.0/12", "IPv4", "10.96.0.1"),
            ("10.97.3.4/12", "10.96.0.0/12", "IPv4", "10.96.0.1"),
            ("192.168.1.0/24", "192.168.1.0/24", "IPv4", "192.168.1.1"),
            ("fd00:10:96::/108", "fd00:10:96::/108", "IPv6", "fd00:10:96::1"),
            ("fd00::/64", "fd00::/64", "IPv6", "fd00::1"),
        ]
    )
    func first(text: String, canonical: String, family: String, address: String) throws {
        let range = try #require(AddressRange(text))
        #expect(range.text == canonical)
        #expect(range.family == family)
        #expect(range.first == address)
    }

    @Test(
        "refuses what is no range",
        arguments: [
            "", "10.0.0.0", "10.0.0.0/7", "10.0.0.0/31", "10.0.0/24", "10.0.0.256/24", "a/24",
            "10.0.00.0/24", "fd00::/63", "fd00::/127", "fd00::", "10.0.0.0/24,10.0.1.0/24",
        ]
    )
    func bad(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test(
        "contains addresses but for the outermost",
        arguments: [
            ("10.0.0.0/24", "10.0.0.0", false), ("10.0.0.0/24", "10.0.0.1", true),
            ("10.0.0.0/24", "10.0.0.254", true), ("10.0.0.0/24", "10.0.0.255", false),
            ("10.0.0.0/24", "10.0.1.1", false), ("10.0.0.0/24", "x", false),
            ("10.0.0.0/24", "::ffff:10.0.0.1", false),
            ("fd00::/120", "fd00::", false), ("fd00::/120", "fd00::1", true),
            ("fd00::/120", "fd00::ff", true), ("fd00::/120", "fd00::100", false),
        ]
    )
    func contains(range: String, text: String, isInside: Bool) {
        #expect(AddressRange(range)?.contains(text) == isInside)
    }

    @Test(
        "visits every address once, those of the static part last",
        arguments: [("10.0.0.0/24", 254, 16), ("10.0.0.0/30", 2, 0), ("fd00::/120", 255, 16)]
    )
    func visits(text: String, count: Int, staticCount: Int) async throws {
        let range = try #require(AddressRange(text))
        var seen: [String] = []
        let found = await range.visit(limit: 1000) { address in
            seen.append(address)
            return false
        }
        #expect(found == nil)
        #expect(seen.count == count)
        #expect(Set(seen).count == count)
        #expect(seen.allSatisfy(range.contains))
        if staticCount > 0 { #expect(seen[count - staticCount] == range.first) }
        seen = []
        _ = await range.visit(limit: 2) { address in
            seen.append(address)
            return false
        }
        #expect(seen.count == 2)
    }
}
