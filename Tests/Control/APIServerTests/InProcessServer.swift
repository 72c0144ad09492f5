// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import CallStatus
import Engine
import KubernetesAPI
import NIOPosix
import NodeStreams
import ObjectModel
import Protobuf
import RPCInterface
import ResourceTable

@testable import APIServer

/// A server without a port over a store in memory, for one test.
func withServer(
    _ configuration: APIServer.Configuration = APIServer.Configuration(),
    _ body: (TestClient) async throws -> Void
) async throws {
    let store = try EmbeddedStore(backend: MemoryBackend())
    let server = APIServer(configuration, store: store)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await server.run(group: MultiThreadedEventLoopGroup.singleton) }
        await server.waitUntilReady()
        try await body(TestClient(ApusResource.ResourcesClient(channel: server.channel)))
        tasks.cancelAll()
    }
    try store.close()
}

/// Typed calls on a server.
struct TestClient: Sendable {
    let resources: ApusResource.ResourcesClient

    init(_ resources: ApusResource.ResourcesClient) {
        self.resources = resources
    }

    func target<M: Message>(
        _ type: M.Type,
        _ name: String,
        _ namespace: String = "default",
        subresource: String = ""
    ) -> ApusResource.Target {
        guard let resource = ResourceTable.builtin.resource(of: M.self) else {
            preconditionFailure("\(M.self) is no resource")
        }
        return ApusResource.Target.with {
            $0.group = resource.group
            $0.version = resource.version
            $0.resource = resource.plural
            $0.namespace = resource.isNamespaced ? namespace : ""
            $0.name = name
            $0.subresource = subresource
        }
    }

    private func object<M: Message>(_ message: M) -> ApusResource.Object {
        ApusResource.Object.with { $0.body = Bytes(message.serialized()) }
    }

    /// Runs a call; its failure as the API's.
    func run<R: Sendable>(_ body: () async throws(RPCError) -> R) async throws -> R {
        do throws(RPCError) {
            return try await body()
        } catch {
            if let status = error.apiStatus { throw status }
            throw error
        }
    }

    @discardableResult
    func create<M: Message>(
        _ message: M,
        in namespace: String = "default",
        name: String = "",
        subresource: String = "",
        dryRun: Bool = false
    ) async throws -> M {
        let response = try await self.run { () throws(RPCError) in
            try await self.resources.create(
                ApusResource.CreateRequest.with {
                    $0.target = self.target(M.self, name, namespace, subresource: subresource)
                    $0.object = self.object(message)
                    $0.options = ApusResource.WriteOptions.with { $0.dryRun = dryRun }
                }
            )
        }
        return try M(serialized: response.object?.body ?? Bytes())
    }

    @discardableResult
    func update<M: Message>(
        _ message: M,
        _ name: String,
        subresource: String = ""
    ) async throws -> M {
        let response = try await self.run { () throws(RPCError) in
            try await self.resources.update(
                ApusResource.UpdateRequest.with {
                    $0.target = self.target(M.self, name, subresource: subresource)
                    $0.object = self.object(message)
                }
            )
        }
        return try M(serialized: response.object?.body ?? Bytes())
    }

    func get<M: Message>(
        _ type: M.Type,
        _ name: String,
        _ namespace: String = "default"
    ) async throws -> M {
        let response = try await self.run { () throws(RPCError) in
            try await self.resources.get(
                ApusResource.GetRequest.with { $0.target = self.target(M.self, name, namespace) }
            )
        }
        return try M(serialized: response.object?.body ?? Bytes())
    }

    func patch<M: Message>(
        _ type: M.Type,
        _ name: String,
        _ kind: ApusResource.PatchRequest.Type_,
        _ patch: String
    ) async throws -> M {
        let response = try await self.run { () throws(RPCError) in
            try await self.resources.patch(
                ApusResource.PatchRequest.with {
                    $0.target = self.target(M.self, name)
                    $0.type = kind
                    $0.patch = Bytes(utf8: patch)
                }
            )
        }
        return try M(serialized: response.object?.body ?? Bytes())
    }

    @discardableResult
    func delete<M: Message>(
        _ type: M.Type,
        _ name: String,
        _ namespace: String = "default",
        _ options: ApusResource.DeleteOptions = ApusResource.DeleteOptions()
    ) async throws -> ApusResource.DeleteResponse {
        try await self.run { () throws(RPCError) in
            try await self.resources.delete(
                ApusResource.DeleteRequest.with {
                    $0.target = self.target(M.self, name, namespace)
                    $0.options = options
                }
            )
        }
    }

    /// A list: its objects, resource version and continue token.
    func list<M: Message>(
        _ type: M.Type,
        _ build: (inout ApusResource.ListRequest) -> Void = { _ in }
    ) async throws -> (objects: [M], revision: String, token: String) {
        var request = ApusResource.ListRequest()
        request.target = self.target(M.self, "")
        build(&request)
        let sent = request
        var objects: [M] = []
        var revision = ""
        var token = ""
        try await self.run { () throws(RPCError) in
            let responses = try await self.resources.list(sent)
            while let response = try await responses.next() {
                if let head = response.head { revision = head.resourceVersion }
                for item in response.items {
                    if let object = try? M(serialized: item) { objects.append(object) }
                }
                if let tail = response.tail { token = tail.continueToken }
            }
        }
        return (objects, revision, token)
    }
}

/// A pod that is assigned to a node.
func pod(_ name: String, node: String = "n1", labels: [String: String] = [:]) -> CoreV1.Pod {
    CoreV1.Pod.with {
        $0.metadata.name = name
        $0.spec.nodeName = node
        for (key, value) in labels { $0.metadata.labels[key] = value }
        $0.spec.containers.append(
            CoreV1.Container.with {
                $0.name = "c"
                $0.image = "nginx"
            }
        )
    }
}
