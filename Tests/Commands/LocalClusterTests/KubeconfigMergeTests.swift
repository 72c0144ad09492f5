// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import Testing

@testable import LocalCluster

@Suite("KubeconfigMerge")
struct KubeconfigMergeTests {
    private static func value(_ text: String) throws -> DynamicValue {
        try DynamicValue(json: Array(text.utf8))
    }

    @Test(
        "replaces entries of the same names, and keeps the rest",
        arguments: [
            ("null", #"{"clusters":[{"name":"a","n":1}],"current-context":"x"}"#),
            (
                #"{"kind":"Config","clusters":[{"name":"b"}],"current-context":"y"}"#,
                """
                {"kind":"Config","clusters":[{"name":"b"},{"name":"a","n":1}],\
                "current-context":"x","contexts":[],"users":[]}
                """
            ),
            (
                #"{"clusters":[{"name":"a","n":0}],"users":[{"name":"u"}],"preferences":{}}"#,
                """
                {"clusters":[{"name":"a","n":1}],"contexts":[],"users":[{"name":"u"}],\
                "preferences":{},"current-context":"x"}
                """
            ),
        ]
    )
    func merge(target: String, result: String) throws {
        let source = try Self.value(#"{"clusters":[{"name":"a","n":1}],"current-context":"x"}"#)
        #expect(
            try KubeconfigMerge.merge(source, into: Self.value(target)) == Self.value(result)
        )
    }
}
