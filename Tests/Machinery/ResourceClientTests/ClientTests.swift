// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import JSON
import KubernetesAPI
import MemoryCluster
import ObjectModel
import Protobuf
import RPC
import RPCInterface
import ResourceClient
import Selectors
import Testing

@Suite("Client")
struct ClientTests {
    private let cluster = MemoryCluster()
    private let channel: InProcessChannel
    private let pods: Client<CoreV1.Pod>

    init() {
        self.channel = InProcessChannel(services: [self.cluster])
        self.pods = Client(self.channel, fieldManager: "test")
    }

    private static func pod(_ name: String, labels: [String: String] = [:]) -> CoreV1.Pod {
        CoreV1.Pod.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.metadata.labels = MapField(labels)
            $0.spec.containers.append(CoreV1.Container.with { $0.name = "main" })
        }
    }

    @Test("writes and reads an object")
    func roundTrip() async throws {
        let created = try await self.pods.create(Self.pod("a"))
        #expect(!created.metadata.uid.isEmpty)
        var pod = try await self.pods.get("a", in: "default")
        #expect(pod == created)
        pod.spec.nodeName = "node-1"
        pod = try await self.pods.update(pod)
        #expect(pod.spec.nodeName == "node-1")
        pod.status.phase = "Running"
        pod = try await self.pods.updateStatus(pod)
        #expect(pod.status.phase == "Running")
        pod = try await self.pods.patch(
            "a",
            in: "default",
            .merge,
            ["metadata": ["labels": ["app": "web"]]]
        )
        #expect(pod.metadata.labels["app"] == "web")
        #expect(pod.status.phase == "Running")
        #expect(
            try await self.pods.delete("a", in: "default", DeleteOptions(gracePeriodSeconds: 0))
        )
    }

    @Test("lists by namespace, labels and fields")
    func lists() async throws {
        for index in 0..<6 {
            var pod = Self.pod("p\(index)", labels: ["odd": "\(index % 2)"])
            if index == 5 { pod.metadata.namespace = "other" }
            pod.spec.nodeName = "n\(index % 3)"
            _ = try await self.pods.create(pod)
        }
        #expect(try await self.pods.list().items.count == 6)
        #expect(try await self.pods.list(in: "default").items.count == 5)
        let odd = try LabelSelector(parsing: "odd=1")
        #expect(try await self.pods.list(labels: odd).items.count == 3)
        #expect(try await self.pods.list(labels: .nothing).items.isEmpty)
        let fields = try FieldSelector(parsing: "spec.nodeName=n0")
        #expect(
            try await self.pods.list(fields: fields).items.map(\.metadata.name) == ["p0", "p3"]
        )
    }

    @Test("tells failures as the API does")
    func failures() async throws {
        let created = try await self.pods.create(Self.pod("a"))
        await #expect(throws: StatusError.self) { try await self.pods.create(Self.pod("a")) }
        do {
            _ = try await self.pods.create(Self.pod("a"))
        } catch {
            #expect(error.isAlreadyExists)
            #expect(error.message == "pods \"a\" already exists")
            #expect(error.status.details?.name == "a")
        }
        do {
            _ = try await self.pods.get("b", in: "default")
        } catch {
            #expect(error.isNotFound)
        }
        _ = try await self.pods.patch(
            "a",
            in: "default",
            .merge,
            ["metadata": ["labels": ["x": "y"]]]
        )
        do {
            _ = try await self.pods.update(created.changed { $0.spec.nodeName = "n" })
            Issue.record("an old version was accepted")
        } catch {
            #expect(error.isConflict)
        }
        do {
            try await self.pods.delete("a", in: "default", DeleteOptions(uid: "other"))
            Issue.record("a wrong UID was accepted")
        } catch {
            #expect(error.isConflict)
        }
    }

    @Test(
        "makes a Status of every gRPC code",
        arguments: [
            (RPCStatusCode.unavailable, StatusError.Reason.serviceUnavailable, 503),
            (.deadlineExceeded, .timeout, 504),
            (.notFound, .notFound, 404),
            (.permissionDenied, .forbidden, 403),
            (.unauthenticated, .unauthorized, 401),
            (.resourceExhausted, .tooManyRequests, 429),
            (.aborted, .conflict, 409),
            (.invalidArgument, .badRequest, 400),
            (.unimplemented, .methodNotAllowed, 405),
            (.dataLoss, .internalError, 500),
        ]
    )
    func codes(_ code: RPCStatusCode, _ reason: StatusError.Reason, _ number: Int) {
        let error = StatusError(RPCError(code: code, message: "why", details: [0xff]))
        #expect(error.reason == reason)
        #expect(error.code == number)
        #expect(error.message == "why")
    }

    @Test("watches from a version on")
    func watches() async throws {
        let first = try await self.pods.create(Self.pod("a"))
        let stream = try await self.pods.watch(
            in: "default",
            from: first.metadata.resourceVersion
        )
        _ = try await self.pods.create(Self.pod("b"))
        _ = try await self.pods.patch(
            "a",
            in: "default",
            .merge,
            ["metadata": ["labels": ["x": "y"]]]
        )
        try await self.pods.delete("b", in: "default", DeleteOptions(gracePeriodSeconds: 0))
        var seen: [String] = []
        while seen.count < 3, let batch = try await stream.next() {
            for event in batch.events {
                switch event {
                case .added(let pod): seen.append("added \(pod.metadata.name)")
                case .modified(let pod): seen.append("modified \(pod.metadata.name)")
                case .deleted(let pod): seen.append("deleted \(pod.metadata.name)")
                case .bookmark: break
                }
            }
        }
        #expect(seen == ["added b", "modified a", "deleted b"])
    }

    @Test("reads metadata alone of any resource")
    func metadataOnly() async throws {
        _ = try await self.pods.create(Self.pod("a", labels: ["x": "y"]))
        let client = Client<MetaV1.PartialObjectMetadata>(
            self.channel,
            resource: ResourceName(of: CoreV1.Pod.self)
        )
        let object = try await client.get("a", in: "default")
        #expect(object.metadata.labels["x"] == "y")
        #expect(try await client.list().items.count == 1)
    }

    @Test("binds a pod through the pipelined writer, many at once")
    func pipelined() async throws {
        for index in 0..<50 { _ = try await self.pods.create(Self.pod("p\(index)")) }
        let writer = PipelinedWriter(self.channel)
        let running = Task { await writer.run() }
        let pods = self.pods
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 {
                let binding = CoreV1.Binding.with { $0.target.name = "node-\(index % 5)" }
                let request = pods.createRequest("binding", of: "p\(index)", in: "default", binding)
                group.addTask { try await writer.create(request) }
            }
            try await group.waitForAll()
        }
        do {
            try await writer.delete(pods.deleteRequest("none", in: "default"))
            Issue.record("a missing pod was deleted")
        } catch {
            #expect(error.isNotFound)
        }
        running.cancel()
        await running.value
        let bound = try await self.pods.list().items.filter { !$0.spec.nodeName.isEmpty }
        #expect(bound.count == 50)
        await #expect(throws: StatusError.self) {
            try await writer.delete(pods.deleteRequest("p0", in: "default"))
        }
    }
}

extension Message {
    func changed(_ change: (inout Self) -> Void) -> Self {
        var copy = self
        change(&copy)
        return copy
    }
}
