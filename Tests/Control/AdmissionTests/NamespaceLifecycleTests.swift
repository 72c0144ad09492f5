// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Admission
import KubernetesAPI
import ObjectModel
import Protobuf
import Testing

@Suite("NamespaceLifecycle")
struct NamespaceLifecycleTests {
    static func cluster(phase: String) -> MemoryObjects {
        let objects = MemoryObjects()
        objects.put(
            "namespaces",
            CoreV1.Namespace.with {
                $0.metadata.name = "a"
                $0.status.phase = phase
            }
        )
        return objects
    }

    @Test("lets create in a living namespace")
    func active() async {
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", AdmissionCase.pod()),
            NamespaceLifecycle(Self.cluster(phase: "Active"))
        )
        #expect(refusal == nil)
    }

    @Test("refuses a missing namespace")
    func missing() async {
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", AdmissionCase.pod()),
            NamespaceLifecycle(MemoryObjects())
        )
        #expect(refusal?.message == "namespaces \"a\" not found")
        #expect(refusal?.code == 404)
    }

    @Test("refuses new content in a namespace that ends, not changes of old")
    func terminating() async {
        let plugin = NamespaceLifecycle(Self.cluster(phase: "Terminating"))
        let pod = AdmissionCase.pod()
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", pod),
            plugin
        )
        #expect(
            refusal?.message == """
                pods "p" is forbidden: unable to create new content in namespace a because it is \
                being terminated
                """
        )
        #expect(refusal?.status.details?.causes.first?.reason == "NamespaceTerminating")
        let (_, second) = await AdmissionCase.run(
            AdmissionCase.attributes(.update, "pods", pod, old: pod),
            plugin
        )
        #expect(second == nil)
    }

    @Test(
        "keeps the namespaces that a cluster needs",
        arguments: [
            ("default", true), ("kube-system", true), ("kube-public", true),
            ("kube-node-lease", false), ("a", false),
        ]
    )
    func immortal(_ name: String, _ isRefused: Bool) async {
        let namespace = CoreV1.Namespace.with { $0.metadata.name = name }
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.delete, "namespaces", namespace),
            NamespaceLifecycle(MemoryObjects())
        )
        let text = "namespaces \"\(name)\" is forbidden: this namespace may not be deleted"
        #expect(refusal?.message == (isRefused ? text : nil))
    }
}
