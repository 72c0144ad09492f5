// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ApusAPI
import CallStatus
import ObjectModel
import Protobuf
public import RPCInterface

/// The same store as a ``MemoryCluster``, without its faults: for the test's own hands.
public final class CalmCluster: ApusResource.ResourcesService {
    private let cluster: MemoryCluster

    public init(_ cluster: MemoryCluster) { self.cluster = cluster }

    public func get(
        _ request: ApusResource.GetRequest,
        context: ServerContext
    ) async throws -> ApusResource.GetResponse {
        try await self.cluster.get(request, context: context)
    }

    public func list(
        _ request: ApusResource.ListRequest,
        responses: RPCWriter<ApusResource.ListResponse>,
        context: ServerContext
    ) async throws {
        try await self.cluster.list(request, responses: responses, context: context)
    }

    public func watch(
        _ request: ApusResource.WatchRequest,
        responses: RPCWriter<ApusResource.WatchResponse>,
        context: ServerContext
    ) async throws {
        try await self.cluster.watch(request, responses: responses, context: context)
    }

    public func create(
        _ request: ApusResource.CreateRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try Self.call { () throws(StatusError) in try self.cluster.create(request) }
    }

    public func update(
        _ request: ApusResource.UpdateRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try Self.call { () throws(StatusError) in try self.cluster.update(request) }
    }

    public func patch(
        _ request: ApusResource.PatchRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try Self.call { () throws(StatusError) in try self.cluster.patch(request) }
    }

    public func delete(
        _ request: ApusResource.DeleteRequest,
        context: ServerContext
    ) async throws -> ApusResource.DeleteResponse {
        try Self.call { () throws(StatusError) in try self.cluster.delete(request) }
    }

    public func deleteCollection(
        _ request: ApusResource.DeleteCollectionRequest,
        context: ServerContext
    ) async throws -> ApusResource.DeleteCollectionResponse {
        try await self.cluster.deleteCollection(request, context: context)
    }

    public func mutate(
        _ requests: RPCRequestStream<ApusResource.MutateRequest>,
        responses: RPCWriter<ApusResource.MutateResponse>,
        context: ServerContext
    ) async throws {
        try await self.cluster.mutate(requests, responses: responses, context: context)
    }

    private static func call<R>(_ body: () throws(StatusError) -> R) throws -> R {
        do throws(StatusError) {
            return try body()
        } catch {
            throw RPCError(error)
        }
    }
}
