// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GoldenRows
import NameRules
import Testing

@Suite("Formats") struct FormatsTests {
    private static let formats: [String: @Sendable (String) -> [String]] = [
        "dns1123Label": { Formats.dns1123Label($0) },
        "dns1123LabelBytes": { Formats.dns1123Label($0, unit: .bytes) },
        "dns1123Subdomain": { Formats.dns1123Subdomain($0) },
        "dns1123SubdomainBytes": { Formats.dns1123Subdomain($0, unit: .bytes) },
        "dns1123SubdomainCaseless": { Formats.dns1123SubdomainCaseless($0) },
        "dns1123SubdomainUnderscore": { Formats.dns1123SubdomainWithUnderscore($0) },
        "dns1035Label": { Formats.dns1035Label($0) },
        "wildcard": { Formats.wildcardDNS1123Subdomain($0) },
        "labelKey": { Formats.labelKey($0) },
        "labelValue": { Formats.labelValue($0) },
        "cIdentifier": { Formats.cIdentifier($0) },
        "decimalInteger": { Formats.decimalInteger($0) },
        "pathSegmentName": { Formats.pathSegmentName($0) },
        "pathSegmentPrefix": { Formats.pathSegmentPrefix($0) },
        "portName": { Formats.portName($0) },
        "percent": { Formats.percent($0) },
        "httpHeaderName": { Formats.httpHeaderName($0) },
        "envVarName": { Formats.strictEnvVarName($0) },
        "relaxedEnvVarName": { Formats.envVarName($0) },
        "configMapKey": { Formats.configMapKey($0) },
    ]

    private static let predicates: [String: @Sendable (String) -> Bool] = [
        "dns1123Label": { Formats.isDNS1123Label($0) },
        "dns1123Subdomain": { Formats.isDNS1123Subdomain($0) },
        "dns1035Label": { Formats.isDNS1035Label($0) },
        "labelKey": { Formats.isLabelKey($0) },
        "labelValue": { Formats.isLabelValue($0) },
        "pathSegmentName": { Formats.isPathSegmentName($0) },
    ]

    @Test("answer as upstream", arguments: formats.keys.sorted())
    func messages(_ name: String) throws {
        let format = try #require(Self.formats[name])
        let rows = try Golden.rows("formats.tsv", atLeast: 200).filter { $0[0] == name }
        #expect(rows.count >= 2)
        for row in rows {
            #expect(format(row[1]) == Array(row[2...]), "\(name) of \(row[1].debugDescription)")
        }
    }

    @Test("have predicates that agree with their messages", arguments: predicates.keys.sorted())
    func predicate(_ name: String) throws {
        let predicate = try #require(Self.predicates[name])
        for row in try Golden.rows("formats.tsv", atLeast: 200) where row[0] == name {
            #expect(predicate(row[1]) == (row.count == 2), "\(row[1].debugDescription)")
        }
    }

    private static let f = FieldPath("f")

    private static let fieldFormats: [String: @Sendable (String) -> [String]] = [
        "ip": { Formats.ip(f, $0).map(\.description) },
        "ipLegacy": { Formats.ipInLegacyField(f, $0, strict: false).map(\.description) },
        "ipLegacyStrict": { Formats.ipInLegacyField(f, $0).map(\.description) },
        "warnip": { Formats.ipWarnings(f, $0) },
        "cidr": { Formats.cidr(f, $0).map(\.description) },
        "cidrLegacy": { Formats.cidrInLegacyField(f, $0, strict: false).map(\.description) },
        "cidrLegacyStrict": { Formats.cidrInLegacyField(f, $0).map(\.description) },
        "warncidr": { Formats.cidrWarnings(f, $0) },
        "ifaddr": { Formats.interfaceAddress(f, $0).map(\.description) },
        "fqn": { Formats.fullyQualifiedName(f, $0).map(\.description) },
        "fqdn": { Formats.fullyQualifiedDomainName(f, $0).map(\.description) },
        "domainPath": { Formats.domainPrefixedPath(f, $0).map(\.description) },
        "domainKey": { Formats.domainPrefixedKey(f, $0).map(\.description) },
    ]

    @Test("of addresses and domains answer as upstream", arguments: fieldFormats.keys.sorted())
    func fieldErrors(_ name: String) throws {
        let format = try #require(Self.fieldFormats[name])
        let rows = try Golden.rows("field-formats.tsv", atLeast: 500).filter { $0[0] == name }
        #expect(rows.count >= 20)
        for row in rows {
            #expect(format(row[1]) == Array(row[2...]), "\(name) of \(row[1].debugDescription)")
        }
    }

    @Test("keep addresses that an object already has")
    func oldValues() {
        #expect(Formats.ipInLegacyField("f", "010.0.0.1", oldValues: ["010.0.0.1"]).isEmpty)
        #expect(!Formats.ipInLegacyField("f", "010.0.0.2", oldValues: ["010.0.0.1"]).isEmpty)
        #expect(Formats.cidrInLegacyField("f", "10.0.0.1/8", oldValues: ["10.0.0.1/8"]).isEmpty)
        #expect(!Formats.cidrInLegacyField("f", "10.0.0.2/8", oldValues: ["10.0.0.1/8"]).isEmpty)
    }

    @Test(
        "bound numbers",
        arguments: [
            (Int64(0), false), (1, true), (65_535, true), (65_536, false), (-1, false),
            (.max, false), (.min, false),
        ]
    )
    func ports(_ port: Int64, _ isValid: Bool) {
        let expected = isValid ? [] : ["must be between 1 and 65535, inclusive"]
        #expect(Formats.portNumber(port) == expected)
    }

    @Test(
        "bound IDs",
        arguments: [
            (Int64(-1), false), (0, true), (2_147_483_647, true), (2_147_483_648, false),
        ]
    )
    func ids(_ id: Int64, _ isValid: Bool) {
        let expected = isValid ? [] : ["must be between 0 and 2147483647, inclusive"]
        #expect(Formats.userID(id) == expected)
        #expect(Formats.groupID(id) == expected)
    }

    @Test(
        "check UUIDs",
        arguments: [
            ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", true),
            ("6BA7B810-9dad-11d1-80b4-00c04fd430c8", false),
            ("6ba7b8109dad11d180b400c04fd430c8", false),
            ("6ba7b810-9dad-11d1-80b4-00c04fd430c", false),
            ("6ba7b810-9dad-11d1-80b4-00c04fd430c88", false),
            ("6ba7b810-9dad-11d1-80b4_00c04fd430c8", false),
            ("gba7b810-9dad-11d1-80b4-00c04fd430c8", false), ("", false),
        ]
    )
    func uuids(_ text: String, _ isValid: Bool) {
        #expect(
            Formats.uuid(text)
                == (isValid ? [] : ["must be a lowercase UUID in 8-4-4-4-12 format"])
        )
    }

    @Test(
        "check reasons of conditions",
        arguments: [
            ("Ready", true), ("A", true), ("A_", true), ("A,B:C", true), ("_A", false), ("", false),
            ("1A", false), ("A,", false), ("A B", false), ("A-B", false),
        ]
    )
    func reasons(_ text: String, _ isValid: Bool) {
        #expect(Formats.conditionReason(text).isEmpty == isValid)
    }

    @Test(
        "check annotation keys in either case",
        arguments: [
            ("a", 0), ("Example.COM/Foo", 0), ("example.com/foo", 0), ("a/b/c", 1), ("a b", 1),
            ("", 2), ("/a", 1), ("-A.com/x", 1),
        ]
    )
    func annotationKeys(_ key: String, _ count: Int) {
        #expect(Formats.annotationKey(key).count == count)
    }

    @Test(
        "check extended resource names",
        arguments: [
            ("acme.io/gpu", []),
            (
                "gpu",
                [
                    "f: Invalid value: \"gpu\": a name must be a domain-prefixed path, such as "
                        + "'example.com/my-prop'"
                ]
            ),
            (
                "kubernetes.io/gpu",
                ["f: Invalid value: \"kubernetes.io/gpu\": must not have \"kubernetes.io/\" domain"]
            ),
            (
                "requests.acme.io/gpu",
                [
                    "f: Invalid value: \"requests.acme.io/gpu\": must not have \"requests.\" prefix"
                ]
            ),
        ]
    )
    func extendedResources(_ name: String, _ expected: [String]) {
        #expect(Formats.extendedResourceName("f", name).map(\.description) == expected)
    }

    @Test(
        "check time zones",
        arguments: [
            (nil, nil), ("Europe/Berlin", nil), ("UTC", nil), ("Etc/GMT+1", nil),
            ("", "timeZone must be nil or non-empty string"),
            ("Mars/Base", "unknown time zone Mars/Base"),
            (" Europe/Berlin", "unknown time zone  Europe/Berlin"),
            ("../etc", "unknown time zone ../etc"), ("/etc", "unknown time zone /etc"),
            ("-a", "unknown time zone -a"),
            ("abcdefghijklmno", "unknown time zone abcdefghijklmno"),
            (
                "Local",
                "timeZone must be an explicit time zone as defined in "
                    + "https://www.iana.org/time-zones"
            ),
        ] as [(String?, String?)]
    )
    func timeZones(_ zone: String?, _ expected: String?) {
        let known: Set<String> = ["Europe/Berlin", "Etc/GMT+1"]
        let errors = Formats.timeZone("f", zone, isKnown: { known.contains($0) })
        #expect(errors.map(\.detail) == (expected.map { [$0] } ?? []))
    }
}
