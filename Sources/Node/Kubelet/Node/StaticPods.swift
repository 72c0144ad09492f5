// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Crypto
import Glibc
import JSON
import KubernetesAPI
import Logging
import NodeHost
import PodLifecycle
import Protobuf
import Scalars
import YAML

/// Pods from manifests in a folder.
///
/// Source: upstream `pkg/kubelet/config/file.go`, `common.go`.
struct StaticPods: Sendable {
    /// The most that a manifest may have.
    static let fileLimit = 10 << 20

    let folder: String
    let nodeName: String
    let logger: Logger

    /// Reads every manifest. Blocks.
    func read() -> [CoreV1.Pod] {
        var pods: [CoreV1.Pod] = []
        for name in HostFiles.list(self.folder) where !name.hasPrefix(".") {
            let path = "\(self.folder)/\(name)"
            guard let status = HostFiles.status(path), status.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            do {
                let bytes = try HostFiles.read(path, limit: Self.fileLimit)
                let json = try YAML.json(from: bytes)
                let pod = try CoreV1.Pod(json: String(decoding: json, as: UTF8.self))
                pods.append(self.complete(pod, path: path, content: json))
            } catch {
                self.logger.error(
                    "a manifest cannot be read",
                    metadata: ["path": "\(path)", "error": "\(error)"]
                )
            }
        }
        return pods
    }

    /// Gives a pod what the API server would: a UID that follows from its content, its node, and
    /// defaults.
    func complete(_ pod: CoreV1.Pod, path: String, content: [UInt8]) -> CoreV1.Pod {
        var pod = pod
        var hash = Insecure.MD5()
        hash.update(data: Array("host:\(self.nodeName)file:\(path)".utf8))
        hash.update(data: content)
        let digest = hash.finalize().map { byte in
            let text = String(byte, radix: 16)
            return text.utf8.count == 1 ? "0" + text : text
        }.joined()
        if pod.metadata.uid.isEmpty { pod.metadata.uid = digest }
        pod.metadata.name = "\(pod.metadata.name)-\(self.nodeName)"
        if pod.metadata.namespace.isEmpty { pod.metadata.namespace = "default" }
        pod.spec.nodeName = self.nodeName
        pod.metadata.annotations[PodAnnotation.hash] = digest
        pod.metadata.annotations[PodAnnotation.source] = PodSource.file
        pod.metadata.annotations[PodAnnotation.seen] = WallClock.timestamp.text(as: .nanoseconds)
        pod.spec.tolerations.append(
            CoreV1.Toleration.with {
                $0.operator = "Exists"
                $0.effect = "NoExecute"
            }
        )
        StaticPodDefaults.apply(&pod)
        pod.status.phase = PodPhase.pending
        return pod
    }
}
