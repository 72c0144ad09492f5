// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import PKI

/// One question to a verifier, and the answer that is right.
struct VerificationCase: Sendable, CustomTestStringConvertible {
    var name: String
    /// The chain that is built: the root's template first, the leaf's last.
    var templates: [CertificateTemplate]
    var purpose = CertificatePurpose.server
    var host: String?
    /// When it is asked, in days after `testTime`.
    var day = 0
    /// The answer; nil when the leaf is to be trusted.
    var expected: Expected?
    /// OpenSSL judges otherwise, and why.
    var differsFromOpenSSL: String?

    var testDescription: String { self.name }

    /// The error without its details.
    enum Expected: Sendable {
        case expired, notYetValid, unknownAuthority, wrongUsage, nameMismatch, notAuthority
        case pathTooLong, nameNotPermitted, unhandledCriticalExtension, weakSignature, tooComplex
    }
}

extension VerificationError {
    var kind: VerificationCase.Expected {
        switch self {
        case .expired: .expired
        case .notYetValid: .notYetValid
        case .unknownAuthority: .unknownAuthority
        case .wrongUsage: .wrongUsage
        case .nameMismatch: .nameMismatch
        case .notAuthority: .notAuthority
        case .pathTooLong: .pathTooLong
        case .nameNotPermitted: .nameNotPermitted
        case .unhandledCriticalExtension: .unhandledCriticalExtension
        case .weakSignature: .weakSignature
        case .tooComplex: .tooComplex
        }
    }
}

/// Certificates for a case, each signed by the one before, whether it may sign or not.
struct CaseChain {
    var certificates: [Certificate]
    var leafKey: PrivateKey

    init(_ templates: [CertificateTemplate], kind: PrivateKey.Kind = .p256) throws {
        self.certificates = []
        self.leafKey = try PrivateKey(generating: kind)
        var issuer: (certificate: Certificate, key: PrivateKey)?
        for template in templates {
            let key = try PrivateKey(generating: kind)
            let certificate = try CertificateAuthority.sign(
                template,
                publicKey: key.publicKey,
                issuer: issuer?.certificate,
                key: issuer?.key ?? key,
                at: testTime
            )
            self.certificates.append(certificate)
            self.leafKey = key
            issuer = (certificate, key)
        }
    }

    var root: Certificate { self.certificates[0] }
    var intermediates: [Certificate] { Array(self.certificates.dropFirst().dropLast()) }
    var leaf: Certificate { self.certificates[self.certificates.count - 1] }
}

@Suite("CertificateVerifier")
struct VerificationTests {
    static let root = CertificateTemplate.authority("root")
    static let server = CertificateTemplate.server(
        "server",
        hosts: ["a.example", "*.w.example", "192.0.2.1", "::1"]
    )

    static func authority(
        _ name: String,
        pathLength: Int? = nil,
        days count: Int = 3_650,
        usages: [ExtendedKeyUsage] = []
    ) -> CertificateTemplate {
        var template = CertificateTemplate.authority(
            name,
            pathLength: pathLength,
            validity: days(count)
        )
        template.extendedKeyUsages = usages
        return template
    }

    static func with(
        _ template: CertificateTemplate,
        _ change: (inout CertificateTemplate) -> Void
    ) -> CertificateTemplate {
        var template = template
        change(&template)
        return template
    }

    static let cases: [VerificationCase] =
        validityCases + usageCases + authorityCases + pathLengthCases + nameCases

    static let validityCases: [VerificationCase] = [
        .init(name: "a leaf under a root", templates: [root, server]),
        .init(name: "the root itself", templates: [root]),
        .init(name: "a leaf in its last hour", templates: [root, server], day: 364),
        .init(name: "a leaf a day late", templates: [root, server], day: 366, expected: .expired),
        .init(name: "a day early", templates: [root, server], day: -1, expected: .notYetValid),
        .init(
            name: "an intermediate that is over",
            templates: [root, authority("i", days: 10), server],
            day: 11,
            expected: .expired
        ),
    ]

    static let usageCases: [VerificationCase] = [
        .init(
            name: "a server as a client",
            templates: [root, server],
            purpose: .client,
            expected: .wrongUsage
        ),
        .init(name: "a client as a client", templates: [root, .client("c")], purpose: .client),
        .init(
            name: "a client as a server",
            templates: [root, .client("c")],
            expected: .wrongUsage
        ),
        .init(name: "a client for anything", templates: [root, .client("c")], purpose: .any),
        .init(
            name: "a leaf without uses",
            templates: [root, with(server) { $0.extendedKeyUsages = [] }]
        ),
        .init(
            name: "a leaf for any use",
            templates: [root, with(server) { $0.extendedKeyUsages = [.any] }],
            differsFromOpenSSL: "anyExtendedKeyUsage is not server use to it"
        ),
        .init(
            name: "a leaf for signing code",
            templates: [root, with(server) { $0.extendedKeyUsages = [.codeSigning] }],
            expected: .wrongUsage
        ),
        .init(
            name: "an intermediate for clients only",
            templates: [root, authority("i", usages: [.clientAuthentication]), server],
            expected: .wrongUsage
        ),
        .init(
            name: "an intermediate for servers",
            templates: [root, authority("i", usages: [.serverAuthentication]), server]
        ),
        .init(
            name: "a root for clients only",
            templates: [authority("r", usages: [.clientAuthentication]), server],
            expected: .wrongUsage
        ),
    ]

    static let authorityCases: [VerificationCase] = [
        .init(
            name: "a leaf that signs",
            templates: [root, server, .server("below", hosts: ["b.example"])],
            expected: .notAuthority
        ),
        .init(
            name: "a CA whose key must not sign",
            templates: [
                root,
                with(authority("i")) {
                    $0.authority = nil
                    $0.keyUsage = [.digitalSignature]
                },
                server,
            ],
            expected: .notAuthority
        ),
        .init(
            name: "key usage without the CA flag",
            templates: [root, with(authority("i")) { $0.authority = nil }, server],
            expected: .notAuthority
        ),
    ]

    static let pathLengthCases: [VerificationCase] = [
        .init(
            name: "no CA below where none may be",
            templates: [authority("r", pathLength: 0), server]
        ),
        .init(
            name: "one CA below where none may be",
            templates: [authority("r", pathLength: 0), authority("i"), server],
            expected: .pathTooLong
        ),
        .init(
            name: "one CA below where one may be",
            templates: [authority("r", pathLength: 1), authority("i"), server]
        ),
        .init(
            name: "two CAs below where one may be",
            templates: [authority("r", pathLength: 1), authority("i"), authority("j"), server],
            expected: .pathTooLong
        ),
        .init(
            name: "an intermediate's own limit",
            templates: [root, authority("i", pathLength: 0), authority("j"), server],
            expected: .pathTooLong
        ),
        .init(
            name: "the longest chain",
            templates: [root]
                + (2..<CertificateVerifier.maximumChainLength).map { authority("i\($0)") }
                + [server]
        ),
        .init(
            name: "a chain one longer",
            templates: [root]
                + (1..<CertificateVerifier.maximumChainLength).map { authority("i\($0)") }
                + [server],
            expected: .unknownAuthority,
            differsFromOpenSSL: "its limit is 100"
        ),
    ]

    static let nameCases: [VerificationCase] =
        [
            ("a.example", true), ("A.EXAMPLE", true), ("a.example.", true), ("b.example", false),
            ("x.a.example", false), ("example", false), ("x.w.example", true), ("w.example", false),
            ("x.y.w.example", false), ("*.w.example", true), ("192.0.2.1", true),
            ("192.0.2.2", false), ("::1", true), ("0:0:0:0:0:0:0:1", true), ("::2", false),
            ("server", false), ("", false), (".example", false), ("a..example", false),
        ].map { (host: String, isCertified: Bool) in
            let quirks = [
                "a.example.": "it keeps the final dot", "": "it reads this as no question",
                ".example": "it reads this as any name below",
            ]
            return VerificationCase(
                name: "the name '\(host)'",
                templates: [root, server],
                host: host,
                expected: isCertified ? nil : .nameMismatch,
                differsFromOpenSSL: quirks[host]
            )
        } + [
            .init(
                name: "a common name alone",
                templates: [root, .server("a.example", hosts: [])],
                host: "a.example",
                expected: .nameMismatch,
                differsFromOpenSSL: "it falls back to the common name"
            ),
            .init(
                name: "a wildcard in place of a top-level domain",
                templates: [root, .server("s", hosts: ["*.example"])],
                host: "a.example",
                expected: .nameMismatch
            ),
            .init(
                name: "a wildcard within a label",
                templates: [root, .server("s", hosts: ["a*.b.example"])],
                host: "ab.b.example",
                expected: .nameMismatch,
                differsFromOpenSSL: "partial wildcards are its default"
            ),
            .init(
                name: "an address written as a DNS name",
                templates: [
                    root,
                    with(server) {
                        $0.alternativeNames = AlternativeNames(dnsNames: ["192.0.2.9"])
                    },
                ],
                host: "192.0.2.9",
                expected: .nameMismatch
            ),
        ]

    @Test("judges every case", arguments: cases)
    func judges(_ item: VerificationCase) throws {
        let chain = try CaseChain(item.templates)
        let verifier = CertificateVerifier(roots: [chain.root])
        var kind: VerificationCase.Expected?
        do throws(VerificationError) {
            let found = try verifier.verify(
                chain.leaf,
                intermediates: chain.intermediates.reversed(),
                purpose: item.purpose,
                name: item.host.map(CertificateVerifier.Name.init(host:)),
                at: testTime.advanced(by: days(item.day))
            )
            #expect(found == chain.certificates.reversed())
        } catch {
            kind = error.kind
            #expect(!error.description.isEmpty)
        }
        #expect(kind == item.expected)
    }

    @Test("RSA chains are judged alike")
    func rsa() throws {
        let chain = try CaseChain([Self.root, Self.authority("i"), Self.server], kind: .rsa2048)
        let found = try CertificateVerifier(roots: [chain.root]).verify(
            chain.leaf,
            intermediates: chain.intermediates,
            purpose: .server,
            at: testTime
        )
        #expect(found.count == 3)
    }

    @Test("another CA of the same name is not the CA")
    func wrongAuthority() throws {
        let chain = try CaseChain([Self.root, Self.server])
        let other = try CaseChain([Self.root])
        #expect(throws: VerificationError.unknownAuthority(issuer: "CN=root")) {
            try CertificateVerifier(roots: [other.root]).verify(
                chain.leaf,
                intermediates: [chain.root],
                purpose: .server,
                at: testTime
            )
        }
        #expect(throws: VerificationError.unknownAuthority(issuer: "CN=root")) {
            try CertificateVerifier(roots: []).verify(chain.leaf, purpose: .server, at: testTime)
        }
        // With both of them trusted, the right one is found.
        let both = CertificateVerifier(roots: [other.root, chain.root])
        #expect(
            try both.verify(chain.leaf, purpose: .server, at: testTime) == [
                chain.leaf, chain.root,
            ]
        )
    }

    @Test("a missing intermediate is the one that is named")
    func missingIntermediate() throws {
        let chain = try CaseChain([Self.root, Self.authority("i"), Self.server])
        #expect(throws: VerificationError.unknownAuthority(issuer: "CN=i")) {
            try CertificateVerifier(roots: [chain.root])
                .verify(chain.leaf, purpose: .server, at: testTime)
        }
    }

    @Test("a trusted leaf needs nobody's word, but its own rules hold")
    func trustedLeaf() throws {
        let chain = try CaseChain([Self.root, Self.server])
        let verifier = CertificateVerifier(roots: [chain.leaf])
        #expect(
            try verifier.verify(chain.leaf, purpose: .server, at: testTime) == [chain.leaf]
        )
        #expect(throws: VerificationError.self) {
            try verifier.verify(chain.leaf, purpose: .client, at: testTime)
        }
    }

    @Test("an unbroken way is found past broken ones")
    func alternatives() throws {
        // The same intermediate key, certified twice: once over, once valid.
        let root = try CertificateAuthority.root(Self.root, key: PrivateKey(), at: testTime)
        let key = try PrivateKey()
        let over = try root.issue(Self.authority("i", days: 1), for: key.publicKey, at: testTime)
        let good = try root.issue(Self.authority("i"), for: key.publicKey, at: testTime)
        let leaf = try CertificateAuthority(certificate: good, key: key)
            .issueKeyPair(Self.server, at: testTime).certificate
        let verifier = CertificateVerifier(roots: [root.certificate])
        let now = testTime.advanced(by: days(2))
        for intermediates in [[over, good], [good, over]] {
            let found = try verifier.verify(
                leaf,
                intermediates: intermediates,
                purpose: .server,
                at: now
            )
            #expect(found == [leaf, good, root.certificate])
        }
        #expect(throws: VerificationError.expired(subject: "CN=i", notAfter: over.notAfter)) {
            try verifier.verify(leaf, intermediates: [over], purpose: .server, at: now)
        }
    }

    @Test("a thicket of cross-signed CAs costs a bounded number of checks")
    func thicket() throws {
        // Every CA has signed every other one; none leads to the root.
        let keys = try (0..<8).map { _ in try PrivateKey() }
        let roots = try keys.enumerated().map { index, key in
            try CertificateAuthority.root(Self.authority("ca\(index)"), key: key, at: testTime)
        }
        var intermediates: [Certificate] = []
        for (index, key) in keys.enumerated() {
            for issuer in roots where issuer.certificate.publicKey != key.publicKey {
                intermediates.append(
                    try issuer.issue(
                        Self.authority("ca\(index)"),
                        for: key.publicKey,
                        at: testTime
                    )
                )
            }
        }
        let leaf = try roots[0].issueKeyPair(Self.server, at: testTime).certificate
        let stranger = try CaseChain([Self.root]).root
        #expect(throws: VerificationError.tooComplex) {
            try CertificateVerifier(roots: [stranger]).verify(
                leaf,
                intermediates: intermediates,
                purpose: .server,
                at: testTime
            )
        }
    }
}
