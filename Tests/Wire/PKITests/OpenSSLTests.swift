// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import PKI

/// OpenSSL as the other side: it reads what we write, we read what it writes, and both judge the
/// same chains.
@Suite("OpenSSL", .enabled(if: hasOpenSSL))
struct OpenSSLTests {
    /// Whether `openssl verify` trusts the chain.
    private func trusts(
        root: String,
        intermediates: String,
        leaf: String,
        purpose: CertificatePurpose,
        host: String?,
        at time: CertificateTime,
        in folder: TemporaryFolder
    ) throws -> CommandResult {
        var command = [
            "openssl", "verify", "-CAfile", try folder.write(root, to: "root.pem"),
            "-no-CApath", "-no-CAstore", "-attime", "\(time.secondsSinceEpoch)",
        ]
        if !intermediates.isEmpty {
            command += ["-untrusted", try folder.write(intermediates, to: "intermediates.pem")]
        }
        switch purpose {
        case .server: command += ["-purpose", "sslserver"]
        case .client: command += ["-purpose", "sslclient"]
        case .any: command += ["-purpose", "any"]
        }
        if let host {
            command += [HostAddress(host) == nil ? "-verify_hostname" : "-verify_ip", host]
        }
        return try run(
            command + [try folder.write(leaf, to: "leaf.pem")],
            allowFailure: true
        )
    }

    @Test("judges every case as we do", arguments: VerificationTests.cases)
    func judges(_ item: VerificationCase) throws {
        let chain = try CaseChain(item.templates)
        let result = try self.trusts(
            root: chain.root.pem,
            intermediates: chain.intermediates.map(\.pem).joined(),
            leaf: chain.leaf.pem,
            purpose: item.purpose,
            host: item.host,
            at: testTime.advanced(by: days(item.day)),
            in: try TemporaryFolder()
        )
        let differs = item.differsFromOpenSSL != nil
        #expect((result.code == 0) == ((item.expected == nil) != differs), "\(result.output)")
    }

    @Test("reads every field of a certificate", arguments: PrivateKeyTests.quickKinds)
    func readsCertificate(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        let root = try CertificateAuthority.root(.authority("r"), key: key, at: testTime)
        let certificate = try root.issue(CertificateTests.full, for: key.publicKey, at: testTime)
        let folder = try TemporaryFolder()
        let path = try folder.write(certificate.pem, to: "certificate")
        let text = try run(
            "openssl",
            "x509",
            "-in",
            path,
            "-noout",
            "-text",
            "-nameopt",
            "RFC2253,-esc_msb"
        ).output
        for line in [
            "Version: 3 (0x2)",
            "Issuer: CN=r",
            "Not Before: Dec 31 23:55:00 2025 GMT",
            "Not After : Jan 31 00:00:00 2026 GMT",
            "Subject: CN=system:node:a.example,OU=unit,O=zürich,O=system:nodes",
            "X509v3 Basic Constraints: critical",
            "CA:FALSE",
            "X509v3 Key Usage: critical",
            "Digital Signature, Key Agreement, Decipher Only",
            "TLS Web Server Authentication, TLS Web Client Authentication, 1.2.3.4",
            "DNS:a.example, DNS:*.b.example, email:x@example.org, IP Address:192.0.2.7, "
                + "IP Address:2001:DB8:0:0:0:0:0:7, URI:spiffe://cluster.local/ns/a/sa/b",
        ] {
            #expect(text.contains(line), "\(line)\nin\n\(text)")
        }
        // Key identifiers as OpenSSL would make them: the SHA-1 of the key's bits.
        let folded = text.replacing("\n", with: "").replacing(" ", with: "")
        let identifier = try #require(certificate.subjectKeyIdentifier).map(hex).joined(
            separator: ":"
        )
        #expect(folded.contains("SubjectKeyIdentifier:\(identifier)"))
        #expect(folded.contains("AuthorityKeyIdentifier:\(identifier)"))
        let fingerprint = try run(
            "openssl",
            "x509",
            "-in",
            path,
            "-noout",
            "-fingerprint",
            "-sha256"
        ).output
        let ours = certificate.fingerprint.map(hex).joined(separator: ":")
        #expect(fingerprint.contains(ours))
    }

    private func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "0" + digits : digits
    }

    @Test("reads and verifies our requests", arguments: PrivateKeyTests.quickKinds)
    func readsRequest(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        let request = try CertificateRequest(CertificateTests.full, key: key)
        let folder = try TemporaryFolder()
        let path = try folder.write(request.pem, to: "request")
        let text = try run("openssl", "req", "-in", path, "-noout", "-verify", "-text").output
        #expect(text.contains("self-signature verify OK"))
        #expect(text.contains("DNS:a.example, DNS:*.b.example"))
    }

    @Test("its requests are signed here and trusted there", arguments: ["ec", "rsa"])
    func signsRequest(kind: String) throws {
        let folder = try TemporaryFolder()
        let newKey =
            kind == "rsa" ? "rsa:2048" : "ec -pkeyopt ec_paramgen_curve:P-256"
        try run(
            "sh",
            "-c",
            """
            cd \(folder.path) && openssl req -new -nodes -newkey \(newKey) -keyout key \
            -subj '/O=system:nodes/CN=system:node:n' -out request \
            -addext 'subjectAltName=DNS:n.example,IP:192.0.2.3' \
            -addext 'keyUsage=digitalSignature' -addext 'extendedKeyUsage=serverAuth'
            """
        )
        let request = try CertificateRequest(pem: folder.read("request"))
        #expect(
            request.subject == Subject(commonName: "system:node:n", organizations: ["system:nodes"])
        )
        #expect(request.alternativeNames == AlternativeNames(hosts: ["n.example", "192.0.2.3"]))
        #expect(request.keyUsage == .digitalSignature)
        #expect(request.extendedKeyUsages == [.serverAuthentication])
        #expect(try PrivateKey(pem: folder.read("key")).publicKey == request.publicKey)
        let root = try SampleAuthorities.shared.get().root
        let certificate = try root.sign(request, at: testTime)
        let result = try self.trusts(
            root: root.certificate.pem,
            intermediates: "",
            leaf: certificate.pem,
            purpose: .server,
            host: "n.example",
            at: testTime,
            in: folder
        )
        #expect(result.code == 0, "\(result.output)")
    }

    /// A chain that OpenSSL makes, for what our own templates cannot say.
    struct Made: Sendable, CustomTestStringConvertible {
        var name: String
        /// Extensions of the CA and of the leaf, in the words of openssl.cnf.
        var authority = ""
        var leaf = "subjectAltName=DNS:a.example"
        /// The subject that the leaf asks for.
        var subject = "/CN=leaf"
        /// Options for signing the leaf.
        var options = ""
        var expected: VerificationCase.Expected?
        /// OpenSSL judges otherwise, and why.
        var differsFromOpenSSL: String?
        var testDescription: String { self.name }
    }

    @Test(
        "judges what it makes as it does",
        arguments: [
            Made(name: "nothing special"),
            Made(name: "no extension but a name", leaf: "subjectAltName=IP:192.0.2.1"),
            Made(
                name: "an unknown extension",
                leaf: "1.2.3.4=ASN1:UTF8String:x"
            ),
            Made(
                name: "an unknown critical extension",
                leaf: "1.2.3.4=critical,ASN1:UTF8String:x",
                expected: .unhandledCriticalExtension
            ),
            Made(
                name: "an unknown critical extension of the CA",
                authority: "1.2.3.4=critical,ASN1:UTF8String:x",
                expected: .unhandledCriticalExtension
            ),
            Made(
                name: "SHA-1",
                options: "-sha1",
                expected: .weakSignature,
                differsFromOpenSSL: "it has to be told by a security level"
            ),
            Made(name: "SHA-512", options: "-sha512"),
            Made(
                name: "a permitted DNS name",
                authority: "nameConstraints=critical,permitted;DNS:example"
            ),
            Made(
                name: "a DNS name that is not permitted",
                authority: "nameConstraints=critical,permitted;DNS:b.example",
                expected: .nameNotPermitted
            ),
            Made(
                name: "a name that only ends alike",
                authority: "nameConstraints=critical,permitted;DNS:ample",
                expected: .nameNotPermitted
            ),
            Made(
                name: "an excluded DNS name",
                authority: "nameConstraints=critical,excluded;DNS:a.example",
                expected: .nameNotPermitted
            ),
            Made(
                name: "another excluded DNS name",
                authority: "nameConstraints=critical,excluded;DNS:b.example"
            ),
            Made(
                name: "an address in a permitted range",
                authority: "nameConstraints=critical,permitted;IP:192.0.2.0/255.255.255.0",
                leaf: "subjectAltName=IP:192.0.2.1"
            ),
            Made(
                name: "an address outside",
                authority: "nameConstraints=critical,permitted;IP:192.0.2.0/255.255.255.0",
                leaf: "subjectAltName=IP:192.0.3.1",
                expected: .nameNotPermitted
            ),
            Made(
                name: "an address in an excluded range",
                authority: "nameConstraints=critical,excluded;IP:192.0.2.0/255.255.255.0",
                leaf: "subjectAltName=IP:192.0.2.1",
                expected: .nameNotPermitted
            ),
            Made(
                name: "IPv6 under a constraint on IPv4",
                authority: "nameConstraints=critical,permitted;IP:192.0.2.0/255.255.255.0",
                leaf: "subjectAltName=IP:2001:db8::1",
                expected: .nameNotPermitted
            ),
            Made(
                name: "an address under a constraint on DNS names",
                authority: "nameConstraints=critical,permitted;DNS:b.example",
                leaf: "subjectAltName=IP:192.0.2.1"
            ),
            Made(
                name: "a constraint on mail and none in the leaf",
                authority: "nameConstraints=critical,permitted;email:example.org"
            ),
            Made(
                name: "a constraint on mail and one in the leaf",
                authority: "nameConstraints=critical,permitted;email:example.net",
                leaf: "subjectAltName=email:x@example.org",
                expected: .nameNotPermitted
            ),
        ]
    )
    func judgesMade(_ made: Made) throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            basicConstraints=critical,CA:TRUE
            keyUsage=critical,keyCertSign
            subjectKeyIdentifier=hash
            \(made.authority)
            """,
            to: "ca.cnf"
        )
        try folder.write("basicConstraints=CA:FALSE\n\(made.leaf)\n", to: "leaf.cnf")
        try run(
            "sh",
            "-c",
            """
            cd \(folder.path) && set -e
            openssl req -new -nodes -newkey rsa:2048 -keyout ca.key -subj /CN=made -out ca.req
            openssl x509 -req -in ca.req -signkey ca.key -extfile ca.cnf -days 10 -out ca.crt
            openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout leaf.key \
            -subj '\(made.subject)' -out leaf.req
            openssl x509 -req -in leaf.req -CA ca.crt -CAkey ca.key -CAcreateserial \
            -extfile leaf.cnf -days 5 \(made.options) -out leaf.crt
            """
        )
        let root = try Certificate(pem: folder.read("ca.crt"))
        let leaf = try Certificate(pem: folder.read("leaf.crt"))
        var kind: VerificationCase.Expected?
        do throws(VerificationError) {
            _ = try CertificateVerifier(roots: [root])
                .verify(leaf, purpose: .server, at: .now())
        } catch {
            kind = error.kind
        }
        #expect(kind == made.expected)
        let result = try self.trusts(
            root: root.pem,
            intermediates: "",
            leaf: leaf.pem,
            purpose: .server,
            host: nil,
            at: .now(),
            in: folder
        )
        let differs = made.differsFromOpenSSL != nil
        #expect((result.code == 0) == ((made.expected == nil) != differs), "\(result.output)")
    }

    @Test("trusts every certificate of a cluster")
    func cluster() throws {
        let folder = try TemporaryFolder()
        _ = try ClusterPKITests.pki.ensure(in: folder.path, at: .now())
        for (issuer, leaves) in [
            "ca": ["apiserver", "kubelet", "apiserver-kubelet-client", "clients/admin"],
            "etcd/ca": ["etcd/server", "etcd/peer", "etcd/healthcheck-client"],
            "front-proxy-ca": ["front-proxy-client"],
        ] {
            for leaf in leaves {
                let result = try run(
                    "openssl",
                    "verify",
                    "-x509_strict",
                    "-CAfile",
                    folder.file("\(issuer).crt"),
                    folder.file("\(leaf).crt"),
                    allowFailure: true
                )
                #expect(result.code == 0, "\(leaf): \(result.output)")
            }
        }
        let keys = try run(
            "sh",
            "-c",
            """
            cd \(folder.path) && openssl pkey -in sa.key -pubout | cmp - sa.pub &&
            openssl pkey -in apiserver.key -pubout > a &&
            openssl x509 -in apiserver.crt -noout -pubkey | cmp - a
            """
        )
        #expect(keys.code == 0)
    }
}
