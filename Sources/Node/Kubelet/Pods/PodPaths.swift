// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import PodLifecycle

/// Where the files of a pod lie on the node. The names are upstream's.
struct PodPaths: Sendable {
    let pod: String
    let uid: String
    let logs: String

    init(_ pod: CoreV1.Pod, _ settings: KubeletSettings) {
        self.init(
            namespace: pod.metadata.namespace,
            name: pod.metadata.name,
            uid: pod.metadata.uid,
            settings
        )
    }

    init(namespace: String, name: String, uid: String, _ settings: KubeletSettings) {
        self.uid = uid
        self.pod = "\(settings.rootDirectory)/pods/\(uid)"
        self.logs = "\(settings.podLogsDirectory)/\(namespace)_\(name)_\(uid)"
    }

    var hosts: String { "\(self.pod)/etc-hosts" }
    var volumes: String { "\(self.pod)/volumes" }
    var subpaths: String { "\(self.pod)/volume-subpaths" }

    /// The folder of a volume of a plugin, such as `kubernetes.io~empty-dir`.
    func volume(_ plugin: String, _ name: String) -> String {
        "\(self.volumes)/kubernetes.io~\(plugin)/\(name)"
    }

    func container(_ name: String) -> String { "\(self.pod)/containers/\(name)" }

    func subpath(volume: String, container: String, index: Int) -> String {
        "\(self.subpaths)/\(volume)/\(container)/\(index)"
    }

    /// Names and UIDs become parts of paths: whatever could leave the folder is refused.
    static func isSafe(_ part: String) -> Bool {
        !part.isEmpty && part.utf8.count <= 255 && part != "." && part != ".."
            && !part.utf8.contains(UInt8(ascii: "/")) && !part.utf8.contains(0)
    }

    /// Whether no name in a pod leads out of the folders that are made of it. The API server sees to
    /// that; manifests come without it.
    static func isSafe(_ pod: CoreV1.Pod) -> Bool {
        let specs = pod.initSpecs + pod.regularSpecs + pod.ephemeralSpecs
        let names =
            [pod.metadata.uid, pod.metadata.name, pod.metadata.namespace] + specs.map(\.name)
            + pod.spec.volumes.map(\.name)
        return names.allSatisfy { Self.isSafe($0) }
    }
}
