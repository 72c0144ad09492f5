// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import LocalCluster

/// The flags of the commands about a whole cluster on this machine.
enum ClusterFlags {
    static let dataDirectory = Flag(
        "data-dir",
        default: "/var/lib/apus",
        help: "the `folder` that everything of the cluster lies in"
    )
    static let portOffset = Flag(
        "port-offset",
        default: 0,
        help: "a number that is added to every port, for several clusters on one machine"
    )
    static let nodeName = Flag(
        "node-name",
        default: "",
        help: "the `name` of this node; the host's"
    )
    static let nodeAddress = Flag(
        "node-ip",
        default: "",
        help: "the `address` by which others reach this machine; that of its default route"
    )
    static let serviceRange = Flag(
        "service-cidr",
        default: IPv4Range.defaultServices.description,
        help: "the `range` of Service addresses"
    )
    static let podRange = Flag(
        "cluster-cidr",
        default: IPv4Range.defaultPods.description,
        help: "the `range` of pods' addresses"
    )
    static let domain = Flag("cluster-domain", default: "cluster.local", help: "the DNS `domain`")
    static let controlPlaneOnly = Flag(
        "control-plane-only",
        default: false,
        help: "no node on this machine; needs no root"
    )
    static let etcdServers = Flag(
        "etcd-servers",
        default: [String](),
        help: "etcd servers to use in place of the store of our own"
    )
    static let disabled = Flag(
        "disable",
        default: [String](),
        help: "components that are not started"
    )
    static let componentArguments = Flag(
        "component-arg",
        default: StringArray(),
        help: "a further argument of a component, as in `kubelet=--max-pods=50`"
    )
    static let verbosity = Flag("v", shorthand: "v", default: 0, help: "how much components log")

    /// What `up` and the supervisor take.
    static let all: [any AnyFlag] = [
        Self.dataDirectory, Self.portOffset, Self.nodeName, Self.nodeAddress, Self.serviceRange,
        Self.podRange, Self.domain, Self.controlPlaneOnly, Self.etcdServers, Self.disabled,
        Self.componentArguments, Self.verbosity, ClusterSettings.file,
    ]

    /// What names a cluster.
    static let place: [any AnyFlag] = [
        Self.dataDirectory, Self.portOffset, ClusterSettings.file,
    ]

    static func layout(_ flags: ParsedFlags) throws(UsageError) -> ClusterLayout {
        let folder = flags[Self.dataDirectory]
        guard folder.hasPrefix("/"), folder.count > 1 else {
            throw UsageError("--data-dir: '\(folder)' is not an absolute path")
        }
        let offset = flags[Self.portOffset]
        guard (0...50_000).contains(offset) else {
            throw UsageError("--port-offset: \(offset) is not between 0 and 50000")
        }
        return ClusterLayout(dataDirectory: folder, portOffset: offset)
    }

    static func options(_ flags: ParsedFlags) throws(UsageError) -> ClusterOptions {
        let name = flags[Self.nodeName]
        let address = flags[Self.nodeAddress]
        return ClusterOptions(
            layout: try self.layout(flags),
            nodeName: name.isEmpty ? NodeAddress.hostName() : name,
            nodeAddress: address.isEmpty ? NodeAddress.primary() : address,
            serviceRange: try self.range(flags, Self.serviceRange),
            podRange: try self.range(flags, Self.podRange),
            clusterDomain: flags[Self.domain],
            controlPlaneOnly: flags[Self.controlPlaneOnly],
            etcdServers: flags[Self.etcdServers],
            disabled: Set(flags[Self.disabled]),
            extraArguments: try self.extraArguments(flags),
            verbosity: flags[Self.verbosity]
        )
    }

    /// The options of a node that joins a cluster elsewhere.
    static func options(
        _ flags: ParsedFlags,
        of cluster: ClusterDiscovery.Cluster
    ) throws(UsageError) -> ClusterOptions {
        let name = flags[Self.nodeName]
        return ClusterOptions(
            layout: try self.layout(flags),
            nodeName: name.isEmpty ? NodeAddress.hostName() : name,
            // Without one the kubelet finds it, and follows it when it changes.
            nodeAddress: flags[Self.nodeAddress],
            serviceRange: cluster.serviceRange,
            podRange: cluster.podRange,
            clusterDomain: cluster.domain,
            extraArguments: try self.extraArguments(flags),
            verbosity: flags[Self.verbosity]
        )
    }

    private static func extraArguments(
        _ flags: ParsedFlags
    ) throws(UsageError) -> [String: [String]] {
        var result: [String: [String]] = [:]
        for text in flags[Self.componentArguments].values {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts[1].hasPrefix("-") else {
                throw UsageError(
                    "--\(Self.componentArguments.name): '\(text)' is not COMPONENT=--FLAG=VALUE"
                )
            }
            result[parts[0], default: []].append(parts[1])
        }
        return result
    }

    private static func range(
        _ flags: ParsedFlags,
        _ flag: Flag<String>
    ) throws(UsageError) -> IPv4Range {
        guard let range = IPv4Range(flags[flag]) else {
            throw UsageError(
                "--\(flag.name): '\(flags[flag])' is no range such as \(flag.defaultValue)"
            )
        }
        return range
    }

    /// The command line that says these options.
    static func arguments(_ options: ClusterOptions) -> [String] {
        var list = [
            "--data-dir=\(options.layout.dataDirectory)",
            "--port-offset=\(options.layout.portOffset)",
            "--node-name=\(options.nodeName)",
            "--node-ip=\(options.nodeAddress)",
            "--service-cidr=\(options.serviceRange)",
            "--cluster-cidr=\(options.podRange)",
            "--cluster-domain=\(options.clusterDomain)",
            "--control-plane-only=\(options.controlPlaneOnly)",
            "--v=\(options.verbosity)",
        ]
        if !options.etcdServers.isEmpty {
            list.append("--etcd-servers=\(options.etcdServers.joined(separator: ","))")
        }
        if !options.disabled.isEmpty {
            list.append("--disable=\(options.disabled.sorted().joined(separator: ","))")
        }
        for (name, arguments) in options.extraArguments.sorted(by: { $0.key < $1.key }) {
            list += arguments.map { "--\(Self.componentArguments.name)=\(name)=\($0)" }
        }
        return list
    }
}
