// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import Protobuf
import Testing

/// Messages as values: what an assignment, a copy and a nested change do.
@Suite("Message values")
struct MessageValueTests {
    static func pod() -> CoreV1.Pod {
        .with {
            $0.metadata.name = "web"
            $0.metadata.labels = ["app": "web", "tier": "front"]
            $0.spec.containers = [
                .with {
                    $0.name = "main"
                    $0.image = "registry.example.com/team/web:1.27.3"
                    $0.env = [
                        .with {
                            $0.name = "A"
                            $0.value = "1"
                        }
                    ]
                },
                .with { $0.name = "side" },
            ]
            $0.spec.terminationGracePeriodSeconds = 30
        }
    }

    @Test("empty messages read as zero and cost nothing")
    func empty() {
        let pod = CoreV1.Pod()
        #expect(pod.metadata.name == "")
        #expect(pod.spec.containers.isEmpty)
        #expect(pod.spec.terminationGracePeriodSeconds == nil)
        #expect(pod.spec.securityContext == nil)
        #expect(pod.metadata.labels["app"] == nil)
        #expect(pod == CoreV1.Pod())
    }

    @Test(
        "a nested change may move the memory of the whole",
        arguments: [1, 1_000, 100_000, 1_000_000]
    )
    func growth(count: Int) {
        let text = String(repeating: "x", count: count)
        let pod = CoreV1.Pod.with {
            $0.metadata.name = text
            $0.spec.nodeName = text
            $0.metadata.labels["a"] = text
            $0.spec.containers.append(.with { $0.image = text })
            $0.spec.securityContext = CoreV1.PodSecurityContext.with { $0.runAsUser = 1 }
            $0.spec.securityContext?.fsGroupChangePolicy = text
        }
        #expect(pod.metadata.name == text)
        #expect(pod.spec.nodeName == text)
        #expect(pod.metadata.labels["a"] == text)
        #expect(pod.spec.containers[0].image == text)
        #expect(pod.spec.securityContext?.fsGroupChangePolicy == text)
        #expect(pod.spec.securityContext?.runAsUser == 1)
    }

    @Test("a change to a copy leaves the original")
    func copies() {
        let original = Self.pod()
        var copy = original
        copy.spec.containers[0].env[0].value = "2"
        copy.spec.containers[1].name = "sidecar"
        copy.metadata.labels["tier"] = nil
        copy.spec.nodeName = "node-1"
        #expect(original.spec.containers[0].env[0].value == "1")
        #expect(original.spec.containers[1].name == "side")
        #expect(original.metadata.labels["tier"] == "front")
        #expect(original.spec.nodeName == "")
        #expect(copy.spec.containers[0].env[0].value == "2")
        #expect(copy.metadata.labels.keys == ["app"])
        #expect(copy != original)
    }

    @Test("parts live on without the whole")
    func parts() {
        var pod = Self.pod()
        let container = pod.spec.containers[0]
        pod.spec.containers[0].image = "other"
        pod = CoreV1.Pod()
        #expect(container.image == "registry.example.com/team/web:1.27.3")
        #expect(container.env.first?.name == "A")
    }

    @Test("optional messages appear and go")
    func optionalMessages() {
        var pod = Self.pod()
        pod.spec.securityContext = .with { $0.runAsUser = 1000 }
        pod.spec.securityContext?.runAsGroup = 2000
        #expect(pod.spec.securityContext?.runAsUser == 1000)
        #expect(pod.spec.securityContext?.runAsGroup == 2000)
        pod.spec.securityContext?.runAsUser = nil
        #expect(pod.spec.securityContext?.runAsUser == nil)
        pod.spec.securityContext = nil
        #expect(pod.spec.securityContext == nil)
        pod.spec.affinity?.nodeAffinity = .init()
        #expect(pod.spec.affinity == nil)
    }

    @Test("lists grow, shrink, move and take literals")
    func lists() {
        var container = CoreV1.Container()
        container.args = ["a", "b", "c"]
        container.args.append("d")
        container.args.remove(at: 0)
        container.args.insert("z", at: 1)
        container.args[0] = "a string that is longer than any small one"
        #expect(
            Array(container.args) == ["a string that is longer than any small one", "z", "c", "d"]
        )
        container.args.removeAll { $0 == "z" }
        container.args.swapAt(0, 2)
        #expect(Array(container.args) == ["d", "c", "a string that is longer than any small one"])
        container.args += container.args
        #expect(container.args.count == 6)
        container.args = []
        #expect(container.args.isEmpty && container.args.isPresent)
        var list: RepeatedField<String> = []
        for index in 0..<1000 { list.append("\(index)") }
        #expect(list.count == 1000 && list[999] == "999")
        #expect(list == RepeatedField((0..<1000).map { "\($0)" }))
    }

    @Test("maps stay in the order of their keys")
    func maps() {
        var labels: MapField<String, String> = ["b": "2", "a": "1"]
        labels["c"] = "3"
        labels["aa"] = "1.5"
        #expect(labels.keys == ["a", "aa", "b", "c"])
        #expect(labels.removeValue(forKey: "b") == "2")
        #expect(labels.removeValue(forKey: "b") == nil)
        labels["a", default: ""] += "!"
        #expect(labels["a"] == "1!")
        #expect(MapField(["x": "y"]) == ["x": "y"])
        var requirements = CoreV1.ResourceRequirements()
        requirements.limits["cpu"] = .with { $0.string = "500m" }
        requirements.limits["memory"] = .with { $0.string = "1Gi" }
        #expect(requirements.limits.map(\.key) == ["cpu", "memory"])
        #expect(requirements.limits["cpu"]?.string == "500m")
    }

    @Test("a copy kept during a nested change stays as it was taken")
    func copyDuringChange() {
        var pod = Self.pod()
        var kept = CoreV1.PodSpec()
        func change(_ spec: inout CoreV1.PodSpec) {
            spec.nodeName = "one"
            kept = spec
            spec.nodeName = "two"
        }
        change(&pod.spec)
        #expect(kept.nodeName == "one")
        #expect(pod.spec.nodeName == "two")
        func replace(_ spec: inout CoreV1.PodSpec) {
            spec.nodeName = String(repeating: "x", count: 100_000)
            kept = spec
            spec = CoreV1.PodSpec.with { $0.nodeName = "three" }
        }
        replace(&pod.spec)
        #expect(kept.nodeName.count == 100_000)
        #expect(pod.spec.nodeName == "three")
        #expect(pod.metadata.name == "web")
        func abandon(_ spec: inout CoreV1.PodSpec) {
            spec.hostname = String(repeating: "y", count: 100_000)
            spec = CoreV1.PodSpec()
        }
        abandon(&pod.spec)
        #expect(pod.spec == CoreV1.PodSpec())
        #expect(pod.metadata.labels["app"] == "web")
    }

    @Test("a message put into itself is copied")
    func selfReference() {
        var pod = Self.pod()
        let spec = pod.spec
        pod.spec = spec
        pod.spec.containers.append(pod.spec.containers[0])
        #expect(pod.spec.containers.count == 3)
        #expect(pod.spec.containers[2] == pod.spec.containers[0])
    }

    @Test("does not grow without bound when one message changes for ever")
    func waste() {
        var pod = Self.pod()
        for index in 0..<100_000 { pod.status.message = "this is message number \(index)" }
        #expect(pod.status.message == "this is message number 99999")
        #expect(pod.storage.block.capacity < 64 * 1024)
        #expect(pod.metadata.name == "web")
        for index in 0..<20_000 {
            pod.spec = Self.pod().spec
            pod.spec.containers[0].args = ["\(index)", "and another argument, longer"]
            pod.metadata.labels = ["app": "label value number \(index)"]
        }
        #expect(pod.storage.block.capacity < 64 * 1024)
        #expect(pod.spec.containers[0].args[0] == "19999")
    }

    @Test("is shared between threads without a copy")
    func sharing() async {
        let pod = Self.pod()
        let counts = await withTaskGroup(of: Int.self) { group in
            for index in 0..<8 {
                group.addTask {
                    var total = 0
                    for round in 0..<1000 {
                        var copy = pod
                        copy.spec.containers[0].image = "image-\(index)-\(round)"
                        if copy.spec.containers[0].image == "image-\(index)-\(round)" { total += 1 }
                    }
                    return total
                }
            }
            return await group.reduce(0, +)
        }
        #expect(counts == 8000)
        #expect(pod == Self.pod())
    }

    @Test("hashes and describes its fields")
    func hashing() {
        #expect(Set([Self.pod(), Self.pod(), CoreV1.Pod()]).count == 2)
        var changed = Self.pod()
        changed.spec.hostNetwork = true
        #expect(Set([Self.pod(), changed]).count == 2)
        #expect(
            CoreV1.ContainerPort.with { $0.containerPort = 80 }.description
                == "k8s.io.api.core.v1.ContainerPort {containerPort: 80}"
        )
    }

    @Test("becomes a tree and comes back")
    func tree() throws {
        let pod = Self.pod()
        let tree = try DynamicValue(pod)
        #expect(tree["kind"]?.string == "Pod")
        #expect(tree[path: ["spec", "containers", 0, "env", 0, "value"]]?.string == "1")
        #expect(try tree.message(as: CoreV1.Pod.self) == pod)
        let bytes = pod.serialized()
        let fromBinary = try bytes.withUnsafeBytes {
            try DynamicValue(serialized: $0, as: CoreV1.Pod.schema)
        }
        #expect(fromBinary == tree)
        #expect(try tree.serialized(as: CoreV1.Pod.schema) == bytes)
    }
}
