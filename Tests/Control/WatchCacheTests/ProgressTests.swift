// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import WatchCache

@Suite("StoreCache, progress")
struct ProgressTests {
    @Test(
        "knows the stores whose answers about progress overtake events",
        arguments: [
            ("3.4.23", false), ("3.4.30", false), ("3.4.31", true), ("3.5.0", false),
            ("3.5.12", false), ("3.5.13", true), ("3.6.0", true), ("3.6.0-rc.1", true),
            ("4.0.0", true), ("3.3.27", false), ("2.3.8", false), ("", false), ("3.6", false),
        ]
    )
    func trust(version: String, isTrusted: Bool) {
        #expect(StoreCache.trustsProgress(ofVersion: version) == isTrusted)
    }
}
