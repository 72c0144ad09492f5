// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

@testable import PKI

/// 2026-01-01T00:00:00Z, the time that most tests run at.
let testTime = CertificateTime(secondsSinceEpoch: 1_767_225_600)

func days(_ count: Int) -> Duration {
    .seconds(86_400 * count)
}

/// A root CA, an intermediate CA under it and both keys, made once.
struct SampleAuthorities {
    let root: CertificateAuthority
    let intermediate: CertificateAuthority

    init() throws {
        self.root = try .root(.authority("test root"), key: PrivateKey(), at: testTime)
        let key = try PrivateKey()
        self.intermediate = try CertificateAuthority(
            certificate: self.root.issue(
                .authority("test intermediate", pathLength: 0),
                for: key.publicKey,
                at: testTime
            ),
            key: key
        )
    }

    static let shared = Result { try SampleAuthorities() }
}
