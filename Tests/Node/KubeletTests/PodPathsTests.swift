// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Testing

@testable import Kubelet

@Suite("Names of pods in paths")
struct PodPathsTests {
    /// Names that would lead out of the folder they are in, or are none.
    private static let tricks = [
        "", ".", "..", "../..", "/", "/etc", "a/b", "../../etc/cron.d", "a\0b",
        String(repeating: "n", count: 256),
    ]

    private static func pod() -> CoreV1.Pod {
        CoreV1.Pod.with {
            $0.metadata.name = "web"
            $0.metadata.namespace = "default"
            $0.metadata.uid = "0a1b"
            $0.spec.initContainers = [CoreV1.Container.with { $0.name = "first" }]
            $0.spec.containers = [CoreV1.Container.with { $0.name = "main" }]
            $0.spec.volumes = [CoreV1.Volume.with { $0.name = "data" }]
        }
    }

    @Test("that are names are taken")
    func names() {
        #expect(PodPaths.isSafe(Self.pod()))
    }

    @Test("that lead elsewhere are refused, wherever they stand", arguments: Self.tricks)
    func refused(name: String) {
        for change: (inout CoreV1.Pod) -> Void in [
            { $0.metadata.name = name }, { $0.metadata.namespace = name },
            { $0.metadata.uid = name }, { $0.spec.initContainers[0].name = name },
            { $0.spec.containers[0].name = name }, { $0.spec.volumes[0].name = name },
        ] {
            var pod = Self.pod()
            change(&pod)
            #expect(!PodPaths.isSafe(pod))
        }
    }
}
