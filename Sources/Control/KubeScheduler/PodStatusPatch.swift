// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf
import Scalars

/// What the scheduler writes into the status of pods.
enum PodStatusPatch {
    /// A condition.
    struct Condition {
        let type: String
        let status: String
        let reason: String
        let message: String
    }

    /// The strategic merge patch that sets a condition and a nominated node; nil when the pod has
    /// them already.
    ///
    /// - Parameter nominatedNode: empty to clear it, nil to leave it.
    static func patch(
        _ pod: CoreV1.Pod,
        _ condition: Condition?,
        nominatedNode: String?,
        now: Timestamp
    ) -> DynamicValue? {
        var status = DynamicValue.emptyObject
        var isNeeded = false
        if let condition {
            let old = pod.status.conditions.first { $0.type == condition.type }
            if old?.status != condition.status || old?.reason != condition.reason
                || old?.message != condition.message
            {
                isNeeded = true
                status["conditions"] = [self.value(condition, old, pod, now)]
            }
        }
        if let nominatedNode, nominatedNode != pod.status.nominatedNodeName {
            isNeeded = true
            status["nominatedNodeName"] =
                nominatedNode.isEmpty ? .null : DynamicValue(nominatedNode)
        }
        return isNeeded
            ? ["metadata": ["uid": DynamicValue(pod.metadata.uid)], "status": status] : nil
    }

    private static func value(
        _ condition: Condition,
        _ old: CoreV1.PodCondition?,
        _ pod: CoreV1.Pod,
        _ now: Timestamp
    ) -> DynamicValue {
        var time = now
        if old?.status == condition.status, let since = old?.lastTransitionTime.timestamp {
            time = since
        }
        var value: DynamicValue = [
            "type": DynamicValue(condition.type),
            "status": DynamicValue(condition.status),
            "reason": DynamicValue(condition.reason),
            "message": DynamicValue(condition.message),
            "lastProbeTime": .null,
            "lastTransitionTime": DynamicValue(time.text(as: .time)),
        ]
        let generation = pod.metadata.generation
        if generation != 0 { value["observedGeneration"] = DynamicValue(generation) }
        return value
    }
}
