// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import JSON

/// What a machine that has joined a cluster knows of it: `node.json` in its data directory, by which
/// it starts again, and is told from a machine with a cluster of its own.
public enum JoinedNode {
    static func path(_ layout: ClusterLayout) -> String { "\(layout.dataDirectory)/node.json" }

    /// The options that the node was joined with; nil when nothing has joined from here.
    ///
    /// - Parameter layout: its ports are replaced by those that the node was joined with.
    public static func options(_ layout: ClusterLayout) throws(FileError) -> ClusterOptions? {
        guard let bytes = try ClusterFile.read(self.path(layout)) else { return nil }
        return self.options(json: bytes, dataDirectory: layout.dataDirectory)
    }

    static func options(json: [UInt8], dataDirectory: String) -> ClusterOptions? {
        guard let tree = try? DynamicValue(json: json), let server = tree["server"]?.string,
            let name = tree["nodeName"]?.string, let address = tree["nodeAddress"]?.string,
            let services = tree["serviceRange"]?.string.flatMap({ IPv4Range($0) }),
            let pods = tree["podRange"]?.string.flatMap({ IPv4Range($0) }),
            let domain = tree["clusterDomain"]?.string,
            let offset = tree["portOffset"]?.integer,
            let verbosity = tree["verbosity"]?.integer
        else { return nil }
        var options = ClusterOptions(
            layout: ClusterLayout(dataDirectory: dataDirectory, portOffset: Int(offset)),
            nodeName: name,
            nodeAddress: address,
            serviceRange: services,
            podRange: pods,
            clusterDomain: domain,
            verbosity: Int(verbosity)
        )
        options.server = server
        for (component, words) in tree["extraArguments"]?.entries.map({ $0 }) ?? [] {
            options.extraArguments[component] = words.items.compactMap(\.string)
        }
        return options
    }

    static func json(_ options: ClusterOptions) -> [UInt8] {
        var extra: DynamicValue = [:]
        for (component, words) in options.extraArguments {
            extra[component] = DynamicValue(words.map { DynamicValue($0) })
        }
        let tree: DynamicValue = [
            "server": DynamicValue(options.server ?? ""),
            "nodeName": DynamicValue(options.nodeName),
            "nodeAddress": DynamicValue(options.nodeAddress),
            "serviceRange": DynamicValue("\(options.serviceRange)"),
            "podRange": DynamicValue("\(options.podRange)"),
            "clusterDomain": DynamicValue(options.clusterDomain),
            "portOffset": DynamicValue(options.layout.portOffset),
            "verbosity": DynamicValue(options.verbosity),
            "extraArguments": extra,
        ]
        return tree.json()
    }

    /// Whether the folder has a cluster of its own.
    public static func hasOwnCluster(_ layout: ClusterLayout) -> Bool {
        access(layout.key("ca"), F_OK) == 0
    }

    /// What lets the node in, until it has a certificate of its own.
    static func bootstrapKubeconfig(_ layout: ClusterLayout) -> String {
        layout.kubeconfig("bootstrap-kubelet")
    }

    /// The node is in the cluster: nobody needs the token any more.
    public static func forgetToken(_ layout: ClusterLayout) {
        unlink(self.bootstrapKubeconfig(layout))
    }
}
