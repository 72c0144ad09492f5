// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import PackageDescription

/// A program that libFuzzer drives: `Sources/<Name>` with an `LLVMFuzzerTestOneInput`.
///
/// `fuzz/run` builds it with `-sanitize=fuzzer`.
func fuzzer(_ name: String, _ products: String...) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["FuzzerEntry"] + products.map { .product(name: $0, package: "apus") },
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
    dependencies: [.package(name: "apus", path: "..")],
    targets: [
        // Hands the programs over to libFuzzer; lists their names.
        .target(name: "FuzzerEntry"),
        fuzzer("FuzzBinary", "KubernetesAPI", "Protobuf"),
        fuzzer("FuzzDNS", "Parsers"),
        fuzzer("FuzzJSON", "KubernetesAPI", "Protobuf"),
        fuzzer("FuzzPatches", "KubernetesAPI", "Parsers", "Protobuf"),
        fuzzer("FuzzQuantity", "Parsers"),
        fuzzer("FuzzRequestInfo", "Parsers"),
        fuzzer("FuzzSchema", "Parsers"),
        fuzzer("FuzzSelectors", "Parsers"),
        fuzzer("FuzzStore", "StoreParsers"),
        fuzzer("FuzzYAML", "Parsers"),
    ]
)
