// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// Prefers nodes that have the pod's images, the larger and the more widely spread the better.
///
/// Source: upstream `plugins/imagelocality/image_locality.go`.
package struct ImageLocalityPlugin: ScorePlugin {
    package let name = PluginName.imageLocality
    package let interest: ChangeKinds = []

    static let megabyte: Int64 = 1024 * 1024
    /// Fewer bytes count for nothing.
    static let minimumBytes = 23 * megabyte
    /// More bytes for each container count for no more.
    static let maximumBytes = 1000 * megabyte

    package init() {}

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        false
    }

    package func prepareScore(
        _ pod: PodInfo,
        _ rows: [Int],
        _ cluster: Cluster
    ) -> (any NodeScorer)? {
        let spec = pod.pod.spec
        let images =
            spec.initContainers.map(\.image) + spec.containers.map(\.image)
        let known = images.map(Self.fullName).compactMap { name in
            cluster.imageNodes[name].map { count in
                (name, Double(count) / Double(max(cluster.nodeCount, 1)))
            }
        }
        return Scorer(images: known, containers: Int64(images.count))
    }

    /// The name as nodes report it: with a tag.
    static func fullName(_ image: String) -> String {
        let lastColon = image.utf8.lastIndex(of: UInt8(ascii: ":"))
        let lastSlash = image.utf8.lastIndex(of: UInt8(ascii: "/"))
        if let lastColon {
            if let lastSlash, lastColon < lastSlash { return image + ":latest" }
            return image
        }
        return image + ":latest"
    }

    private struct Scorer: NodeScorer {
        /// Images that any node has, with the share of nodes that do.
        let images: [(name: String, spread: Double)]
        let containers: Int64

        func scores(_ rows: [Int], _ cluster: Cluster) -> [Int64] {
            if self.images.isEmpty { return [Int64](repeating: 0, count: rows.count) }
            return rows.map { row in
                var sum: Int64 = 0
                for (name, spread) in self.images {
                    if let bytes = cluster.images[row][name] {
                        sum += Int64(Double(bytes) * spread)
                    }
                }
                let highest = ImageLocalityPlugin.maximumBytes * self.containers
                let lowest = ImageLocalityPlugin.minimumBytes
                return Score.maximum * (min(max(sum, lowest), highest) - lowest)
                    / (highest - lowest)
            }
        }
    }
}
