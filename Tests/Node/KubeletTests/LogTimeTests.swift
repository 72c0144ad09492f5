// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Kubelet

@Suite("LogTime")
struct LogTimeTests {
    @Test(
        "shows nine digits",
        arguments: [
            ("2026-11-28T17:04:29.32118805Z", "2026-11-28T17:04:29.321188050Z"),
            ("2026-11-28T17:04:29.321188051Z", "2026-11-28T17:04:29.321188051Z"),
            ("2026-11-28T17:04:29Z", "2026-11-28T17:04:29.000000000Z"),
            ("2026-11-28T17:04:29.5+01:00", "2026-11-28T17:04:29.500000000+01:00"),
            ("2026-11-28T17:04:29.5-05:00", "2026-11-28T17:04:29.500000000-05:00"),
            ("2026-11-28T17:04:29.", "2026-11-28T17:04:29.000000000"),
            ("nothing", "nothing"), ("", ""), ("T", "T.000000000"),
        ]
    )
    func fixes(_ text: String, _ expected: String) {
        let result = LogTime.fixed(Array(text.utf8)[...])
        #expect(String(decoding: result, as: UTF8.self) == expected)
    }
}
