// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import PKI

@Suite("PrivateKey")
struct PrivateKeyTests {
    /// Every kind that is made here but the slow ones, which OpenSSL makes below.
    static let quickKinds: [PrivateKey.Kind] = [.p256, .p384, .rsa2048]

    @Test("survives PKCS#8 and its own form", arguments: quickKinds)
    func roundTrip(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        #expect(try PrivateKey(pem: key.pem).publicKey == key.publicKey)
        #expect(try PrivateKey(pem: key.traditionalPEM).publicKey == key.publicKey)
        #expect(try PrivateKey(der: key.pkcs8).pkcs8 == key.pkcs8)
        #expect(key.pem.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        let label = kind == .rsa2048 ? "RSA" : "EC"
        #expect(key.traditionalPEM.hasPrefix("-----BEGIN \(label) PRIVATE KEY-----\n"))
    }

    @Test("two keys are not the same", arguments: quickKinds)
    func distinct(kind: PrivateKey.Kind) throws {
        let keys = try (0..<2).map { _ in try PrivateKey(generating: kind).publicKey }
        #expect(keys[0] != keys[1])
    }

    @Test("RSA keys have the length asked for", arguments: [PrivateKey.Kind.rsa2048, .rsa3072])
    func rsaLength(kind: PrivateKey.Kind) throws {
        let bits = kind.rawValue.drop { $0 != "-" }.dropFirst()
        #expect(try PrivateKey(generating: kind).publicKey.description == "RSA\(bits)")
    }

    @Test("a public key survives DER and PEM", arguments: quickKinds)
    func publicRoundTrip(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind).publicKey
        #expect(try PublicKey(der: key.der) == key)
        #expect(try PublicKey(pem: key.pem) == key)
    }

    @Test("a key cut off at any byte is an error", arguments: quickKinds)
    func truncatedDER(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        for count in 0..<key.pkcs8.count {
            #expect(throws: PKIError.self) { try PrivateKey(der: Array(key.pkcs8[..<count])) }
        }
        #expect(throws: PKIError.self) { try PrivateKey(der: key.pkcs8 + [0]) }
        let publicDER = key.publicKey.der
        for count in 0..<publicDER.count {
            #expect(throws: PKIError.self) { try PublicKey(der: Array(publicDER[..<count])) }
        }
    }

    @Test("the PEM of a key cut off at any byte is an error", arguments: quickKinds)
    func truncatedPEM(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        for pem in [key.pem, key.traditionalPEM].map({ Array($0.utf8) }) {
            // Without its last line feed it is still whole.
            for count in 0..<(pem.count - 1) {
                #expect(throws: PKIError.self) { try PrivateKey(pem: pem[..<count]) }
            }
            #expect(throws: Never.self) { try PrivateKey(pem: pem.dropLast()) }
        }
    }

    @Test("a changed byte is an error or another key, never a trap", arguments: quickKinds)
    func mutated(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        let der = key.pkcs8
        for position in der.indices {
            for change: UInt8 in [0x01, 0x80, 0xFF] {
                var changed = der
                changed[position] ^= change
                if let read = try? PrivateKey(der: changed) { _ = read.publicKey.der }
            }
        }
        #expect(try PrivateKey(der: der).publicKey == key.publicKey)
    }

    @Test("reads a key among other blocks")
    func amongOthers() throws {
        let key = try PrivateKey()
        let text = "hello\n" + PEM.encode(label: "EC PARAMETERS", content: [5, 0]) + key.pem
        #expect(try PrivateKey(pem: text).publicKey == key.publicKey)
        #expect(
            throws: PKIError.missingPEMBlock(wanted: "PRIVATE KEY", found: ["PUBLIC KEY"])
        ) {
            try PrivateKey(pem: key.publicKey.pem)
        }
    }

    @Test("refuses a DER above the limit")
    func sizeLimit() {
        let large = [UInt8](repeating: 0x30, count: PrivateKey.maximumDERBytes + 1)
        let error = PKIError.tooLarge(bytes: large.count, limit: PrivateKey.maximumDERBytes)
        #expect(throws: error) { try PrivateKey(der: large) }
        #expect(throws: error) { try PublicKey(der: large) }
    }

    struct Foreign: Sendable, CustomTestStringConvertible {
        var name: String
        /// A shell line that writes the key to `$OUT`.
        var command: String
        var kind: String
        var testDescription: String { self.name }
    }

    @Test(
        "reads what OpenSSL makes",
        .enabled(if: hasOpenSSL),
        arguments: [
            Foreign(
                name: "SEC1 with parameters",
                command: "openssl ecparam -name prime256v1 -genkey -out $OUT",
                kind: "P256"
            ),
            Foreign(
                name: "PKCS#8 P-256",
                command: "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $OUT",
                kind: "P256"
            ),
            Foreign(
                name: "PKCS#8 P-384",
                command: "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out $OUT",
                kind: "P384"
            ),
            Foreign(
                name: "PKCS#8 P-521",
                command: "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out $OUT",
                kind: "P521"
            ),
            Foreign(
                name: "PKCS#1 RSA",
                command: "openssl genrsa -traditional -out $OUT 2048",
                kind: "RSA2048"
            ),
            Foreign(
                name: "PKCS#8 RSA",
                command: "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out $OUT",
                kind: "RSA3072"
            ),
            Foreign(
                name: "Ed25519",
                command: "openssl genpkey -algorithm ED25519 -out $OUT",
                kind: "Ed25519"
            ),
        ]
    )
    func foreign(_ foreign: Foreign) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("key")
        try run("sh", "-c", "OUT=\(path); \(foreign.command)")
        let key = try PrivateKey(pem: folder.read("key"))
        #expect(key.publicKey.description == foreign.kind)
        // And OpenSSL agrees about the public half of what we write.
        let publicPEM = try run("openssl", "pkey", "-in", path, "-pubout").output
        for text in [key.pem, key.traditionalPEM] {
            let copy = try folder.write(text, to: "copy")
            let result = try run("openssl", "pkey", "-in", copy, "-check", "-pubout")
            #expect(result.output.contains(publicPEM))
        }
        #expect(try PublicKey(pem: publicPEM) == key.publicKey)
    }

    @Test(
        "says why it does not take a key",
        .enabled(if: hasOpenSSL),
        arguments: [
            ("openssl ecparam -name secp256k1 -genkey -noout -out $OUT", "unsupported"),
            ("openssl genpkey -algorithm X25519 -out $OUT", "unsupported"),
            (
                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes128 "
                    + "-pass pass:x -out $OUT", "unsupported"
            ),
            ("openssl genrsa -traditional -aes128 -passout pass:x -out $OUT 2048", "malformed PEM"),
            ("openssl genrsa -out $OUT 1024", "malformed key"),
            (
                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
                    + "-pkeyopt ec_param_enc:explicit -out $OUT", "unsupported"
            ),
        ]
    )
    func unsupported(command: String, reason: String) throws {
        let folder = try TemporaryFolder()
        try run("sh", "-c", "OUT=\(folder.file("key")); \(command)")
        let error = #expect(throws: PKIError.self) { try PrivateKey(pem: folder.read("key")) }
        #expect(error?.description.hasPrefix(reason) == true, "\(String(describing: error))")
    }
}
