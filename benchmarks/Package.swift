// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import PackageDescription

/// Measures this project against its peers; see docs/performance.md.
let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "apus", path: ".."),
        // The peer that messages are measured against. Nothing else uses it.
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    ],
    targets: [
        // Counts what malloc hands out.
        .target(name: "AllocationCounter"),
        // The peer's messages, made by `prepare`.
        .target(
            name: "SwiftProtobufMessages",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
        .executableTarget(
            name: "message-benchmarks",
            dependencies: [
                "AllocationCounter", "SwiftProtobufMessages",
                .product(name: "KubernetesAPI", package: "apus"),
                .product(name: "Protobuf", package: "apus"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ]
        ),
    ]
)
