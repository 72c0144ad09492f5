// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import PKI

/// Python's `cryptography` as the other side; its verifier is strict about the web's rules.
@Suite("Python cryptography", .enabled(if: hasPythonCryptography))
struct PythonTests {
    @Test("trusts our servers and clients", arguments: [PrivateKey.Kind.p256, .p384, .rsa2048])
    func trusts(kind: PrivateKey.Kind) throws {
        let chain = try CaseChain(
            [
                .authority("root"), .authority("i", pathLength: 0),
                VerificationTests.with(.server("", hosts: ["a.example", "192.0.2.1"])) {
                    $0.extendedKeyUsages.append(.clientAuthentication)
                },
            ],
            kind: kind
        )
        let folder = try TemporaryFolder()
        try folder.write(chain.root.pem, to: "root")
        try folder.write(chain.intermediates.map(\.pem).joined(), to: "intermediates")
        try folder.write(chain.leaf.pem, to: "leaf")
        try folder.write(chain.leafKey.pem, to: "key")
        let script = """
            import datetime, ipaddress, sys
            from cryptography import x509
            from cryptography.hazmat.primitives import serialization
            from cryptography.x509 import verification
            folder = sys.argv[1]
            def read(name): return open(f"{folder}/{name}", "rb").read()
            root = x509.load_pem_x509_certificate(read("root"))
            intermediates = x509.load_pem_x509_certificates(read("intermediates"))
            leaf = x509.load_pem_x509_certificate(read("leaf"))
            key = serialization.load_pem_private_key(read("key"), None)
            form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
            assert key.public_key().public_bytes(*form) == leaf.public_key().public_bytes(*form)
            builder = verification.PolicyBuilder().store(verification.Store([root])).time(
                datetime.datetime.fromtimestamp(int(sys.argv[2]), datetime.timezone.utc))
            for subject in (x509.DNSName("a.example"),
                            x509.IPAddress(ipaddress.ip_address("192.0.2.1"))):
                found = builder.build_server_verifier(subject).verify(leaf, intermediates)
                assert len(found) == 3
            builder.build_client_verifier().verify(leaf, intermediates)
            try:
                builder.build_server_verifier(x509.DNSName("b.example")).verify(leaf, intermediates)
                raise SystemExit("trusted under another name")
            except verification.VerificationError:
                print("trusted")
            """
        let result = try run(
            "python3",
            "-c",
            script,
            folder.path,
            "\(testTime.secondsSinceEpoch)"
        )
        #expect(result.output == "trusted\n")
    }

    /// Makes chains at random and writes each as one line: the root, the intermediates and the
    /// leaf, as base 64 of their DER.
    private static let randomChains = """
        import base64, datetime, random, sys
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID as Usage, NameOID
        seed, count, now = (int(argument) for argument in sys.argv[1:])
        choose = random.Random(seed)
        now = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
        keys = [ec.generate_private_key(choose.choice([ec.SECP256R1(), ec.SECP384R1()]))
                for _ in range(6)]
        def usually(usual, *others): return usual if choose.random() < 0.92 else choose.choice(others)
        def certificate(name, key, issuer, issuer_key, is_leaf):
            begin = now - usually(datetime.timedelta(1), datetime.timedelta(-2))
            end = now + usually(datetime.timedelta(20), datetime.timedelta(-0.5))
            builder = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(min(begin, end - datetime.timedelta(1))).not_valid_after(end))
            is_ca = usually(not is_leaf, is_leaf)
            has_constraints = usually(True, False) or is_leaf
            if has_constraints:
                length = usually(None, 0, 1, 2) if is_ca else None
                builder = builder.add_extension(x509.BasicConstraints(is_ca, length), True)
            usages = usually(None, [Usage.SERVER_AUTH], [Usage.CLIENT_AUTH],
                             [Usage.SERVER_AUTH, Usage.CLIENT_AUTH], [Usage.CODE_SIGNING])
            if usages:
                builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
            # Without constraints OpenSSL goes by the key usage, as for certificates of old.
            if not is_leaf and has_constraints and choose.random() < 0.5:
                signs = usually(True, False)
                builder = builder.add_extension(x509.KeyUsage(
                    True, False, False, False, False, signs, signs, False, False), True)
            if is_leaf:
                names = [x509.DNSName(usually("a.example", "b.example", "*.example", "*.a.example"))]
                builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
            return builder.sign(issuer_key, hashes.SHA256())
        for _ in range(count):
            length = choose.choice([2, 2, 3, 3, 4, 5])
            names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"c{i}")])
                     for i in range(length)]
            line = []
            for i in range(length):
                above = max(i - 1, 0)
                signer = keys[above] if choose.random() < 0.95 else keys[5]
                line.append(certificate(names[i], keys[i], names[above], signer, i == length - 1))
            print(*(base64.b64encode(c.public_bytes(serialization.Encoding.DER)).decode()
                    for c in line))
        """

    @Test(
        "random chains are judged as OpenSSL judges them",
        .enabled(if: hasOpenSSL),
        arguments: 1...4
    )
    func random(seed: Int) throws {
        let lines = try run(
            "python3",
            "-c",
            Self.randomChains,
            "\(seed)",
            "60",
            "\(testTime.secondsSinceEpoch)"
        ).output.split(separator: "\n")
        #expect(lines.count == 60)
        let folder = try TemporaryFolder()
        var accepted = 0
        for line in lines {
            let chain = try line.split(separator: " ").map { base64 in
                try Certificate(
                    pem: "-----BEGIN CERTIFICATE-----\n\(base64)\n-----END CERTIFICATE-----\n"
                )
            }
            let root = try #require(chain.first)
            let leaf = try #require(chain.last)
            let intermediates = Array(chain.dropFirst().dropLast())
            let answer = Result { () throws(VerificationError) in
                try CertificateVerifier(roots: [root]).verify(
                    leaf,
                    intermediates: intermediates,
                    purpose: .server,
                    name: .dns("a.example"),
                    at: testTime
                )
            }
            var command = [
                "openssl", "verify", "-CAfile", try folder.write(root.pem, to: "root"),
                "-no-CApath", "-no-CAstore", "-attime", "\(testTime.secondsSinceEpoch)",
                "-purpose", "sslserver", "-verify_hostname", "a.example",
            ]
            if !intermediates.isEmpty {
                let text = intermediates.map(\.pem).joined()
                command += ["-untrusted", try folder.write(text, to: "intermediates")]
            }
            command.append(try folder.write(leaf.pem, to: "leaf"))
            let peer = try run(command, allowFailure: true)
            let ours = (try? answer.get()) != nil
            if ours { accepted += 1 }
            #expect(ours == (peer.code == 0), "\(answer)\n\(peer.output)\n\(line)")
        }
        // Both answers have to occur, or the test says little.
        #expect(accepted > 3)
        #expect(accepted < 57)
    }
}
