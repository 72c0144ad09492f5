// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Testing

@testable import Kubelet

@Suite("Statuses that others have changed")
struct StatusReporterTests {
    private static func status(_ conditions: [String]) -> CoreV1.PodStatus {
        CoreV1.PodStatus.with { status in
            for text in conditions {
                let words = text.split(separator: "=").map(String.init)
                status.conditions.append(
                    CoreV1.PodCondition.with {
                        $0.type = words[0]
                        $0.status = words[1]
                    }
                )
            }
        }
    }

    @Test(
        "are written again when it is the kubelet that knows",
        arguments: [
            (["Ready=True"], ["Ready=True"], false),
            (["Ready=True"], ["Ready=False"], true),
            (["Ready=True", "ContainersReady=True"], ["ContainersReady=False"], true),
            // Not there yet: it comes with the next write.
            (["Ready=True"], [], false),
            (["Ready=True"], ["example.com/gate=False"], false),
            (["example.com/gate=True"], ["example.com/gate=False"], false),
            ([], ["Ready=False"], false),
        ] as [([String], [String], Bool)]
    )
    func contradiction(own: [String], other: [String], isContradicted: Bool) {
        #expect(
            StatusReporter.isContradicted(Self.status(own), by: Self.status(other))
                == isContradicted
        )
    }
}
