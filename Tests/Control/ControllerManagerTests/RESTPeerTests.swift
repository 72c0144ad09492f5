// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import APIServer
import ApusAPI
import Clocks
import ControllerManager
import Engine
import HTTP2Transport
import Informers
import JSON
import Kubeconfig
import KubernetesAPI
import NIOCore
import NIOPosix
import ObjectModel
import Protobuf
import RESTClient
import RPC
import ResourceClient
import Testing

/// Clients, informers and controllers over the REST API of the real server, as with one that has no
/// services for programs.
@Suite("Over REST") struct RESTPeerTests {
    private static func withREST(
        _ body: @Sendable @escaping (InProcessChannel, ClusterConnection) async throws -> Void
    ) async throws {
        let store = try EmbeddedStore(backend: MemoryBackend())
        var configuration = APIServer.Configuration()
        configuration.endpoint = .tcp(host: "127.0.0.1", port: 0)
        let server = APIServer(configuration, store: store)
        let loops = MultiThreadedEventLoopGroup.singleton
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run(group: loops) }
            await server.waitUntilReady()
            let port = try #require(server.localAddress?.port)
            let cluster = ClusterConnection(
                cluster: Kubeconfig.Cluster(server: "http://127.0.0.1:\(port)"),
                user: Kubeconfig.User()
            )
            let rest = try RESTConnection(cluster, group: loops, userAgent: "test")
            defer { rest.close() }
            try await body(InProcessChannel(services: [RESTResources(rest)]), cluster)
            group.cancelAll()
        }
        try store.close()
    }

    private static func map(_ name: String, _ text: String = "") -> CoreV1.ConfigMap {
        CoreV1.ConfigMap.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.data["key"] = text
        }
    }

    @Test("a typed client does all that it does over services")
    func client() async throws {
        try await Self.withREST { channel, _ in
            let maps = Client<CoreV1.ConfigMap>(channel)
            var map = try await maps.create(Self.map("a", "one"))
            #expect(!map.metadata.uid.isEmpty && map.data["key"] == "one")
            map.data["key"] = "two"
            map = try await maps.update(map)
            map = try await maps.patch("a", in: "default", .merge, ["data": ["more": "three"]])
            #expect(map.data == ["key": "two", "more": "three"])
            _ = try await maps.create(Self.map("b"))
            let list = try await maps.list(in: "default")
            #expect(list.items.map(\.metadata.name).sorted().suffix(2) == ["a", "b"])
            #expect(!list.resourceVersion.isEmpty)
            let partial = Client<MetaV1.PartialObjectMetadata>(
                channel,
                resource: ResourceName(of: CoreV1.ConfigMap.self)
            )
            #expect(try await partial.get("a", in: "default").metadata.uid == map.metadata.uid)
            try await maps.delete("a", in: "default", DeleteOptions(uid: map.metadata.uid))
            await #expect(throws: StatusError.self) { try await maps.get("a", in: "default") }
            do throws(StatusError) {
                _ = try await maps.get("a", in: "default")
            } catch {
                #expect(error.isNotFound && error.message == "configmaps \"a\" not found")
            }
            do throws(StatusError) {
                _ = try await maps.create(Self.map("b"))
                Issue.record("made twice")
            } catch {
                #expect(error.isAlreadyExists)
            }
            try await maps.deleteCollection(in: "default")
            #expect(try await maps.list(in: "default").items.isEmpty)
        }
    }

    @Test("an informer follows, and a thousand writes go at once")
    func informer() async throws {
        try await Self.withREST { channel, _ in
            let maps = Client<CoreV1.ConfigMap>(channel)
            let informer = Informer(maps)
            let writer = PipelinedWriter(channel)
            let (names, continuation) = AsyncStream<String>.makeStream()
            informer.addHandler { event in
                guard case .added(let map) = event, map.metadata.name.hasPrefix("map-") else {
                    return
                }
                continuation.yield(map.metadata.name)
            }
            let running = Task {
                await withDiscardingTaskGroup { group in
                    group.addTask { await informer.run() }
                    group.addTask { await writer.run() }
                }
            }
            await informer.waitForSync()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        let request = maps.createRequest(Self.map("map-\(number)"))
                        _ = try await writer.write(.create(request))
                    }
                }
                try await group.waitForAll()
            }
            var seen: Set<String> = []
            for await name in names {
                seen.insert(name)
                if seen.count == 1000 { break }
            }
            #expect(informer.get("map-7", in: "default")?.metadata.namespace == "default")
            running.cancel()
            await running.value
        }
    }

    @Test("controllers run against it")
    func controllers() async throws {
        try await Self.withREST { channel, cluster in
            var configuration = ControllerManager.Configuration(
                connection: cluster,
                identity: "test"
            )
            configuration.controllers = ["deployment", "replicaset"]
            let set = ControllerSet(
                configuration,
                clock: SystemClock(),
                metrics: ManagerMetrics(configuration.metrics),
                watching: channel,
                writing: channel,
                bare: channel
            )
            let running = Task { await set.run() }
            _ = try await Client<AppsV1.Deployment>(channel).create(
                AppsV1.Deployment.with {
                    $0.metadata.name = "web"
                    $0.metadata.namespace = "default"
                    $0.spec.replicas = 3
                    $0.spec.selector = MetaV1.LabelSelector.with { $0.matchLabels["app"] = "web" }
                    $0.spec.template.metadata.labels["app"] = "web"
                    $0.spec.template.spec.containers.append(
                        CoreV1.Container.with {
                            $0.name = "main"
                            $0.image = "web:1"
                        }
                    )
                }
            )
            let pods = Client<CoreV1.Pod>(channel)
            let list = try await pods.list(in: "default")
            var count = list.items.count
            let watch = try await pods.watch(in: "default", from: list.resourceVersion)
            while count < 3, let batch = try await watch.next() {
                for event in batch.events {
                    if case .added(let pod) = event {
                        #expect(pod.metadata.labels["app"] == "web")
                        count += 1
                    }
                }
            }
            #expect(count == 3)
            running.cancel()
            await running.value
        }
    }
}
