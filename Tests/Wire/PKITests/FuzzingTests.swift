// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import PKI

@Suite("fuzzPKI")
struct FuzzingTests {
    /// What the fuzzer starts from: each reader's own kind of input.
    private func seeds() throws -> [[UInt8]] {
        let root = try SampleAuthorities.shared.get().root
        let pair = try root.issueKeyPair(CertificateTests.full, at: testTime)
        let request = try CertificateRequest(CertificateTests.full, key: pair.key)
        return [
            [0] + Array((pair.certificate.pem + pair.key.pem).utf8),
            [1] + pair.certificate.der,
            [2] + Array(pair.certificate.pem.utf8),
            [3] + request.der,
            [4] + pair.key.pkcs8,
            [5] + Array(pair.key.traditionalPEM.utf8),
            [6] + pair.key.publicKey.der,
            [7] + Array("192.0.2.1\n::1\na.example".utf8),
        ]
    }

    @Test("every reader survives random damage")
    func damage() throws {
        var generator = SystemRandomNumberGenerator()
        for seed in try self.seeds() {
            fuzz(seed)
            for _ in 0..<300 {
                var bytes = seed
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let position = Int.random(in: 1..<bytes.count, using: &generator)
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: bytes[position] = .random(in: .min ... .max, using: &generator)
                    case 1: bytes.remove(at: position)
                    case 2: bytes.insert(bytes[position], at: position)
                    default: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                    }
                    if bytes.count < 2 { break }
                }
                fuzz(bytes)
            }
        }
        // What does not trap has passed; that it still reads well-formed input is shown here.
        let root = try SampleAuthorities.shared.get().root.certificate
        #expect((try? Certificate(der: root.der)) == root)
    }

    private func fuzz(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { fuzzPKI($0) }
    }
}
