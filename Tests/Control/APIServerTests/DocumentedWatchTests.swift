// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import KubernetesAPI
import Protobuf
import RPCInterface
import Testing

/// The example of docs/rpc.md; `rpc-watch.test.py` compares the two.
@Suite("The documented watch")
struct DocumentedWatchTests {
    @Test("follows pods from their state on")
    func watch() async throws {
        try await withServer { client in
            try await client.create(pod("a"))
            let resources = client.resources
            func isEnough(_ pods: [String: CoreV1.Pod]) -> Bool { pods["a"] != nil }
            var pods: [String: CoreV1.Pod] = [:]
            let watch = try await resources.watch(
                ApusResource.WatchRequest.with {
                    $0.target = ApusResource.Target.with {
                        $0.version = "v1"
                        $0.resource = "pods"
                        $0.namespace = "default"
                    }
                    $0.sendInitialEvents = true
                    $0.allowBookmarks = true
                }
            )
            for try await response in watch {
                for event in response.events {
                    switch event.type {
                    case .added, .modified:
                        let pod = try CoreV1.Pod(serialized: event.object)
                        pods[pod.metadata.name] = pod
                    case .deleted:
                        pods[try CoreV1.Pod(serialized: event.object).metadata.name] = nil
                    default:
                        print("everything up to \(event.resourceVersion)")
                    }
                }
                if isEnough(pods) { break }
            }
            #expect(pods.keys.sorted() == ["a"])
        }
    }
}
