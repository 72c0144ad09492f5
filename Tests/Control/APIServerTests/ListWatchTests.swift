// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface
import Testing

@Suite("Lists and watches")
struct ListWatchTests {
    private func events(
        _ stream: RPCResponseStream<ApusResource.WatchResponse>,
        count: Int
    ) async throws -> [ApusResource.WatchEvent] {
        var events: [ApusResource.WatchEvent] = []
        while events.count < count, let response = try await stream.next() {
            events += Array(response.events)
        }
        return events
    }

    @Test("a list is of one moment, page by page", arguments: [1, 3, 10])
    func pages(limit: Int64) async throws {
        try await withServer { client in
            for index in 0..<10 {
                try await client.create(
                    CoreV1.ConfigMap.with { $0.metadata.name = "m\(index)" }
                )
            }
            var names: [String] = []
            var token = ""
            var revisions: Set<String> = []
            var page = 0
            repeat {
                let start = token
                let (objects, revision, next) = try await client.list(CoreV1.ConfigMap.self) {
                    $0.limit = limit
                    $0.continueToken = start
                }
                names += objects.map(\.metadata.name)
                revisions.insert(revision)
                token = next
                page += 1
                // What comes and goes meanwhile is not seen.
                try await client.create(
                    CoreV1.ConfigMap.with { $0.metadata.name = "m\(page)x" }
                )
                if page == 1 { try await client.delete(CoreV1.ConfigMap.self, "m9") }
            } while !token.isEmpty
            #expect(names == (0..<10).map { "m\($0)" })
            #expect(revisions.count == 1)
        }
    }

    @Test(
        "selectors",
        arguments: [
            ("app=a", "", ["p0", "p2", "p4"]), ("app!=a", "", ["p1", "p3"]),
            ("", "spec.nodeName=n1", ["p1", "p3"]),
            ("app=a", "spec.nodeName=n0", ["p0", "p2", "p4"]),
            ("", "metadata.name=p3", ["p3"]), ("", "status.phase=Running", []),
            ("", "metadata.name!=p3,spec.nodeName=n1", ["p1"]),
        ] as [(String, String, [String])]
    )
    func selectors(labels: String, fields: String, names: [String]) async throws {
        try await withServer { client in
            for index in 0..<5 {
                try await client.create(
                    pod(
                        "p\(index)",
                        node: "n\(index % 2)",
                        labels: ["app": index % 2 == 0 ? "a" : "b"]
                    )
                )
            }
            let found = try await client.list(CoreV1.Pod.self) {
                $0.labelSelector = labels
                $0.fieldSelector = fields
            }
            #expect(found.objects.map(\.metadata.name) == names)
        }
    }

    @Test("a watch sends the state, its end, and every change once")
    func watch() async throws {
        try await withServer { client in
            try await client.create(CoreV1.ConfigMap.with { $0.metadata.name = "a" })
            let stream = try await client.resources.watch(
                ApusResource.WatchRequest.with {
                    $0.target = client.target(CoreV1.ConfigMap.self, "")
                    $0.sendInitialEvents = true
                    $0.allowBookmarks = true
                }
            )
            var first = try await self.events(stream, count: 2)
            #expect(first.map(\.type) == [.added, .bookmark])
            #expect(first[1].initialEventsEnd)
            var map = try await client.get(CoreV1.ConfigMap.self, "a")
            map.data["k"] = "v"
            try await client.update(map, "a")
            try await client.create(CoreV1.ConfigMap.with { $0.metadata.name = "b" })
            try await client.delete(CoreV1.ConfigMap.self, "a")
            first = try await self.events(stream, count: 3)
            #expect(first.map(\.type) == [.modified, .added, .deleted])
            let last = try CoreV1.ConfigMap(serialized: first[2].object)
            #expect(last.data["k"] == "v")
            #expect(last.metadata.resourceVersion == first[2].resourceVersion)
        }
    }

    @Test("a watch goes on from a list without a gap")
    func resume() async throws {
        try await withServer { client in
            let (_, revision, _) = try await client.list(CoreV1.ConfigMap.self)
            for index in 0..<50 {
                try await client.create(
                    CoreV1.ConfigMap.with { $0.metadata.name = "m\(index)" }
                )
            }
            let stream = try await client.resources.watch(
                ApusResource.WatchRequest.with {
                    $0.target = client.target(CoreV1.ConfigMap.self, "")
                    $0.resourceVersion = revision
                }
            )
            let events = try await self.events(stream, count: 50)
            let names = try events.map {
                try CoreV1.ConfigMap(serialized: $0.object).metadata.name
            }
            #expect(names == (0..<50).map { "m\($0)" })
        }
    }

    @Test(
        "a version that is no number, or not there yet, is refused",
        arguments: [("x", 400), ("-1", 400), ("01x", 400), ("999999999", 504)]
    )
    func versions(text: String, code: Int) async throws {
        try await withServer { client in
            do {
                _ = try await client.list(CoreV1.ConfigMap.self) { $0.resourceVersion = text }
                Issue.record("the list was answered")
            } catch let error as StatusError {
                #expect(error.code == code)
            }
        }
    }

    @Test("writes of a stream are done in order for each object, and answered by id")
    func mutate() async throws {
        try await withServer { client in
            let call = try await client.resources.mutate()
            for id in 1...100 {
                let map = CoreV1.ConfigMap.with {
                    $0.metadata.name = "m\(id % 5)"
                    $0.data["n"] = "\(id)"
                }
                let object = ApusResource.Object.with { $0.body = .init(map.serialized()) }
                try await call.write(
                    ApusResource.MutateRequest.with { request in
                        request.id = UInt64(id)
                        let target = client.target(CoreV1.ConfigMap.self, "m\(id % 5)")
                        if id <= 5 {
                            request.operation = .create(
                                ApusResource.CreateRequest.with {
                                    $0.target = target
                                    $0.object = object
                                }
                            )
                        } else {
                            request.operation = .update(
                                ApusResource.UpdateRequest.with {
                                    $0.target = target
                                    $0.object = object
                                }
                            )
                        }
                    }
                )
            }
            call.finishRequests()
            var answered: Set<UInt64> = []
            while let response = try await call.responses.next() {
                #expect(answered.insert(response.id).inserted)
                if case .failure(let status)? = response.result { Issue.record("\(status)") }
            }
            #expect(answered.count == 100)
            for index in 0..<5 {
                let map = try await client.get(CoreV1.ConfigMap.self, "m\(index)")
                #expect(map.data["n"] == "\(index == 0 ? 100 : 95 + index)")
            }
        }
    }
}
