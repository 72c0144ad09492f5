// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Admission
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import Scalars
import Testing

@Suite("ServiceAccountAdmission")
struct ServiceAccountAdmissionTests {
    static func cluster(
        _ change: (inout CoreV1.ServiceAccount) -> Void = { _ in }
    ) -> ServiceAccountAdmission {
        let objects = MemoryObjects()
        objects.put(
            "serviceaccounts",
            CoreV1.ServiceAccount.with {
                $0.metadata.name = "default"
                $0.metadata.namespace = "a"
                $0.imagePullSecrets.append(.with { $0.name = "pull" })
                change(&$0)
            }
        )
        return ServiceAccountAdmission(objects, suffix: { "abcde" })
    }

    @Test("mounts the token of the default account")
    func mounts() async throws {
        let (attributes, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", AdmissionCase.pod()),
            Self.cluster()
        )
        #expect(refusal == nil)
        let tree = try #require(try attributes.object?.dynamicValue())
        #expect(tree[path: ["spec", "serviceAccountName"]] == "default")
        #expect(tree[path: ["spec", "imagePullSecrets", 0, "name"]] == "pull")
        #expect(
            tree[path: ["spec", "containers", 0, "volumeMounts"]]?.jsonText == """
                [{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount",\
                "name":"kube-api-access-abcde","readOnly":true}]
                """
        )
        #expect(
            tree[path: ["spec", "volumes"]]?.jsonText == """
                [{"name":"kube-api-access-abcde","projected":{"defaultMode":420,"sources":[\
                {"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},\
                {"configMap":{"items":[{"key":"ca.crt","path":"ca.crt"}],\
                "name":"kube-root-ca.crt"}},\
                {"downwardAPI":{"items":[{"fieldRef":{"apiVersion":"v1",\
                "fieldPath":"metadata.namespace"},"path":"namespace"}]}}]}}]
                """
        )
    }

    @Test(
        "mounts nothing where it is turned off",
        arguments: [(false, nil), (true, false), (nil, false)] as [(Bool?, Bool?)]
    )
    func turnedOff(_ account: Bool?, _ pod: Bool?) async {
        let (attributes, _) = await AdmissionCase.run(
            AdmissionCase.attributes(
                .create,
                "pods",
                AdmissionCase.pod { $0.spec.automountServiceAccountToken = pod }
            ),
            Self.cluster { $0.automountServiceAccountToken = account }
        )
        let pod = attributes.object?.message(as: CoreV1.Pod.self)
        #expect(pod?.spec.volumes.isEmpty == true)
        #expect(pod?.spec.serviceAccountName == "default")
    }

    @Test("refuses an account that does not exist")
    func missing() async {
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(
                .create,
                "pods",
                AdmissionCase.pod { $0.spec.serviceAccountName = "none" }
            ),
            Self.cluster()
        )
        #expect(
            refusal?.message == """
                pods "p" is forbidden: error looking up service account a/none: serviceaccount \
                "none" not found
                """
        )
    }

    @Test(
        "leaves mirror pods alone, and refuses those that reach for secrets",
        arguments: [
            ("", "", nil),
            ("default", "", "a mirror pod may not reference service accounts"),
            ("", "s", "a mirror pod may not reference secrets"),
        ] as [(String, String, String?)]
    )
    func mirrors(_ account: String, _ secret: String, _ why: String?) async {
        let pod = AdmissionCase.pod {
            $0.metadata.annotations["kubernetes.io/config.mirror"] = "x"
            $0.spec.serviceAccountName = account
            if !secret.isEmpty { $0.spec.imagePullSecrets.append(.with { $0.name = secret }) }
        }
        let (attributes, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", pod),
            Self.cluster()
        )
        #expect(refusal?.message == why.map { "pods \"p\" is forbidden: \($0)" })
        #expect(attributes.object == APIObject(pod))
    }
}

@Suite("PriorityAdmission")
struct PriorityAdmissionTests {
    static func plugin() -> PriorityAdmission {
        let objects = MemoryObjects()
        for (name, value, isDefault, policy) in [
            ("high", 1000, false, "Never"), ("usual", 10, true, "PreemptLowerPriority"),
        ] as [(String, Int32, Bool, String)] {
            objects.put(
                "priorityclasses",
                group: "scheduling.k8s.io",
                SchedulingV1.PriorityClass.with {
                    $0.metadata.name = name
                    $0.value = value
                    $0.globalDefault = isDefault
                    $0.preemptionPolicy = policy
                }
            )
        }
        return PriorityAdmission(objects)
    }

    @Test(
        "turns the class into a number",
        arguments: [
            ("", nil, 10, nil), ("high", nil, 1000, nil), ("high", 1000, 1000, nil),
            ("none", nil, nil, "no PriorityClass with name none was found"),
            (
                "high", 5, nil,
                "the integer value of priority (5) must not be provided in pod spec; priority "
                    + "admission controller computed 1000 from the given PriorityClass name"
            ),
        ] as [(String, Int32?, Int32?, String?)]
    )
    func pods(_ name: String, _ given: Int32?, _ expected: Int32?, _ why: String?) async {
        let pod = AdmissionCase.pod {
            $0.spec.priorityClassName = name
            $0.spec.priority = given
        }
        let (attributes, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", pod),
            Self.plugin()
        )
        #expect(refusal?.message == why.map { "pods \"p\" is forbidden: \($0)" })
        if why == nil {
            let admitted = attributes.object?.message(as: CoreV1.Pod.self)
            #expect(admitted?.spec.priority == expected)
            #expect(admitted?.spec.priorityClassName == (name.isEmpty ? "usual" : name))
        }
    }

    @Test("gives 0 without a default class")
    func noDefault() async {
        let (attributes, _) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", AdmissionCase.pod()),
            PriorityAdmission(MemoryObjects())
        )
        let pod = attributes.object?.message(as: CoreV1.Pod.self)
        #expect(pod?.spec.priority == 0)
        #expect(pod?.spec.preemptionPolicy == "PreemptLowerPriority")
        #expect(pod?.spec.priorityClassName == "")
    }

    @Test("has one default class")
    func oneDefault() async {
        let second = SchedulingV1.PriorityClass.with {
            $0.metadata.name = "second"
            $0.globalDefault = true
        }
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(
                .create,
                "priorityclasses",
                group: "scheduling.k8s.io",
                second
            ),
            Self.plugin()
        )
        #expect(
            refusal?.message == """
                priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass usual is \
                already marked as default. Only one default can exist
                """
        )
    }
}

@Suite("DefaultTolerationSeconds")
struct DefaultTolerationSecondsTests {
    @Test("adds what a pod does not say")
    func defaults() async {
        let (attributes, _) = await AdmissionCase.run(
            AdmissionCase.attributes(
                .create,
                "pods",
                AdmissionCase.pod {
                    $0.spec.tolerations.append(
                        .with {
                            $0.key = "node.kubernetes.io/not-ready"
                            $0.operator = "Exists"
                            $0.effect = "NoExecute"
                        }
                    )
                }
            ),
            DefaultTolerationSeconds()
        )
        let tolerations = attributes.object?.message(as: CoreV1.Pod.self)?.spec.tolerations
        #expect(
            tolerations?.map(\.key) == [
                "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
            ]
        )
        #expect(tolerations?.map(\.tolerationSeconds) == [nil, 300])
    }

    @Test("adds nothing for a pod that tolerates all")
    func everything() async {
        let pod = AdmissionCase.pod {
            $0.spec.tolerations.append(.with { $0.operator = "Exists" })
        }
        let (attributes, _) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", pod),
            DefaultTolerationSeconds()
        )
        #expect(attributes.object == APIObject(pod))
    }
}

@Suite("RuntimeClassAdmission")
struct RuntimeClassAdmissionTests {
    static func plugin() -> RuntimeClassAdmission {
        let objects = MemoryObjects()
        objects.put(
            "runtimeclasses",
            group: "node.k8s.io",
            NodeV1.RuntimeClass.with {
                $0.metadata.name = "vm"
                $0.overhead = .with { $0.podFixed["memory"] = .init(Quantity(128 << 20)) }
                $0.scheduling = .with { $0.nodeSelector["kvm"] = "yes" }
            }
        )
        return RuntimeClassAdmission(objects)
    }

    @Test(
        "adds overhead and nodes",
        arguments: [
            ("vm", nil, nil), ("vm", "yes", nil),
            (
                "vm", "no",
                "conflict: runtimeClass.scheduling.nodeSelector[kvm] = yes; "
                    + "pod.spec.nodeSelector[kvm] = no"
            ),
            ("none", nil, "pod rejected: RuntimeClass \"none\" not found"),
        ] as [(String, String?, String?)]
    )
    func pods(_ name: String, _ selector: String?, _ why: String?) async {
        let pod = AdmissionCase.pod {
            $0.spec.runtimeClassName = name
            if let selector { $0.spec.nodeSelector["kvm"] = selector }
        }
        let (attributes, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", pod),
            Self.plugin()
        )
        #expect(refusal?.message == why.map { "pods \"p\" is forbidden: \($0)" })
        guard why == nil else { return }
        let admitted = attributes.object?.message(as: CoreV1.Pod.self)
        #expect(admitted?.spec.nodeSelector["kvm"] == "yes")
        #expect(admitted?.spec.overhead.count == 1)
    }

    @Test("refuses overhead that no class has")
    func overhead() async {
        let pod = AdmissionCase.pod { $0.spec.overhead["cpu"] = .init(Quantity(1)) }
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", pod),
            Self.plugin()
        )
        #expect(
            refusal?.message == """
                pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding \
                RuntimeClass defined Overhead
                """
        )
    }
}
