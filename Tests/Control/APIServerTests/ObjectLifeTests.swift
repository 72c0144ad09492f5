// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface
import Testing

@Suite("The life of an object")
struct ObjectLifeTests {
    /// Runs a call and answers the reason and code of its failure.
    private func failure(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "none"
        } catch let error as StatusError {
            return "\(error.code) \(error.reason.rawValue)"
        } catch {
            return "\(error)"
        }
    }

    @Test("who asks for a certificate is who sends the request, whatever it says")
    func certificateRequester() async throws {
        try await withServer { client in
            let made = try await client.create(
                CertificatesV1.CertificateSigningRequest.with {
                    $0.metadata.name = "x"
                    $0.spec.request = Bytes(utf8: "x")
                    $0.spec.signerName = "example.com/x"
                    $0.spec.usages = ["client auth"]
                    $0.spec.username = "system:node:other"
                    $0.spec.groups = ["system:nodes"]
                }
            )
            #expect(made.spec.username != "system:node:other")
            #expect(!made.spec.groups.contains("system:nodes"))
        }
    }

    @Test("the server names, dates and numbers what it creates")
    func create() async throws {
        try await withServer { client in
            let created = try await client.create(pod("a"))
            #expect(created.metadata.uid.count == 36)
            #expect(created.metadata.creationTimestamp.timestamp != nil)
            #expect(created.metadata.generation == 1)
            #expect(created.metadata.namespace == "default")
            #expect(!created.metadata.resourceVersion.isEmpty)
            #expect(created.status.phase == "Pending")
            let read = try await client.get(CoreV1.Pod.self, "a")
            #expect(read == created)
            #expect(await self.failure { try await client.create(pod("a")) } == "409 AlreadyExists")
            let generated = try await client.create(
                CoreV1.ConfigMap.with { $0.metadata.generateName = "x-" }
            )
            #expect(generated.metadata.name.hasPrefix("x-"))
            #expect(generated.metadata.name.utf8.count == 7)
        }
    }

    @Test("an old resource version is refused, none takes what is there")
    func conflict() async throws {
        try await withServer { client in
            var map = try await client.create(
                CoreV1.ConfigMap.with { $0.metadata.name = "a" }
            )
            let old = map
            map.data["k"] = "1"
            map = try await client.update(map, "a")
            #expect(await self.failure { try await client.update(old, "a") } == "409 Conflict")
            map.metadata.resourceVersion = ""
            map.data["k"] = "2"
            #expect(try await client.update(map, "a").data["k"] == "2")
            var other = map
            other.metadata.uid = "0efbe73f-3e5b-4853-be3a-76bb193b82c9"
            #expect(await self.failure { try await client.update(other, "a") } == "409 Conflict")
            #expect(
                await self.failure { try await client.update(map, "b") } == "400 BadRequest"
            )
        }
    }

    @Test("an update that changes nothing writes nothing")
    func unchanged() async throws {
        try await withServer { client in
            let map = try await client.create(CoreV1.ConfigMap.with { $0.metadata.name = "a" })
            let again = try await client.update(map, "a")
            #expect(again.metadata.resourceVersion == map.metadata.resourceVersion)
        }
    }

    @Test("spec and status are written apart, and the spec's changes are counted")
    func status() async throws {
        try await withServer { client in
            var deployment = AppsV1.Deployment.with {
                $0.metadata.name = "d"
                $0.spec.replicas = 2
                $0.spec.selector = MetaV1.LabelSelector.with { $0.matchLabels = ["a": "b"] }
                $0.spec.template.metadata.labels = ["a": "b"]
                $0.spec.template.spec.containers.append(
                    CoreV1.Container.with {
                        $0.name = "c"
                        $0.image = "i"
                    }
                )
                $0.status.replicas = 9
            }
            deployment = try await client.create(deployment)
            #expect(deployment.status.replicas == 0)
            #expect(deployment.metadata.generation == 1)
            deployment.spec.replicas = 5
            deployment.status.replicas = 4
            let status = try await client.update(deployment, "d", subresource: "status")
            #expect(status.status.replicas == 4)
            #expect(status.spec.replicas == 2)
            #expect(status.metadata.generation == 1)
            deployment.metadata.resourceVersion = ""
            deployment.status.replicas = 7
            let spec = try await client.update(deployment, "d")
            #expect(spec.spec.replicas == 5)
            #expect(spec.status.replicas == 4)
            #expect(spec.metadata.generation == 2)
        }
    }

    @Test("a pod that runs gets its grace, then goes at the kubelet's word")
    func grace() async throws {
        try await withServer { client in
            try await client.create(pod("a"))
            let marked = try await client.delete(CoreV1.Pod.self, "a")
            #expect(!marked.gone)
            let dying = try await client.get(CoreV1.Pod.self, "a")
            #expect(dying.metadata.deletionGracePeriodSeconds == 30)
            #expect(dying.metadata.deletionTimestamp?.timestamp != nil)
            let again = try await client.delete(CoreV1.Pod.self, "a")
            #expect(!again.gone)
            let shorter = ApusResource.DeleteOptions.with { $0.gracePeriodSeconds = 5 }
            try await client.delete(CoreV1.Pod.self, "a", "default", shorter)
            let sooner = try await client.get(CoreV1.Pod.self, "a")
            #expect(sooner.metadata.deletionGracePeriodSeconds == 5)
            let now = ApusResource.DeleteOptions.with { $0.gracePeriodSeconds = 0 }
            #expect(try await client.delete(CoreV1.Pod.self, "a", "default", now).gone)
            #expect(
                await self.failure { _ = try await client.get(CoreV1.Pod.self, "a") }
                    == "404 NotFound"
            )
            try await client.create(pod("b", node: ""))
            #expect(try await client.delete(CoreV1.Pod.self, "b").gone)
        }
    }

    @Test("finalizers keep an object until the last is taken")
    func finalizers() async throws {
        try await withServer { client in
            try await client.create(
                CoreV1.ConfigMap.with {
                    $0.metadata.name = "a"
                    $0.metadata.finalizers = ["example.com/x"]
                }
            )
            #expect(!(try await client.delete(CoreV1.ConfigMap.self, "a").gone))
            var map = try await client.get(CoreV1.ConfigMap.self, "a")
            #expect(map.metadata.deletionTimestamp != nil)
            map.metadata.finalizers = []
            try await client.update(map, "a")
            #expect(
                await self.failure { _ = try await client.get(CoreV1.ConfigMap.self, "a") }
                    == "404 NotFound"
            )
        }
    }

    @Test("preconditions of a deletion hold or it does not happen")
    func preconditions() async throws {
        try await withServer { client in
            let map = try await client.create(CoreV1.ConfigMap.with { $0.metadata.name = "a" })
            var options = ApusResource.DeleteOptions()
            options.preconditions = ApusResource.Preconditions.with { $0.uid = "other" }
            let wrong = options
            #expect(
                await self.failure {
                    try await client.delete(CoreV1.ConfigMap.self, "a", "default", wrong)
                } == "409 Conflict"
            )
            options.preconditions = ApusResource.Preconditions.with {
                $0.uid = map.metadata.uid
                $0.resourceVersion = map.metadata.resourceVersion
            }
            #expect(try await client.delete(CoreV1.ConfigMap.self, "a", "default", options).gone)
        }
    }

    @Test("a namespace goes when its finalizers are gone")
    func namespaces() async throws {
        try await withServer { client in
            let made = try await client.create(CoreV1.Namespace.with { $0.metadata.name = "n" })
            #expect(made.status.phase == "Active")
            #expect(Array(made.spec.finalizers) == ["kubernetes"])
            try await client.delete(CoreV1.Namespace.self, "n")
            var dying = try await client.get(CoreV1.Namespace.self, "n")
            #expect(dying.status.phase == "Terminating")
            dying.spec.finalizers = []
            try await client.update(dying, "n", subresource: "finalize")
            #expect(
                await self.failure { _ = try await client.get(CoreV1.Namespace.self, "n") }
                    == "404 NotFound"
            )
        }
    }

    private func job(_ change: (inout BatchV1.Job) -> Void = { _ in }) -> BatchV1.Job {
        BatchV1.Job.with {
            $0.metadata.name = "j"
            $0.spec.template.spec.restartPolicy = "Never"
            $0.spec.template.spec.containers.append(
                CoreV1.Container.with {
                    $0.name = "c"
                    $0.image = "i"
                }
            )
            change(&$0)
        }
    }

    @Test("a Job selects the pods with its own UID")
    func jobSelector() async throws {
        try await withServer { client in
            let made = try await client.create(
                self.job { $0.spec.template.metadata.labels = ["mine": "1"] }
            )
            let uid = made.metadata.uid
            #expect(
                made.spec.selector?.matchLabels == ["batch.kubernetes.io/controller-uid": uid]
            )
            #expect(
                made.spec.template.metadata.labels == [
                    "batch.kubernetes.io/controller-uid": uid, "controller-uid": uid,
                    "batch.kubernetes.io/job-name": "j", "job-name": "j", "mine": "1",
                ]
            )
        }
    }

    @Test("a Job with a selector of its own keeps it")
    func manualJobSelector() async throws {
        try await withServer { client in
            let made = try await client.create(
                self.job {
                    $0.spec.manualSelector = true
                    $0.spec.selector = MetaV1.LabelSelector.with { $0.matchLabels = ["a": "b"] }
                    $0.spec.template.metadata.labels = ["a": "b"]
                }
            )
            #expect(made.spec.selector?.matchLabels == ["a": "b"])
            #expect(made.spec.template.metadata.labels == ["a": "b"])
            #expect(
                await self.failure {
                    try await client.create(
                        self.job {
                            $0.metadata.name = "taken"
                            $0.spec.template.metadata.labels = [
                                "batch.kubernetes.io/controller-uid": "another"
                            ]
                        }
                    )
                } == "422 Invalid"
            )
        }
    }

    @Test("a dry run stores nothing")
    func dryRun() async throws {
        try await withServer { client in
            let made = try await client.create(
                CoreV1.ConfigMap.with { $0.metadata.name = "a" },
                dryRun: true
            )
            #expect(!made.metadata.uid.isEmpty)
            #expect(
                await self.failure { _ = try await client.get(CoreV1.ConfigMap.self, "a") }
                    == "404 NotFound"
            )
        }
    }

    @Test("a binding gives a pod its node, once")
    func binding() async throws {
        try await withServer { client in
            try await client.create(pod("a", node: ""))
            let binding = CoreV1.Binding.with {
                $0.metadata.name = "a"
                $0.target.kind = "Node"
                $0.target.name = "n7"
            }
            let request = ApusResource.CreateRequest.with {
                $0.target = client.target(CoreV1.Pod.self, "a", subresource: "binding")
                $0.object = ApusResource.Object.with { $0.body = .init(binding.serialized()) }
            }
            _ = try await client.run { () throws(RPCError) in
                try await client.resources.create(request)
            }
            let bound = try await client.get(CoreV1.Pod.self, "a")
            #expect(bound.spec.nodeName == "n7")
            #expect(
                bound.status.conditions.contains {
                    $0.type == "PodScheduled" && $0.status == "True"
                }
            )
            #expect(
                await self.failure {
                    _ = try await client.run { () throws(RPCError) in
                        try await client.resources.create(request)
                    }
                } == "409 Conflict"
            )
        }
    }

    @Test("patches of three kinds")
    func patches() async throws {
        try await withServer { client in
            try await client.create(pod("a"))
            let merged = try await client.patch(
                CoreV1.Pod.self,
                "a",
                .merge,
                #"{"metadata":{"labels":{"x":"1"}}}"#
            )
            #expect(merged.metadata.labels["x"] == "1")
            let strategic = try await client.patch(
                CoreV1.Pod.self,
                "a",
                .strategic,
                #"{"spec":{"containers":[{"name":"c","image":"other"}]}}"#
            )
            #expect(strategic.spec.containers.count == 1)
            #expect(strategic.spec.containers[0].image == "other")
            #expect(strategic.metadata.generation == 2)
            let json = try await client.patch(
                CoreV1.Pod.self,
                "a",
                .json,
                #"[{"op":"test","path":"/metadata/labels/x","value":"1"},{"op":"remove","path":"/metadata/labels/x"}]"#
            )
            #expect(json.metadata.labels["x"] == nil)
        }
    }

    @Test("Services get addresses and ports, each once, and give them back")
    func services() async throws {
        try await withServer { client in
            func service(_ name: String, _ type: String = "ClusterIP") -> CoreV1.Service {
                CoreV1.Service.with {
                    $0.metadata.name = name
                    $0.spec.type = type
                    $0.spec.selector = ["a": "b"]
                    $0.spec.ports.append(CoreV1.ServicePort.with { $0.port = 80 })
                }
            }
            var addresses: Set<String> = []
            for index in 0..<20 {
                let made = try await client.create(service("s\(index)"))
                #expect(made.spec.clusterIP.hasPrefix("10."))
                #expect(Array(made.spec.clusterIPs) == [made.spec.clusterIP])
                addresses.insert(made.spec.clusterIP)
            }
            #expect(addresses.count == 20)
            let taken = try #require(addresses.first)
            var asking = service("t")
            asking.spec.clusterIP = taken
            let sent = asking
            #expect(await self.failure { try await client.create(sent) } == "422 Invalid")
            let port = try await client.create(service("p", "NodePort")).spec.ports[0].nodePort
            #expect((30_000...32_767).contains(port))
            var samePort = service("q", "NodePort")
            samePort.spec.ports[0].nodePort = port
            let wanted = samePort
            #expect(await self.failure { try await client.create(wanted) } == "422 Invalid")
            try await client.delete(CoreV1.Service.self, "p")
            #expect(try await client.create(wanted).spec.ports[0].nodePort == port)
            for index in 0..<20 { try await client.delete(CoreV1.Service.self, "s\(index)") }
            #expect(try await client.create(sent).spec.clusterIP == taken)
        }
    }
}
