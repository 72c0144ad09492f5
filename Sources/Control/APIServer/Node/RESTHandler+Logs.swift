// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import HTTP
import KubernetesAPI
import NIOCore
import NodeStreams
import ObjectModel
import Protobuf
import RPCInterface
import Registry
import RequestInfo
import Scalars
import WellKnownTypes

extension RESTHandler {
    /// The pod that a request names, as it is in the store.
    func pod(_ call: ResourceCall) async throws(StatusError) -> CoreV1.Pod {
        let cached = try await call.store.get(call.namespace, call.name)
        guard let pod = try call.store.decode(cached).message(as: CoreV1.Pod.self) else {
            throw .internalError("the pod cannot be decoded")
        }
        return pod
    }

    /// Sends a container's output.
    func logs(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let query = exchange.target.query
        let target = try PodTarget(
            try await self.pod(call),
            container: query.string("container")
        )
        let request = try Self.logsRequest(target, query)
        let client = try self.core.nodes.client(node: target.node)
        do throws(RPCError) {
            let chunks = try await client.logs(request)
            // The first chunk or its failure decides about the head.
            var chunk = try await chunks.next()
            try? await exchange.response.send(
                exchange.head(.ok, contentType: "text/plain")
            )
            while let data = chunk?.data {
                let buffer = data.withUnsafeBytes { ByteBuffer(bytes: $0) }
                do {
                    try await exchange.response.write(buffer)
                } catch {
                    return chunks.cancel()
                }
                chunk = try await chunks.next()
            }
        } catch {
            throw StatusError(node: error)
        }
    }

    private static func logsRequest(
        _ target: PodTarget,
        _ query: QueryParameters
    ) throws(StatusError) -> ApusNode.LogsRequest {
        var request = ApusNode.LogsRequest()
        request.target = target.message
        request.follow = query.bool("follow") ?? false
        request.previous = query.bool("previous") ?? false
        request.timestamps = query.bool("timestamps") ?? false
        do throws(ParameterError) {
            request.sinceSeconds = try query.int64("sinceSeconds")
            request.tailLines = try query.int64("tailLines")
            request.limitBytes = try query.int64("limitBytes")
        } catch {
            throw StatusError(parameter: error)
        }
        let since = query.string("sinceTime")
        if !since.isEmpty {
            guard let time = try? Timestamp(parsing: since, as: .nanoseconds) else {
                throw .badRequest("sinceTime: '\(since)' is no time")
            }
            request.sinceTime = GoogleProtobuf.Timestamp.with {
                $0.seconds = time.seconds
                $0.nanos = time.nanoseconds
            }
        }
        switch query.string("stream") {
        case "Stdout": request.source = .stdout
        case "Stderr": request.source = .stderr
        default: break
        }
        return request
    }
}
