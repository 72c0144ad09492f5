// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import PackageDescription

/// Settings of every Swift target. On CI warnings are errors; on a user's machine, which may have a
/// newer compiler with new warnings, they are not. A debug build checks at run time that no two
/// accesses to a variable overlap, and so do all tests; a release build leaves that out, which was a
/// fifth of the scheduler's processor time.
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// The modules whose tests are built: all of them, or, while iterating, those that `APUS_TESTS` names
/// (`APUS_TESTS=RPC,HTTP swift test`).
let testedModules: Set<String>? = Context.environment["APUS_TESTS"].map { names in
    Set(names.split(separator: ",").map(String.init))
}

/// Whether the tests of a module are built.
func isTested(_ name: String) -> Bool {
    testedModules?.contains(name) ?? true
}

/// A library target and its tests: `Sources/<Layer>/<Name>`, `Tests/<Layer>/<Name>Tests`.
///
/// - `tests`: what the tests import beside the target; nil when it has none.
/// - `files`: what lies in the folder of the tests and is no source: they read it by path.
func module(
    _ name: String,
    in layer: String,
    _ dependencies: [Target.Dependency] = [],
    tests: [Target.Dependency]? = nil,
    files: [String] = []
) -> [Target] {
    var targets: [Target] = [
        .target(
            name: name,
            dependencies: dependencies,
            path: "Sources/\(layer)/\(name)",
            swiftSettings: settings
        )
    ]
    if let tests, isTested(name) {
        targets.append(
            .testTarget(
                name: "\(name)Tests",
                dependencies: [.byName(name: name)] + tests,
                path: "Tests/\(layer)/\(name)Tests",
                exclude: files,
                swiftSettings: settings
            )
        )
    }
    return targets
}

/// A C library of the system: a module map in `Sources/System/<Name>`.
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

/// A part of the generator: `codegen/<Name>`, `Tests/Codegen/<Name>Tests`.
func generator(
    _ name: String,
    _ dependencies: [Target.Dependency],
    tests: [Target.Dependency],
    files: [String] = [],
    isExecutable: Bool = false
) -> [Target] {
    let path = "codegen/\(name)"
    return [
        isExecutable
            ? .executableTarget(
                name: name,
                dependencies: dependencies,
                path: path,
                swiftSettings: settings
            )
            : .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
    ]
        + (isTested(name)
            ? [
                .testTarget(
                    name: "\(name)Tests",
                    dependencies: [.byName(name: name)] + tests,
                    path: "Tests/Codegen/\(name)Tests",
                    exclude: files,
                    swiftSettings: settings
                )
            ] : [])
}

/// A release build exports no symbols, which nothing looks up, and keeps its relocations packed: a
/// quarter of the file, and 6 MB of resident memory of each process.
let smallerExecutable: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-use-ld=lld", "-Xlinker", "--no-export-dynamic",
            "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
        ],
        .when(platforms: [.linux], configuration: .release)
    )
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)
let cryptography: [Target.Dependency] = [
    .product(name: "Crypto", package: "swift-crypto"),
    .product(name: "_CryptoExtras", package: "swift-crypto"),
    .product(name: "SwiftASN1", package: "swift-asn1"),
    .product(name: "X509", package: "swift-certificates"),
]

/// Every target, sorted by layer, then name. One statement each: a single list is too much for the
/// type checker.
var targets: [Target] = []

// Base: no I/O.
targets += module("Bytes", in: "Base", tests: [])
targets += module("Flags", in: "Base", ["Scalars"], tests: [])
targets += module("Logs", in: "Base", ["Flags", logging], tests: ["Flags", logging])
targets += module("Metrics", in: "Base", tests: [])
targets += module("Scalars", in: "Base", tests: [], files: ["Fixtures"])
targets += module("Tasks", in: "Base", tests: [])
targets += library("CLinux", apt: "libc6-dev")

// System: what comes from C and from Linux.
targets += library("CLMDB", apt: "liblmdb-dev")
targets += library("CProcesses", apt: "libc6-dev")
targets += library("CNghttp2", pkgConfig: "libnghttp2", apt: "libnghttp2-dev")
targets += library("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev")
targets += library("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev")
targets += module("LMDB", in: "System", ["CLMDB"], tests: [])
targets += library("CNFTables", apt: "libnftables-dev")
targets += module("NFTables", in: "System", ["CNFTables"])
targets += module("Netlink", in: "System", tests: [])
targets += module("Processes", in: "System", ["CProcesses"], tests: [])
targets += module("ProcessMetrics", in: "System", ["Metrics"], tests: ["Metrics"])

// Wire: how bytes become messages and how messages travel.
targets += module("Descriptors", in: "Wire", tests: [])
targets += module(
    "GRPCServices",
    in: "Wire",
    ["Bytes", "Protobuf", "RPCInterface", "WellKnownTypes"]
)
targets += module(
    "HTTP",
    in: "Wire",
    [nioCore, nioHTTP1, nioPosix, nioWebSocket],
    tests: [nioCore]
)
targets += module(
    "HTTP2Transport",
    in: "Wire",
    ["CNghttp2", "HTTP", "TLS", nioCore, nioHTTP1, nioPosix, nioSSL, nioTLS],
    tests: ["HTTP", "TLS", nioCore, nioEmbedded, nioPosix, nioSSL, nioWebSocket]
)
targets += module("JSON", in: "Wire", ["Bytes", "Protobuf", "Scalars"], tests: ["Protobuf"])
targets += module("PKI", in: "Wire", ["Bytes", "Scalars"] + cryptography, tests: [])
targets += module(
    "Protobuf",
    in: "Wire",
    ["Bytes", "Descriptors", "RPCInterface"],
    tests: ["Bytes", "Descriptors", "JSON", "WellKnownTypes"]
)
targets += module(
    "RPC",
    in: "Wire",
    ["Bytes", "CZlib", "HTTP", "HTTP2Transport", "RPCInterface", "TLS", nioCore],
    tests: ["HTTP", "HTTP2Transport", "RPCInterface", "TLS", nioCore, nioPosix]
)
targets += module("RPCInterface", in: "Wire")
targets += module(
    "RPCServices",
    in: "Wire",
    ["Bytes", "Descriptors", "GRPCServices", "Protobuf", "RPC", "RPCInterface"],
    tests: ["GRPCServices", "HTTP2Transport", "Protobuf", "RPC", "RPCInterface", nioCore, nioPosix]
)
targets += module(
    "RPCTool",
    in: "Wire",
    ["Bytes", "Descriptors", "GRPCServices", "JSON", "Protobuf", "RPCInterface"],
    tests: [
        "Descriptors", "GRPCServices", "Protobuf", "RPC", "RPCInterface", "RPCServices",
    ]
)
targets += module("SPDYFraming", in: "Wire", ["CZlib"], tests: [])
targets += module("TLS", in: "Wire", ["PKI", nioCore, nioSSL])
targets += module("WellKnownTypes", in: "Wire", ["Bytes", "Protobuf"])
targets += module("YAML", in: "Wire", ["CYAML"], tests: [], files: ["Fixtures"])

// API: generated types by group and version, and what is known of their values.
targets += module(
    "ApusAPI",
    in: "API",
    ["Bytes", "KubernetesAPI", "Protobuf", "RPCInterface", "WellKnownTypes"]
)
targets += module(
    "CallStatus",
    in: "API",
    [
        "Bytes", "GRPCServices", "KubernetesAPI", "ObjectModel", "Protobuf", "RPCInterface",
        "WellKnownTypes",
    ],
    tests: ["KubernetesAPI", "ObjectModel", "RPCInterface"]
)
targets += module(
    "Defaulting",
    in: "API",
    [
        "JSON", "KubernetesAPI", "NameRules", "ObjectModel", "Protobuf", "Scalars",
        "SchemaRules", "WellKnownTypes",
    ],
    tests: [
        "JSON", "KubernetesAPI", "ObjectModel", "Protobuf", "ResourceTable", "Scalars",
    ]
)
targets += module(
    "FieldManagement",
    in: "API",
    [
        "Bytes", "JSON", "KubernetesAPI", "NameRules", "ObjectModel", "Protobuf", "Scalars",
        "SchemaRules",
    ],
    tests: ["JSON", "KubernetesAPI", "ObjectModel", "Protobuf", "Scalars"]
)
targets += module(
    "KubernetesAPI",
    in: "API",
    ["Bytes", "JSON", "Protobuf", "Scalars", "WellKnownTypes"],
    tests: ["Bytes", "JSON", "NodeAPI", "Protobuf", "Scalars"]
)
targets += module(
    "NameRules",
    in: "API",
    ["Scalars"],
    tests: ["GoldenRows"],
    files: ["Fixtures"]
)
targets += module("NodeAPI", in: "API", ["Bytes", "Protobuf", "RPCInterface", "WellKnownTypes"])
targets += module(
    "ObjectModel",
    in: "API",
    ["JSON", "KubernetesAPI", "NameRules", "Protobuf", "ResourceTable"],
    tests: ["JSON", "KubernetesAPI", "NameRules", "Protobuf", "ResourceTable"]
)
targets += module(
    "Patches",
    in: "API",
    ["JSON", "KubernetesAPI", "NameRules", "ObjectModel", "Protobuf", "SchemaRules"],
    tests: ["JSON", "KubernetesAPI", "ObjectModel"]
)
targets += module(
    "ResourceTable",
    in: "API",
    ["KubernetesAPI", "Protobuf"],
    tests: ["KubernetesAPI", "Protobuf"]
)
targets += module("SchemaRules", in: "API", ["Protobuf", "WellKnownTypes"])
targets += module(
    "Selectors",
    in: "API",
    ["NameRules"],
    tests: ["GoldenRows", "NameRules"],
    files: ["Fixtures"]
)
targets += module(
    "Validation",
    in: "API",
    [
        "Bytes", "JSON", "KubernetesAPI", "NameRules", "ObjectModel", "Protobuf",
        "ResourceTable", "Scalars", "Selectors",
    ],
    tests: [
        "Defaulting", "JSON", "KubernetesAPI", "NameRules", "ObjectModel", "Patches",
        "ResourceTable",
    ]
)

// Store: etcd.
targets += module(
    "Engine",
    in: "Store",
    ["Bytes", "KeyValueStore", "LMDB", "Metrics"],
    tests: [
        "Bytes", "KeyValueStore", "KeyValueStoreSuite", "LMDB", "StoreCrashChild",
        "StoreTestSupport", "TestFolders",
    ]
)
targets += module("EtcdAPI", in: "Store", ["Bytes", "Protobuf", "RPCInterface", "WellKnownTypes"])
targets += module(
    "EtcdClient",
    in: "Store",
    ["Bytes", "EtcdAPI", "EtcdCodec", "KeyValueStore", "Protobuf", "RPCInterface"]
)
targets += module(
    "EtcdCodec",
    in: "Store",
    ["Bytes", "KeyValueStore", "RPCInterface"],
    tests: [
        "Bytes", "EtcdAPI", "KeyValueStore", "Protobuf", "RPCInterface", "StoreTestSupport",
    ]
)
targets += module(
    "EtcdServer",
    in: "Store",
    [
        "Bytes", "Engine", "EtcdAPI", "EtcdClient", "EtcdCodec", "HTTP", "HTTP2Transport",
        "KeyValueStore", "Metrics", "ProcessMetrics", "Protobuf", "RPC", "RPCInterface",
        "TLS", logging, nioCore, nioPosix,
    ],
    tests: [
        "Bytes", "Engine", "EtcdClient", "EtcdCodec", "HTTP2Transport", "KeyValueStore",
        "KeyValueStoreSuite", "Metrics", "RPC", "RPCInterface", "StoreTestSupport",
        "TestFolders", logging, nioCore, nioPosix,
    ]
)
targets += module("KeyValueStore", in: "Store", ["Bytes"])

// Machinery: what every component is built from.
targets += module("Clocks", in: "Machinery", ["Scalars"], tests: ["Scalars"])
targets += module(
    "ComponentServer",
    in: "Machinery",
    [
        "Clocks", "HTTP", "HTTP2Transport", "Kubeconfig", "KubernetesAPI", "ObjectModel",
        "PKI", "Protobuf", "RPCInterface", "ResourceClient", "TLS", nioCore,
    ],
    tests: ["HTTP", "HTTP2Transport", "KubernetesAPI", nioCore, nioPosix]
)
targets += module(
    "EventRecording",
    in: "Machinery",
    [
        "ApusAPI", "Clocks", "JSON", "KubernetesAPI", "ObjectModel", "Protobuf",
        "RPCInterface", "ResourceClient", "Scalars",
    ],
    tests: [
        "Clocks", "KubernetesAPI", "MemoryCluster", "Protobuf", "RPC", "ResourceClient",
        "Scalars",
    ]
)
targets += module(
    "Informers",
    in: "Machinery",
    [
        "Clocks", "KubernetesAPI", "ObjectModel", "Protobuf", "RPCInterface",
        "ResourceClient", "Selectors",
    ],
    tests: [
        "Clocks", "KubernetesAPI", "MemoryCluster", "ObjectModel", "Protobuf", "RPC",
        "RPCInterface", "ResourceClient",
    ]
)
targets += module(
    "Kubeconfig",
    in: "Machinery",
    [
        "Bytes", "HTTP", "HTTP2Transport", "JSON", "RPC", "RPCInterface", "TLS", "YAML", nioCore,
    ],
    tests: ["Bytes", "HTTP2Transport"]
)
targets += module(
    "LeaderElection",
    in: "Machinery",
    [
        "Clocks", "KubernetesAPI", "ObjectModel", "Protobuf", "RPCInterface",
        "ResourceClient", "Scalars",
    ],
    tests: [
        "Clocks", "KubernetesAPI", "MemoryCluster", "Protobuf", "RPC", "RPCInterface",
        "ResourceClient", "Scalars",
    ]
)
targets += module(
    "NodeStreams",
    in: "Machinery",
    [
        "ApusAPI", "Bytes", "CallStatus", "HTTP", "JSON", "KubernetesAPI", "ObjectModel",
        "Protobuf", "RPCInterface", "SPDY", nioCore,
    ]
)
targets += module(
    "RESTClient",
    in: "Machinery",
    [
        "ApusAPI", "Bytes", "CallStatus", "HTTP", "HTTP2Transport", "JSON", "Kubeconfig",
        "KubernetesAPI", "ObjectModel", "Protobuf", "RPCInterface", "TLS", nioCore,
    ],
    tests: [
        "ApusAPI", "Bytes", "HTTP", "JSON", "KubernetesAPI", "ObjectModel", "Protobuf",
    ]
)
targets += module(
    "ResourceClient",
    in: "Machinery",
    [
        "ApusAPI", "Bytes", "CallStatus", "JSON", "KubernetesAPI", "ObjectModel",
        "Protobuf", "RPCInterface", "ResourceTable", "Selectors",
    ],
    tests: [
        "ApusAPI", "Bytes", "GRPCServices", "JSON", "KubernetesAPI", "MemoryCluster",
        "ObjectModel", "Protobuf", "RPC", "RPCInterface", "Selectors",
    ]
)
targets += module(
    "WorkQueues",
    in: "Machinery",
    ["Clocks", "Metrics"],
    tests: ["Clocks", "Metrics"]
)
targets += module(
    "ClusterControllers",
    in: "Control",
    [
        "ApusAPI", "Authentication", "Bytes", "Clocks", "ControllerKit", "EventRecording",
        "Informers", "JSON", "KubernetesAPI", "Metrics",
        "ObjectModel", "PKI", "Protobuf", "Quotas", "ResourceClient", "ResourceTable", "Scalars",
        "Selectors", "WorkQueues",
        .product(name: "Crypto", package: "swift-crypto"),
    ],
    tests: [
        "ApusAPI", "Bytes", "Clocks", "ControllerHarness", "ControllerKit", "Informers",
        "KubernetesAPI", "MemoryCluster", "ObjectModel", "PKI", "Protobuf", "Quotas",
        "ResourceClient", "Scalars", "Selectors", "ServiceControllers", "WorkloadControllers",
    ]
)
targets += module(
    "ControllerKit",
    in: "Control",
    [
        "ApusAPI", "Bytes", "Clocks", "EventRecording", "Informers", "JSON",
        "KubernetesAPI", "Metrics", "ObjectModel",
        "Protobuf", "RPCInterface", "ResourceClient", "Scalars", "Selectors", "Tasks", "WorkQueues",
    ]
)
targets += module(
    "ControllerManager",
    in: "Control",
    [
        "Clocks", "ClusterControllers", "ComponentServer", "ControllerKit",
        "HTTP2Transport", "Informers", "JSON", "Kubeconfig", "KubernetesAPI",
        "LeaderElection", "Metrics", "ObjectModel", "PKI", "ProcessMetrics", "Protobuf",
        "RPC", "RPCInterface", "ResourceClient",
        "Scalars", "ServiceControllers", "TLS", "WorkQueues", "WorkloadControllers", nioCore,
    ],
    tests: [
        "APIServer", "Access", "Admission", "ApusAPI", "Clocks", "ClusterControllers",
        "ControllerHarness", "ControllerKit", "Engine", "HTTP2Transport", "Informers", "JSON",
        "Kubeconfig", "KubernetesAPI", "MemoryCluster", "Metrics", "ObjectModel", "Protobuf",
        "RESTClient", "RPC", "RPCInterface", "ResourceClient", "Scalars", "WorkQueues",
        "WorkloadControllers", nioCore, nioPosix,
    ]
)
targets += module(
    "ServiceControllers",
    in: "Control",
    [
        "Clocks", "ControllerKit", "EventRecording", "Informers", "KubernetesAPI",
        "Metrics", "NameRules", "ObjectModel", "Protobuf",
        "ResourceClient", "Scalars", "Selectors", "WorkQueues",
    ],
    tests: [
        "ControllerHarness", "ControllerKit", "KubernetesAPI", "Protobuf", "ResourceClient",
    ]
)
targets += module(
    "WorkloadControllers",
    in: "Control",
    [
        "ApusAPI", "Clocks", "ControllerKit", "EventRecording", "Informers", "JSON",
        "KubernetesAPI", "Metrics", "NameRules", "ObjectModel",
        "Protobuf", "ResourceClient", "Scalars", "Selectors", "Tasks",
        "WorkQueues",
    ],
    tests: [
        "Clocks", "ControllerHarness", "ControllerKit", "KubernetesAPI", "MemoryCluster",
        "NameRules", "ObjectModel", "Protobuf", "ResourceClient", "Scalars",
        "ServiceControllers",
    ]
)

// Control: the control plane.
targets += module(
    "Access",
    in: "Control",
    [
        "KubernetesAPI", "NameRules", "ObjectModel", "Protobuf", "RequestInfo",
        "ResourceTable", "Scalars",
    ],
    tests: [
        "KubernetesAPI", "ObjectModel", "RequestInfo", "ResourceTable", "Scalars",
    ]
)
targets += module(
    "APIServer",
    in: "Control",
    [
        "Access", "Admission", "ApusAPI", "Authentication", "Authorization", "Bytes",
        "CZlib", "CallStatus", "Defaulting", "EventRecording",
        "FieldManagement", "HTTP", "HTTP2Transport", "JSON",
        "KeyValueStore", "KubernetesAPI", "MediaTypes", "Metrics", "NameRules",
        "NodeStreams", "ObjectModel", "OpenAPI", "PKI", "Patches", "ProcessMetrics", "Protobuf",
        "RPC", "RPCInterface", "Registry", "RequestInfo", "ResourceTable",
        "Scalars", "Selectors", "TLS", "Tables", "Tasks", "WatchCache", "WellKnownTypes",
        "YAML", nioCore, nioPosix, nioSSL, nioTLS,
        .product(name: "Crypto", package: "swift-crypto"),
    ],
    tests: [
        "Access", "ApusAPI", "Bytes", "CallStatus", "Engine", "HTTP", "KubernetesAPI", "NameRules",
        "NodeStreams", "ObjectModel", "Protobuf", "RPCInterface", "ResourceTable", "WatchCache",
        nioCore, nioPosix,
    ]
)
targets += module(
    "Admission",
    in: "Control",
    [
        "Access", "Bytes", "JSON", "KubernetesAPI", "NameRules", "ObjectModel", "PKI",
        "Protobuf", "Quotas", "ResourceTable", "Scalars", "YAML",
    ],
    tests: [
        "Access", "AccessSupport", "Bytes", "JSON", "KubernetesAPI", "ObjectModel", "PKI",
        "Protobuf", "ResourceTable", "Scalars",
    ]
)
targets += module(
    "Authentication",
    in: "Control",
    [
        "Access", "Bytes", "JSON", "KubernetesAPI", "NameRules", "ObjectModel", "PKI",
        "Protobuf", "ResourceTable", "Scalars",
    ],
    tests: [
        "Access", "AccessSupport", "Bytes", "JSON", "KubernetesAPI", "ObjectModel", "PKI",
        "Protobuf", "ResourceTable", "Scalars",
    ]
)
targets += module(
    "Authorization",
    in: "Control",
    [
        "Access", "JSON", "KubernetesAPI", "NameRules", "ObjectModel", "Protobuf",
        "ResourceTable", "Selectors", "Tasks",
    ],
    tests: [
        "Access", "AccessSupport", "JSON", "KubernetesAPI", "ObjectModel", "Protobuf",
        "RequestInfo", "ResourceTable", "Scalars",
    ]
)
targets += module(
    "CloudController",
    in: "Control",
    [
        "ApusAPI", "Clocks", "EventRecording", "Informers", "JSON", "KubernetesAPI",
        "NameRules", "ObjectModel", "Protobuf", "RPCInterface", "ResourceClient", "Scalars",
        "WorkQueues", logging,
    ],
    tests: ["KubernetesAPI", "NameRules", "Protobuf"]
)
targets += module(
    "KubeScheduler",
    in: "Control",
    [
        "ApusAPI", "Clocks", "EventRecording", "Informers", "JSON", "KubernetesAPI",
        "LeaderElection", "Metrics", "ObjectModel", "ProcessMetrics", "Protobuf",
        "RPCInterface", "ResourceClient", "Scalars", "Scheduler", "Selectors", logging,
    ],
    tests: [
        "APIServer", "ApusAPI", "Clocks", "Engine", "JSON", "KubernetesAPI", "LeaderElection",
        "MemoryCluster", "ObjectModel", "Protobuf", "RPC", "RPCInterface", "ResourceClient",
        "Scalars", "Scheduler", logging, nioPosix,
    ]
)
targets += module("MediaTypes", in: "Control", tests: ["GoldenRows"], files: ["Fixtures"])
targets += module(
    "OpenAPI",
    in: "Control",
    [
        "Bytes", "JSON", "KubernetesAPI", "Protobuf", "ResourceTable", "SchemaRules",
        "WellKnownTypes",
    ],
    tests: ["Bytes", "JSON", "ResourceTable"]
)
targets += module(
    "Quotas",
    in: "Control",
    ["KubernetesAPI", "ObjectModel", "Protobuf", "ResourceTable", "Scalars"]
)
targets += module(
    "Registry",
    in: "Control",
    [
        "Bytes", "JSON", "KeyValueStore", "KubernetesAPI", "NameRules", "ObjectModel",
        "Protobuf", "RequestInfo", "ResourceTable", "Scalars", "Selectors", "Validation",
        "WatchCache",
    ],
    tests: ["Bytes", "KubernetesAPI", "NameRules", "ObjectModel", "Protobuf", "Scalars"]
)
targets += module("SPDY", in: "Wire", ["SPDYFraming"], tests: ["SPDYFraming"])
targets += module(
    "RequestInfo",
    in: "Control",
    ["NameRules", "Scalars", "Selectors"],
    tests: ["NameRules", "Selectors"]
)
targets += module(
    "Scheduler",
    in: "Control",
    ["JSON", "KubernetesAPI", "NameRules", "Protobuf", "Scalars", "Selectors"],
    tests: ["JSON", "KubernetesAPI", "Protobuf", "Scalars", "Selectors", "YAML"]
)
targets += module(
    "Tables",
    in: "Control",
    [
        "JSON", "KubernetesAPI", "ObjectModel", "RequestInfo", "Scalars", "Selectors",
    ],
    tests: ["JSON", "KubernetesAPI", "Protobuf", "RequestInfo", "Scalars"]
)
targets += module(
    "WatchCache",
    in: "Control",
    [
        "Bytes", "JSON", "KeyValueStore", "KubernetesAPI", "ObjectModel", "Protobuf",
        "ResourceTable", "Selectors",
    ],
    tests: [
        "Bytes", "KeyValueStore", "KubernetesAPI", "ObjectModel", "Protobuf",
        "ResourceTable", "Selectors",
    ]
)

// Node: what runs on each machine.
targets += module(
    "ClusterDNS",
    in: "Node",
    [
        "ComponentServer", "DNSMessages", "HTTP", "HTTP2Transport", "Informers",
        "KubernetesAPI", "Metrics", "ProcessMetrics", "Processes", "Protobuf",
        "RPCInterface", logging, nioCore, nioPosix,
    ],
    tests: ["DNSMessages", "KubernetesAPI", "Metrics", "Protobuf"]
)
targets += module("DNSMessages", in: "Node", tests: [])
targets += module(
    "Images",
    in: "Node",
    [
        "Bytes", "JSON", "NodeAPI", "NodeHost", "Protobuf", "RPCInterface",
        "WellKnownTypes",
    ] + cryptography,
    tests: ["JSON"]
)
targets += module(
    "HollowNodes",
    in: "Node",
    [
        "ApusAPI", "Clocks", "Informers", "JSON", "KubernetesAPI", "ObjectModel",
        "Protobuf", "RPCInterface", "ResourceClient", "Scalars", "Selectors", logging,
    ],
    tests: ["KubernetesAPI", "Protobuf", "Scalars"]
)
targets += module(
    "KubeProxy",
    in: "Node",
    [
        "Clocks", "ComponentServer", "HTTP", "HTTP2Transport", "Informers", "JSON",
        "KubernetesAPI", "Metrics", "NFTables", "NameRules", "Netlink", "Protobuf", "RPCInterface",
        "ResourceClient",
        "Scalars", "ServiceRules", logging, nioCore, nioPosix,
    ],
    tests: [
        "Clocks", "ComponentServer", "HTTP", "JSON", "KubernetesAPI", "Metrics", "NameRules",
        "Netlink", "Protobuf", "ServiceRules", "YAML",
    ]
)
targets += module(
    "Kubelet",
    in: "Node",
    [
        "ApusAPI", "Bytes", "EventRecording", "GRPCServices", "HTTP", "HTTP2Transport",
        "Informers", "JSON", "Kubeconfig", "KubernetesAPI", "Metrics", "NodeAPI", "NodeHost",
        "NodeStreams", "ObjectModel", "PKI", "PodLifecycle", "Protobuf", "RPC", "RPCInterface",
        "ResourceClient", "SPDYFraming", "Scalars", "Selectors", "TLS", "WellKnownTypes",
        "YAML", logging, nioCore, nioPosix,
    ] + cryptography,
    tests: [
        "Bytes", "HTTP", "KubernetesAPI", "NodeAPI", "NodeHost", "PKI", "PodLifecycle", "Protobuf",
        "Scalars", "TestFolders",
    ]
)
targets += module(
    "NodeHost",
    in: "Node",
    ["CLinux", "CZlib", nioCore, nioPosix],
    tests: ["TestFolders"]
)
targets += module(
    "PodLifecycle",
    in: "Node",
    ["KubernetesAPI", "Protobuf", "Scalars"],
    tests: ["KubernetesAPI", "Protobuf", "Scalars"]
)
targets += module(
    "ServiceRules",
    in: "Node",
    ["KubernetesAPI", "NameRules", "Protobuf"],
    tests: ["KubernetesAPI", "Processes", "Protobuf", "TestFolders"]
)

// Commands: flags and wiring.
targets += module("CommandTree", in: "Commands", ["Flags"], tests: ["Flags"])
targets += module(
    "LocalCluster",
    in: "Commands",
    [
        "ApusAPI", "Bytes", "ClusterControllers", "ClusterDNS", "HTTP", "HTTP2Transport", "Images",
        "JSON", "KubeProxy", "Kubeconfig", "KubernetesAPI", "NFTables", "NodeAPI", "NodeHost",
        "ObjectModel", "PKI",
        "Processes", "Protobuf", "RPC",
        "RPCInterface", "ResourceClient", "ResourceTable", "Scalars", "TLS", "YAML", nioCore,
        nioPosix,
    ],
    tests: [
        "Bytes", "JSON", "Kubeconfig", "KubernetesAPI", "PKI", "Processes", "Protobuf", "Scalars",
        "TestFolders",
    ]
)
targets += [
    .executableTarget(
        name: "apus",
        dependencies: [
            "Admission",
            "ProcessMetrics",
            "HTTP",
            "ControllerKit",
            "ControllerManager",
            "Images",
            "Kubelet",
            "NodeHost",
            "Authentication",
            "Informers",
            "CloudController",
            "APIServer",
            "Bytes",
            "ClusterDNS",
            "CommandTree",
            "ComponentServer",
            "DNSMessages",
            "Descriptors",
            "Engine",
            "EtcdClient",
            "EtcdServer",
            "Flags",
            "HTTP2Transport",
            "HollowNodes",
            "JSON",
            "KeyValueStore",
            "KubeProxy",
            "KubeScheduler",
            "Kubeconfig",
            "LeaderElection",
            "LocalCluster",
            "Logs",
            "Metrics",
            "PKI",
            "Processes",
            "RPC",
            "RPCInterface",
            "RPCTool",
            "Registry",
            "ResourceTable",
            "Scalars",
            "Scheduler",
            "SchemaCompiler",
            "TLS",
            "YAML",
            logging,
            nioCore,
            nioPosix,
        ],
        path: "Sources/Commands/apus",
        swiftSettings: settings,
        linkerSettings: smallerExecutable
    )
]

// The generator.
targets += generator(
    "SchemaCompiler",
    ["Descriptors"],
    tests: ["Descriptors"],
    files: ["Fixtures"]
)
targets += generator(
    "SwiftEmitter",
    ["Descriptors", "Protobuf"],
    tests: [
        "Bytes", "Descriptors", "Protobuf", "RPCInterface", "SchemaCompiler",
        "WellKnownTypes",
    ],
    files: ["Fixtures"]
)
targets += generator(
    "apus-codegen",
    ["Descriptors", "SchemaCompiler", "SwiftEmitter", argumentParser],
    tests: ["Descriptors", "SwiftEmitter"],
    isExecutable: true
)

// What tests of several targets share, and programs that tests talk to.
targets += [
    .target(
        name: "ControllerHarness",
        dependencies: [
            "ApusAPI", "Clocks", "ControllerKit", "Informers", "KubernetesAPI",
            "MemoryCluster", "ObjectModel", "Protobuf", "RPC", "ResourceClient",
            "ResourceTable", "Scalars",
        ],
        path: "Tests/Support/ControllerHarness",
        swiftSettings: settings
    ),
    .target(
        name: "GoldenRows",
        path: "Tests/Support/GoldenRows",
        swiftSettings: settings
    ),
    .target(
        name: "MemoryCluster",
        dependencies: [
            "ApusAPI", "Bytes", "CallStatus", "JSON", "KubernetesAPI", "NameRules",
            "ObjectModel", "Protobuf", "RPCInterface", "ResourceTable", "Selectors",
        ],
        path: "Tests/Support/MemoryCluster",
        swiftSettings: settings
    ),
    .target(
        name: "AccessSupport",
        dependencies: [
            "Access", "KubernetesAPI", "ObjectModel", "Protobuf", "ResourceTable",
        ],
        path: "Tests/Control/AccessSupport",
        swiftSettings: settings
    ),
    .target(
        name: "KeyValueStoreSuite",
        dependencies: ["Bytes", "KeyValueStore"],
        path: "Tests/Store/KeyValueStoreSuite",
        swiftSettings: settings
    ),
    .target(
        name: "StoreTestSupport",
        dependencies: ["Bytes", "KeyValueStore"],
        path: "Tests/Store/StoreTestSupport",
        swiftSettings: settings
    ),
    .target(
        name: "TestFolders",
        path: "Tests/Support/TestFolders",
        swiftSettings: settings
    ),
    .executableTarget(
        name: "StoreCrashChild",
        dependencies: ["Bytes", "Engine", "KeyValueStore"],
        path: "Tests/Store/StoreCrashChild",
        swiftSettings: settings
    ),
    .executableTarget(
        name: "apus-peer",
        dependencies: [
            "ApusAPI", "EtcdAPI", "GRPCServices", "KubernetesAPI", "NodeAPI", "Protobuf",
            "WellKnownTypes",
        ],
        path: "Tests/Support/apus-peer",
        swiftSettings: settings
    ),
    .executableTarget(
        name: "greeter",
        dependencies: [
            "Informers", "Kubeconfig", "KubernetesAPI", "Protobuf", "ResourceClient",
            "WorkQueues", nioPosix,
        ],
        path: "Tests/Support/greeter",
        swiftSettings: settings
    ),
    .executableTarget(
        name: "rpc-server",
        dependencies: [
            "GRPCServices", "HTTP2Transport", "RPC", "RPCInterface", "RPCServices", "TLS",
            nioCore, nioPosix,
        ],
        path: "Tests/Support/rpc-server",
        swiftSettings: settings
    ),
    .executableTarget(
        name: "scheduler-benchmark",
        dependencies: [
            "ApusAPI", "Kubeconfig", "KubernetesAPI", "ObjectModel", "Protobuf", "RPC",
            "RPCInterface", "ResourceClient", "Scheduler", nioPosix,
        ],
        path: "Tests/Support/scheduler-benchmark",
        swiftSettings: settings
    ),
]

// Our RPC against other people's: grpcio, etcd, containerd.
if isTested("Interop") {
    targets.append(
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "Bytes", "EtcdAPI", "GRPCServices", "HTTP", "HTTP2Transport", "NodeAPI",
                "Protobuf", "RPC", "RPCInterface", "RPCServices", "TLS", "WellKnownTypes",
                nioCore, nioPosix,
            ],
            path: "Tests/Conformance/Interop",
            exclude: ["Programs", "interop.proto"],
            swiftSettings: settings
        )
    )
}

let package = Package(
    name: "apus",
    products: [
        .executable(name: "apus", targets: ["apus"]),
        .executable(name: "apus-codegen", targets: ["apus-codegen"]),
        .library(name: "KubernetesAPI", targets: ["KubernetesAPI"]),
        .library(name: "Protobuf", targets: ["Protobuf", "Bytes", "JSON", "WellKnownTypes"]),
        .library(
            name: "RPC",
            targets: ["RPC", "RPCInterface", "RPCServices", "HTTP2Transport"]
        ),
        // For the fuzz targets in fuzz/.
        .library(
            name: "Parsers",
            targets: [
                "DNSMessages", "FieldManagement", "MediaTypes", "NameRules", "Patches",
                "RequestInfo", "Scalars", "SchemaCompiler", "Selectors", "YAML",
            ]
        ),
        .library(name: "StoreParsers", targets: ["Engine", "EtcdCodec"]),
    ],
    dependencies: [
        // The generator's command line: help, completion and errors people know. It links
        // Foundation, which apus itself does not.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // DER and PEM, below certificates.
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        // X.509: parsing, issuing and verifying certificates is no place for new code.
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        // Keys and signatures, from BoringSSL.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        // The interface of logging, so that what a library logs goes the same way. The lines are ours.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // Event loops and sockets. Framing, streams and RPC are ours.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // TLS on those sockets, with optional client certificates.
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: targets
)
