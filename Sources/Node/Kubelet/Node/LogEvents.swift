// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Logging
import PodLifecycle

/// Writes events to the log: a kubelet without an API server has nowhere else to send them.
struct LogEvents: EventSink {
    let logger: Logger

    func record(
        pod: CoreV1.Pod,
        field: String,
        isWarning: Bool,
        reason: String,
        message: String
    ) {
        self.logger.log(
            level: isWarning ? .warning : .info,
            "event",
            metadata: [
                "pod": "\(pod.key)", "field": "\(field)", "reason": "\(reason)",
                "message": "\(message)",
            ]
        )
    }

    func record(node: String, isWarning: Bool, reason: String, message: String) {
        self.logger.log(
            level: isWarning ? .warning : .info,
            "event",
            metadata: ["node": "\(node)", "reason": "\(reason)", "message": "\(message)"]
        )
    }
}
