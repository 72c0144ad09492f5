// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Kubeconfig
import KubernetesAPI
import NIOPosix
import ObjectModel
import Protobuf
import RPC
import RPCInterface
import ResourceClient

/// Makes the pods of a workload in a cluster that runs, and waits until they have nodes.
struct ClusterRun {
    /// Writes that are under way at once.
    static let width = 512
    static let namespace = "default"

    /// What was asked for is none of the steps.
    struct UnknownStep: Error {
        let name: String
    }

    let kubeconfig: String
    let workload: Workload

    init(kubeconfig: String, _ workload: Workload) {
        self.kubeconfig = kubeconfig
        self.workload = workload
    }

    func run(_ what: String) async throws {
        let connection = try Kubeconfig(path: self.kubeconfig).connection()
        let client = try connection.makeClient(
            group: MultiThreadedEventLoopGroup.singleton,
            userAgent: "scheduler-benchmark"
        )
        defer { client.close(gracefully: false) }
        switch what {
        case "create":
            try await self.writeAll(client) { pods, number in
                .create(pods.createRequest(self.workload.pod(number)))
            }
        case "delete":
            try await self.writeAll(client) { pods, number in
                .delete(
                    pods.deleteRequest(
                        "pod-\(number)",
                        in: Self.namespace,
                        DeleteOptions(gracePeriodSeconds: 0)
                    )
                )
            }
        case "wait": try await self.wait(client)
        default: throw UnknownStep(name: what)
        }
    }

    private func writeAll(
        _ channel: any RPCChannel,
        _ operation:
            @Sendable @escaping (Client<CoreV1.Pod>, Int) ->
            ApusResource.MutateRequest.OneOfOperation
    ) async throws {
        let writer = PipelinedWriter(channel)
        let pods = Client<CoreV1.Pod>(channel)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await writer.run() }
            for number in 0..<self.workload.pods {
                if number >= Self.width { _ = try await group.next() }
                group.addTask { _ = try await writer.write(operation(pods, number)) }
            }
            let last = min(Self.width, self.workload.pods)
            for _ in 0..<last { _ = try await group.next() }
            group.cancelAll()
        }
    }

    /// Returns when all pods have nodes.
    private func wait(_ channel: any RPCChannel) async throws {
        let pods = Client<CoreV1.Pod>(channel)
        let list = try await pods.list(in: Self.namespace)
        var waiting = Set(
            list.items.filter { $0.spec.nodeName.isEmpty }.map(\.metadata.uid)
        )
        let watch = try await pods.watch(in: Self.namespace, from: list.resourceVersion)
        while !waiting.isEmpty, let batch = try await watch.next() {
            for event in batch.events {
                switch event {
                case .added(let pod), .modified(let pod):
                    if !pod.spec.nodeName.isEmpty { waiting.remove(pod.metadata.uid) }
                case .deleted(let pod): waiting.remove(pod.metadata.uid)
                case .bookmark: break
                }
            }
        }
    }
}
