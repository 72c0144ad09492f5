// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf
import Scalars
import Testing

@testable import KubeScheduler

@Suite("Pod status patch") struct PodStatusPatchTests {
    static let now = Timestamp(seconds: 1_700_000_000)
    static let condition = PodStatusPatch.Condition(
        type: "PodScheduled",
        status: "False",
        reason: "Unschedulable",
        message: "no"
    )

    @Test("sets the condition and the nominated node")
    func patch() {
        let pod = CoreV1.Pod.with { $0.metadata.uid = "u" }
        let patch = PodStatusPatch.patch(pod, Self.condition, nominatedNode: "a", now: Self.now)
        #expect(
            patch?.jsonText
                == #"{"metadata":{"uid":"u"},"status":{"conditions":[{"lastProbeTime":null,"#
                + #""lastTransitionTime":"2023-11-14T22:13:20Z","message":"no","#
                + #""reason":"Unschedulable","status":"False","type":"PodScheduled"}],"#
                + #""nominatedNodeName":"a"}}"#
        )
    }

    @Test("is not made when nothing changes")
    func unchanged() {
        let pod = CoreV1.Pod.with {
            $0.status.nominatedNodeName = "a"
            $0.status.conditions.append(
                .with {
                    $0.type = "PodScheduled"
                    $0.status = "False"
                    $0.reason = "Unschedulable"
                    $0.message = "no"
                }
            )
        }
        #expect(
            PodStatusPatch.patch(pod, Self.condition, nominatedNode: "a", now: Self.now) == nil
        )
        #expect(PodStatusPatch.patch(pod, nil, nominatedNode: nil, now: Self.now) == nil)
    }

    @Test("clears a nominated node, and keeps the time of an old transition")
    func clearing() {
        let pod = CoreV1.Pod.with {
            $0.status.nominatedNodeName = "a"
            $0.status.conditions.append(
                .with {
                    $0.type = "PodScheduled"
                    $0.status = "False"
                    $0.reason = "Unschedulable"
                    $0.message = "other"
                    $0.lastTransitionTime = MetaV1.Time(Timestamp(seconds: 1_600_000_000))
                }
            )
        }
        let patch = PodStatusPatch.patch(pod, Self.condition, nominatedNode: "", now: Self.now)
        #expect(patch?["status"]?["nominatedNodeName"]?.isNull == true)
        #expect(patch?.jsonText.contains("2020-09-13T12:26:40Z") == true)
    }
}
