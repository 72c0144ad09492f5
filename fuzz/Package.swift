// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import PackageDescription

/// A program that libFuzzer drives: `Sources/<Name>` with an `LLVMFuzzerTestOneInput`.
///
/// `fuzz/run` builds it with `-sanitize=fuzzer`.
func fuzzer(
    _ name: String,
    _ products: String...,
    others: [Target.Dependency] = []
) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["FuzzerEntry"] + products.map { .product(name: $0, package: "apus") }
            + others,
        swiftSettings: [
            .swiftLanguageMode(.v6),
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .unsafeFlags(["-parse-as-library"]),
        ]
    )
}

/// Fuzzes what reads bytes from outside; see README.md.
let package = Package(
    name: "fuzz",
    dependencies: [
        .package(name: "apus", path: ".."),
        // Buffers, and a loop without sockets to run a session on.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // Hands the programs over to libFuzzer; lists their names.
        .target(name: "FuzzerEntry"),
        fuzzer("FuzzBinary", "KubernetesAPI", "Protobuf"),
        fuzzer("FuzzDNS", "Parsers"),
        fuzzer(
            "FuzzHTTP2Session",
            "RPC",
            others: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]
        ),
        fuzzer("FuzzJSON", "KubernetesAPI", "Protobuf"),
        fuzzer("FuzzPatches", "KubernetesAPI", "Parsers", "Protobuf"),
        fuzzer("FuzzQuantity", "Parsers"),
        fuzzer("FuzzRequestInfo", "Parsers"),
        fuzzer("FuzzRPC", "RPC"),
        fuzzer("FuzzSchema", "Parsers"),
        fuzzer("FuzzSelectors", "Parsers"),
        fuzzer("FuzzStore", "StoreParsers"),
        fuzzer("FuzzYAML", "Parsers"),
    ]
)
