// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ApusAPI
import Bytes
import CallStatus
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
public import RPCInterface
import ResourceTable
import Selectors
import Synchronization

extension MemoryCluster {
    public func get(
        _ request: ApusResource.GetRequest,
        context: ServerContext
    ) async throws -> ApusResource.GetResponse {
        do throws(StatusError) {
            let resource = try self.resource(request.target)
            self.count("get", resource)
            let key = Self.key(request.target)
            let record = self.state.withLock { $0.objects[resource.storeName]?[key] }
            guard let record else {
                throw .notFound(resource.groupResource, request.target?.name ?? "")
            }
            return ApusResource.GetResponse.with {
                $0.object = record.object.wire(request.form)
            }
        } catch {
            throw RPCError(error)
        }
    }

    public func list(
        _ request: ApusResource.ListRequest,
        responses: RPCWriter<ApusResource.ListResponse>,
        context: ServerContext
    ) async throws {
        let resource: APIResource
        let filter: ObjectFilter
        do throws(StatusError) {
            resource = try self.resource(request.target)
            self.count("list", resource)
            filter = try ObjectFilter(
                request.target,
                request.labelSelector,
                request.fieldSelector
            )
        } catch {
            throw RPCError(error)
        }
        let (version, records) = self.state.withLock { state in
            (state.version, state.objects[resource.storeName] ?? [:])
        }
        let response = ApusResource.ListResponse.with {
            $0.head = ApusResource.ListHead.with {
                $0.resourceVersion = String(version)
                $0.encoding = .protobuf
            }
            for key in records.keys.sorted() {
                guard let object = records[key]?.object, filter.matches(object) else { continue }
                $0.items.append(object.wire(request.form).body)
            }
            $0.tail = ApusResource.ListTail()
        }
        try await responses.write(response)
    }

    public func watch(
        _ request: ApusResource.WatchRequest,
        responses: RPCWriter<ApusResource.WatchResponse>,
        context: ServerContext
    ) async throws {
        let (stream, continuation) = AsyncStream<Change>.makeStream()
        let filter: ObjectFilter
        let id: Int
        do throws(StatusError) {
            let resource = try self.resource(request.target)
            self.count("watch", resource)
            filter = try ObjectFilter(
                request.target,
                request.labelSelector,
                request.fieldSelector,
                name: request.target?.name ?? "",
                resource: resource.storeName
            )
            let start = Int(request.resourceVersion) ?? 0
            let begun = self.state.withLock { state -> Int? in
                if start < state.compacted { return nil }
                for change in state.history where change.version > start {
                    continuation.yield(change)
                }
                state.nextWatcher += 1
                state.watchers[state.nextWatcher] = continuation
                return state.nextWatcher
            }
            guard let begun else { throw .expired("too old resource version: \(start)") }
            id = begun
        } catch {
            throw RPCError(error)
        }
        defer {
            self.state.withLock { state in
                state.watchers[id] = nil
                state.pending[id] = nil
            }
        }
        try context.sendInitialMetadata()
        for await change in stream {
            guard let event = filter.event(change, request.form) else { continue }
            try await responses.write(
                ApusResource.WatchResponse.with {
                    $0.events.append(event)
                    $0.encoding = .protobuf
                }
            )
        }
    }

    public func create(
        _ request: ApusResource.CreateRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try self.faulty("create", request.target) { () throws(StatusError) in
            try self.create(request)
        }
    }

    public func update(
        _ request: ApusResource.UpdateRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try self.faulty("update", request.target) { () throws(StatusError) in
            try self.update(request)
        }
    }

    public func patch(
        _ request: ApusResource.PatchRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try self.faulty("patch", request.target) { () throws(StatusError) in
            try self.patch(request)
        }
    }

    public func delete(
        _ request: ApusResource.DeleteRequest,
        context: ServerContext
    ) async throws -> ApusResource.DeleteResponse {
        try self.faulty("delete", request.target) { () throws(StatusError) in
            try self.delete(request)
        }
    }

    public func deleteCollection(
        _ request: ApusResource.DeleteCollectionRequest,
        context: ServerContext
    ) async throws -> ApusResource.DeleteCollectionResponse {
        try self.faulty("deletecollection", request.target) { () throws(StatusError) in
            let resource = try self.resource(request.target)
            self.count("deletecollection", resource)
            let filter = try ObjectFilter(
                request.target,
                request.labelSelector,
                request.fieldSelector
            )
            let objects = self.state.withLock { $0.objects[resource.storeName] ?? [:] }.values
            var count: Int64 = 0
            for record in objects where filter.matches(record.object) {
                let metadata = record.object.metadata
                var single = ApusResource.DeleteRequest.with {
                    $0.target = request.target
                    $0.options = request.options
                }
                single.target?.namespace = metadata.namespace
                single.target?.name = metadata.name
                _ = try self.delete(single)
                count += 1
            }
            return ApusResource.DeleteCollectionResponse.with { $0.count = count }
        }
    }

    public func mutate(
        _ requests: RPCRequestStream<ApusResource.MutateRequest>,
        responses: RPCWriter<ApusResource.MutateResponse>,
        context: ServerContext
    ) async throws {
        while let request = try await requests.next() {
            var response = ApusResource.MutateResponse()
            response.id = request.id
            do throws(StatusError) {
                switch request.operation {
                case .create(let create): response.written = try self.create(create)
                case .update(let update): response.written = try self.update(update)
                case .patch(let patch): response.written = try self.patch(patch)
                case .delete(let delete): response.deleted = try self.delete(delete)
                case nil: throw .badRequest("no operation")
                }
            } catch {
                response.result = .failure(error.status)
            }
            try await responses.write(response)
        }
    }
}
