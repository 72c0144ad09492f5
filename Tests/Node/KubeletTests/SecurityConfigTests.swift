// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import PodLifecycle
import Protobuf
import Testing

@testable import Kubelet

@Suite("Security contexts")
struct SecurityConfigTests {
    private let settings = KubeletSettings(nodeName: "node")

    @Test(
        "CVE-2023-2431: a local seccomp profile without a good name is an error, not none",
        arguments: ["", "/etc/profile", "..", "../x", "a/../../x"]
    )
    func profile(name: String) {
        let profile = CoreV1.SeccompProfile.with {
            $0.type = "Localhost"
            if !name.isEmpty { $0.localhostProfile = name }
        }
        #expect(throws: SecurityConfig.Refused.self) {
            try SecurityConfig.seccomp(profile, nil, self.settings)
        }
        #expect(throws: SecurityConfig.Refused.self) {
            try SecurityConfig.seccomp(nil, profile, self.settings)
        }
    }

    @Test("a local profile lies in the kubelet's folder; a kind that is not known is an error")
    func profiles() throws {
        let local = CoreV1.SeccompProfile.with {
            $0.type = "Localhost"
            $0.localhostProfile = "a/b.json"
        }
        let made = try SecurityConfig.seccomp(local, nil, self.settings)
        #expect(made.localhostRef == "/var/lib/kubelet/seccomp/a/b.json")
        let other = CoreV1.SeccompProfile.with { $0.type = "Other" }
        #expect(throws: SecurityConfig.Refused.self) {
            try SecurityConfig.seccomp(other, nil, self.settings)
        }
    }

    /// Contexts of many shapes: each field is set in half of them.
    private static func pod(_ seed: Int) -> CoreV1.Pod {
        CoreV1.Pod.with { pod in
            pod.metadata.name = "p"
            pod.metadata.namespace = "n"
            pod.metadata.uid = "u"
            pod.spec.securityContext = CoreV1.PodSecurityContext.with {
                if seed & 1 != 0 { $0.runAsUser = 1001 }
                if seed & 2 != 0 { $0.runAsGroup = 1002 }
                if seed & 4 != 0 { $0.fsGroup = 1003 }
                if seed & 8 != 0 { $0.supplementalGroups = [7, 8] }
            }
            pod.spec.containers = [
                CoreV1.Container.with { container in
                    container.name = "c"
                    container.image = "i"
                    container.command = ["a", "$(B)"]
                    container.securityContext = CoreV1.SecurityContext.with {
                        if seed & 16 != 0 { $0.runAsUser = 2001 }
                        if seed & 32 != 0 { $0.readOnlyRootFilesystem = true }
                        if seed & 64 != 0 { $0.allowPrivilegeEscalation = false }
                        if seed & 128 != 0 {
                            $0.capabilities = CoreV1.Capabilities.with { $0.drop = ["ALL"] }
                        }
                    }
                }
            ]
        }
    }

    @Test("CVE-2019-11245: every start of a container makes the same of its spec")
    func starts() throws {
        for seed in 0..<256 {
            let pod = Self.pod(seed)
            let spec = pod.regularSpecs[0]
            let config = { (restarts: UInt32) throws -> CRI.ContainerConfig in
                var config = try ContainerConfig(
                    pod: pod,
                    spec: spec,
                    settings: self.settings,
                    nodeMemory: 1 << 30,
                    environment: Environment(),
                    volumes: [:],
                    image: nil,
                    imageReference: "i@sha256:0",
                    targetID: ""
                ).make(restarts: restarts)
                config.metadata?.attempt = 0
                config.logPath = ""
                config.annotations[RuntimeLabels.restartCount] = nil
                return config
            }
            let first = try config(0)
            let expected: Int64? = seed & 16 != 0 ? 2001 : seed & 1 != 0 ? 1001 : nil
            let user = first.linux?.securityContext?.runAsUser?.value
            // A group without a user makes the user root.
            #expect(user == expected ?? (seed & 2 != 0 ? 0 : nil))
            for restarts: UInt32 in [1, 2, 77] {
                #expect(try config(restarts) == first, "\(seed)")
            }
        }
    }
}
