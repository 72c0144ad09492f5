// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI

/// Takes events about pods and about the node.
package protocol EventSink: Sendable {
    /// - Parameters:
    ///   - field: the part of the pod, such as `spec.containers{web}`; empty for the pod itself.
    ///   - isWarning: whether its type is `Warning` rather than `Normal`.
    func record(
        pod: CoreV1.Pod,
        field: String,
        isWarning: Bool,
        reason: String,
        message: String
    )
    func record(node: String, isWarning: Bool, reason: String, message: String)
}

extension EventSink {
    func normal(_ pod: CoreV1.Pod, _ spec: String, _ reason: String, _ message: String) {
        self.record(pod: pod, field: spec, isWarning: false, reason: reason, message: message)
    }

    func warning(_ pod: CoreV1.Pod, _ spec: String, _ reason: String, _ message: String) {
        self.record(pod: pod, field: spec, isWarning: true, reason: reason, message: message)
    }
}
