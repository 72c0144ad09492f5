// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Labels and annotations by which the kubelet knows its sandboxes and containers again, also after
/// its own restart.
///
/// Source: upstream `pkg/kubelet/types/labels.go`, `pkg/kubelet/kuberuntime/labels.go`.
enum RuntimeLabels {
    static let podName = "io.kubernetes.pod.name"
    static let podNamespace = "io.kubernetes.pod.namespace"
    static let podUID = "io.kubernetes.pod.uid"
    static let containerName = "io.kubernetes.container.name"

    static let hash = "io.kubernetes.container.hash"
    static let restartCount = "io.kubernetes.container.restartCount"
    static let messagePath = "io.kubernetes.container.terminationMessagePath"
    static let messagePolicy = "io.kubernetes.container.terminationMessagePolicy"
    static let podGracePeriod = "io.kubernetes.pod.terminationGracePeriod"
    static let podDeletionGracePeriod = "io.kubernetes.pod.deletionGracePeriod"
    static let ports = "io.kubernetes.container.ports"
    static let preStop = "io.kubernetes.container.preStopHandler"
}
