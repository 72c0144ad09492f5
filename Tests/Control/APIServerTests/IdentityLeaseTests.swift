// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Testing

@testable import APIServer

@Suite("Identity lease")
struct IdentityLeaseTests {
    @Test(
        "a host's server has a name of its own, as sha256sum and base32 make it",
        arguments: [
            ("localhost", "apiserver-jgla3zmib2ggq5buc4hwi5talm"),
            ("node-1", "apiserver-gwlrxzxjxmbevckvql7a4qxaja"),
        ]
    )
    func names(host: String, name: String) {
        #expect(IdentityLease.name(of: host) == name)
    }
}
