// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import PackageDescription

/// Settings of every Swift target. On CI warnings are errors; on a user's machine, which may have a
/// newer compiler with new warnings, they are not.
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// A library target and its tests: `Sources/<Layer>/<Name>`, `Tests/<Layer>/<Name>Tests`.
///
/// - `tests`: what the tests import beside the target; nil when it has none.
func module(
    _ name: String,
    in layer: String,
    _ dependencies: [Target.Dependency] = [],
    tests: [Target.Dependency]? = nil,
    fixtures: [String] = [],
    excluding: [String] = []
) -> [Target] {
    var targets: [Target] = [
        .target(
            name: name,
            dependencies: dependencies,
            path: "Sources/\(layer)/\(name)",
            exclude: excluding,
            swiftSettings: settings
        )
    ]
    if let tests {
        targets.append(
            .testTarget(
                name: "\(name)Tests",
                dependencies: [.byName(name: name)] + tests,
                path: "Tests/\(layer)/\(name)Tests",
                resources: fixtures.map { .copy($0) },
                swiftSettings: settings
            )
        )
    }
    return targets
}

/// A C library of the system: headers and a module map in `Sources/System/<Name>`.
func library(_ name: String, pkgConfig: String? = nil, apt: String) -> [Target] {
    [
        .systemLibrary(
            name: name,
            path: "Sources/System/\(name)",
            pkgConfig: pkgConfig,
            providers: [.apt([apt])]
        )
    ]
}

let package = Package(
    name: "apus",
    products: [
        .executable(name: "apus-codegen", targets: ["apus-codegen"]),
        .library(name: "KubernetesAPI", targets: ["KubernetesAPI"]),
        .library(name: "Protobuf", targets: ["Protobuf", "JSON", "WellKnownTypes"]),
    ],
    dependencies: [
        // Command lines of the generator and of apus: help, completion and errors people know.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Base: no I/O.
        module("Bytes", in: "Base", tests: []),
        module("Scalars", in: "Base", tests: [], fixtures: ["Fixtures"]),

        // System: what comes from C.
        library("CLMDB", apt: "liblmdb-dev"),
        library("CNghttp2", pkgConfig: "libnghttp2", apt: "libnghttp2-dev"),
        library("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        library("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),

        // Wire: how bytes become messages and how messages travel.
        module("Descriptors", in: "Wire", tests: []),
        module(
            "JSON",
            in: "Wire",
            ["Bytes", "Protobuf", "Scalars"],
            tests: ["Descriptors", "Protobuf"]
        ),
        module(
            "Protobuf",
            in: "Wire",
            ["Bytes", "Descriptors", "RPCInterface"],
            tests: ["Bytes", "Descriptors"]
        ),
        module("RPCInterface", in: "Wire"),
        module("WellKnownTypes", in: "Wire", ["Bytes", "Protobuf"]),
        module(
            "GRPCServices",
            in: "Wire",
            ["Bytes", "Protobuf", "RPCInterface", "WellKnownTypes"]
        ),

        // API: generated types by group and version.
        module(
            "ApusAPI",
            in: "API",
            ["Bytes", "KubernetesAPI", "Protobuf", "RPCInterface", "WellKnownTypes"]
        ),
        module(
            "KubernetesAPI",
            in: "API",
            ["Bytes", "JSON", "Protobuf", "Scalars", "WellKnownTypes"],
            tests: ["Bytes", "JSON", "NodeAPI", "Protobuf", "Scalars"]
        ),
        module("NodeAPI", in: "API", ["Bytes", "Protobuf", "RPCInterface", "WellKnownTypes"]),

        // Store: etcd.
        module("EtcdAPI", in: "Store", ["Bytes", "Protobuf", "RPCInterface", "WellKnownTypes"]),

        // The generator.
        [
            .target(
                name: "SchemaCompiler",
                dependencies: ["Descriptors"],
                path: "codegen/SchemaCompiler",
                swiftSettings: settings
            ),
            .target(
                name: "SwiftEmitter",
                dependencies: ["Descriptors", "Protobuf"],
                path: "codegen/SwiftEmitter",
                swiftSettings: settings
            ),
            .executableTarget(
                name: "apus-codegen",
                dependencies: [
                    "Descriptors", "SchemaCompiler", "SwiftEmitter",
                    .product(name: "ArgumentParser", package: "swift-argument-parser"),
                ],
                path: "codegen/apus-codegen",
                swiftSettings: settings
            ),
        ],

        // Programs that tests talk to.
        [
            .executableTarget(
                name: "apus-peer",
                dependencies: [
                    "ApusAPI", "EtcdAPI", "GRPCServices", "KubernetesAPI", "NodeAPI", "Protobuf",
                    "WellKnownTypes",
                ],
                path: "Tests/Support/apus-peer",
                swiftSettings: settings
            )
        ],
    ].flatMap { $0 }
)
