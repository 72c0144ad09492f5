// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Admission
import KubernetesAPI
import ObjectModel
import Protobuf
import Testing

@Suite("PodSecurity")
struct PodSecurityTests {
    static func cluster(_ labels: [String: String]) -> MemoryObjects {
        let objects = MemoryObjects()
        objects.put("namespaces", Self.namespace(labels))
        return objects
    }

    static func namespace(_ labels: [String: String]) -> CoreV1.Namespace {
        .with {
            $0.metadata.name = "a"
            for (key, value) in labels {
                $0.metadata.labels["pod-security.kubernetes.io/\(key)"] = value
            }
        }
    }

    /// A pod that restricted lets in.
    static func good(_ change: (inout CoreV1.Pod) -> Void = { _ in }) -> CoreV1.Pod {
        AdmissionCase.pod {
            $0.spec.securityContext = .with {
                $0.runAsNonRoot = true
                $0.seccompProfile = .with { $0.type = "RuntimeDefault" }
            }
            $0.spec.containers[0].securityContext = .with {
                $0.allowPrivilegeEscalation = false
                $0.capabilities = .with { $0.drop = ["ALL"] }
            }
            change(&$0)
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var level: String
        var pod: CoreV1.Pod
        var why: String?
        var testDescription: String { "\(self.level): \(self.why ?? "allowed")" }
    }

    @Test(
        "refuses pods in upstream's words",
        arguments: [
            Case(level: "privileged", pod: AdmissionCase.pod { $0.spec.hostPID = true }),
            Case(level: "baseline", pod: AdmissionCase.pod()),
            Case(level: "restricted", pod: Self.good()),
            Case(
                level: "restricted",
                pod: AdmissionCase.pod(),
                why: """
                    allowPrivilegeEscalation != false (container "c" must set \
                    securityContext.allowPrivilegeEscalation=false), unrestricted capabilities \
                    (container "c" must set securityContext.capabilities.drop=["ALL"]), \
                    runAsNonRoot != true (pod or container "c" must set \
                    securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must \
                    set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")
                    """
            ),
            Case(
                level: "baseline",
                pod: AdmissionCase.pod {
                    $0.spec.hostNetwork = true
                    $0.spec.hostPID = true
                    $0.spec.containers[0].securityContext = .with { $0.privileged = true }
                },
                why: """
                    host namespaces (hostNetwork=true, hostPID=true), privileged (container "c" \
                    must not set securityContext.privileged=true)
                    """
            ),
            Case(
                level: "baseline",
                pod: AdmissionCase.pod {
                    $0.spec.volumes.append(
                        .with {
                            $0.name = "v"
                            $0.volumeSource.hostPath = .with { $0.path = "/" }
                        }
                    )
                },
                why: "hostPath volumes (volume \"v\")"
            ),
            Case(
                level: "restricted",
                pod: Self.good {
                    $0.spec.volumes.append(
                        .with {
                            $0.name = "v"
                            $0.volumeSource.hostPath = .with { $0.path = "/" }
                        }
                    )
                },
                why: """
                    restricted volume types (volume "v" uses restricted volume type "hostPath")
                    """
            ),
            Case(
                level: "baseline",
                pod: AdmissionCase.pod {
                    $0.spec.containers[0].ports.append(.with { $0.hostPort = 80 })
                },
                why: "hostPort (container \"c\" uses hostPort 80)"
            ),
            Case(
                level: "baseline",
                pod: AdmissionCase.pod {
                    $0.spec.containers[0].securityContext = .with {
                        $0.capabilities = .with { $0.add = ["SYS_ADMIN", "CHOWN", "NET_RAW"] }
                    }
                },
                why: """
                    non-default capabilities (container "c" must not include "NET_RAW", \
                    "SYS_ADMIN" in securityContext.capabilities.add)
                    """
            ),
            Case(
                level: "baseline",
                pod: AdmissionCase.pod {
                    $0.spec.securityContext = .with {
                        $0.sysctls.append(.with { $0.name = "kernel.panic" })
                        $0.seccompProfile = .with { $0.type = "Unconfined" }
                        $0.seLinuxOptions = .with { $0.type = "spc_t" }
                    }
                },
                why: """
                    seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \
                    "spc_t"), seccompProfile (pod must not set securityContext.seccompProfile.type \
                    to "Unconfined"), forbidden sysctls (kernel.panic)
                    """
            ),
            Case(
                level: "restricted",
                pod: Self.good { $0.spec.securityContext?.runAsUser = 0 },
                why: "runAsUser=0 (pod must not set runAsUser=0)"
            ),
            Case(
                level: "restricted",
                pod: Self.good { $0.spec.containers[0].securityContext?.runAsNonRoot = false },
                why: """
                    runAsNonRoot != true (container "c" must not set \
                    securityContext.runAsNonRoot=false)
                    """
            ),
        ]
    )
    func pods(_ item: Case) async {
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", item.pod),
            PodSecurity(Self.cluster(["enforce": item.level]))
        )
        let text = item.why.map {
            "pods \"p\" is forbidden: violates PodSecurity \"\(item.level):latest\": \($0)"
        }
        #expect(refusal?.message == text)
    }

    @Test("warns where it does not enforce")
    func warnings() async {
        let plugin = PodSecurity(
            Self.cluster(["warn": "baseline", "warn-version": "v1.30", "audit": "baseline"])
        )
        let (attributes, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(
                .create,
                "pods",
                AdmissionCase.pod { $0.spec.hostIPC = true }
            ),
            plugin
        )
        #expect(refusal == nil)
        #expect(
            attributes.warnings == [
                "would violate PodSecurity \"baseline:v1.30\": host namespaces (hostIPC=true)"
            ]
        )
        #expect(
            attributes.auditAnnotations["pod-security.kubernetes.io/audit-violations"] != nil
        )
    }

    @Test("warns of templates whose pods will be refused")
    func templates() async {
        let deployment = AppsV1.Deployment.with {
            $0.metadata.name = "d"
            $0.metadata.namespace = "a"
            $0.spec.template.spec = AdmissionCase.pod { $0.spec.hostPID = true }.spec
        }
        let (attributes, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "deployments", group: "apps", deployment),
            PodSecurity(Self.cluster(["enforce": "baseline"]))
        )
        #expect(refusal == nil)
        #expect(
            attributes.warnings == [
                "would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)"
            ]
        )
    }

    @Test("checks the labels of namespaces, and warns of pods that are there")
    func namespaces() async {
        let objects = Self.cluster([:])
        objects.put("pods", AdmissionCase.pod { $0.spec.hostPID = true })
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(
                .create,
                "namespaces",
                Self.namespace(["enforce": "strict", "enforce-version": "1.30"])
            ),
            PodSecurity(objects)
        )
        #expect(refusal?.code == 422)
        #expect(
            refusal?.status.details?.causes.first?.message == """
                Invalid value: "strict": must be one of privileged, baseline, restricted
                """
        )
        let (attributes, second) = await AdmissionCase.run(
            AdmissionCase.attributes(
                .update,
                "namespaces",
                Self.namespace(["enforce": "baseline"]),
                old: Self.namespace([:])
            ),
            PodSecurity(objects)
        )
        #expect(second == nil)
        #expect(
            attributes.warnings == [
                "existing pods in namespace \"a\" violate the new PodSecurity enforce level "
                    + "\"baseline:latest\"",
                "p: host namespaces",
            ]
        )
    }
}
