// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ApusAPI
import Bytes
import CallStatus
import HTTP
import HTTP2Transport
import NIOCore
import ObjectModel
import Protobuf
public import RPCInterface

/// The Resources service of an API server that has none: every call becomes a REST request.
///
/// With it, typed clients, informers and whole controllers run against any API server:
///
/// ```swift
/// let rest = try RESTConnection(Kubeconfig(path: path).connection(), group: group, userAgent: "me")
/// let pods = Client<CoreV1.Pod>(InProcessChannel(services: [RESTResources(rest)]))
/// ```
///
/// Answers come in JSON, which every server and every custom resource has; what is sent is protobuf
/// where the caller has it so.
public final class RESTResources: ApusResource.ResourcesService {
    private let connection: RESTConnection

    public init(_ connection: RESTConnection) {
        self.connection = connection
    }

    /// Sends a request and reads the whole answer.
    private func answer(
        _ request: RESTRequest
    ) async throws(StatusError) -> (text: [UInt8], status: Int) {
        let response = try await self.connection.send(request)
        let buffer: ByteBuffer
        do {
            buffer = try await response.body.collect(upTo: RESTConnection.maximumAnswerBytes)
        } catch {
            throw .serviceUnavailable("the answer broke off: \(error)")
        }
        let text = Array(buffer.readableBytesView)
        let status = response.head.status.rawValue
        guard (200..<300).contains(status) else {
            throw RESTAnswer.failure(text, status: status)
        }
        return (text, status)
    }

    /// Failures of the API as those of a call.
    private func call<R>(_ body: () async throws(StatusError) -> R) async throws(RPCError) -> R {
        do throws(StatusError) {
            return try await body()
        } catch {
            throw RPCError(error)
        }
    }

    // MARK: Reading

    public func get(
        _ request: ApusResource.GetRequest,
        context: ServerContext
    ) async throws -> ApusResource.GetResponse {
        try await self.call { () throws(StatusError) in
            let (text, _) = try await self.answer(RESTRequest(request))
            let tree = try RESTAnswer.tree(text)
            return ApusResource.GetResponse.with { $0.object = RESTAnswer.object(tree, text) }
        }
    }

    public func list(
        _ request: ApusResource.ListRequest,
        responses: RPCWriter<ApusResource.ListResponse>,
        context: ServerContext
    ) async throws {
        let response = try await self.call { () throws(StatusError) in
            let (text, _) = try await self.answer(RESTRequest(request))
            return RESTAnswer.list(try RESTAnswer.tree(text))
        }
        try await responses.write(response)
    }

    public func watch(
        _ request: ApusResource.WatchRequest,
        responses: RPCWriter<ApusResource.WatchResponse>,
        context: ServerContext
    ) async throws {
        let body = try await self.call { () throws(StatusError) -> HTTPBody in
            let response = try await self.connection.send(RESTRequest(request))
            let status = response.head.status.rawValue
            guard status != 200 else { return response.body }
            let buffer = try? await response.body.collect(upTo: RESTConnection.maximumAnswerBytes)
            let text = buffer.map { Array($0.readableBytesView) } ?? []
            throw RESTAnswer.failure(text, status: status)
        }
        try context.sendInitialMetadata()
        var lines = LineSplitter(limit: RESTConnection.maximumAnswerBytes)
        for try await buffer in body {
            let response = try await self.call {
                () throws(StatusError) -> ApusResource.WatchResponse in
                var response = ApusResource.WatchResponse()
                response.encoding = .json
                for line in try lines.take(buffer.readableBytesView) {
                    response.events.append(try RESTAnswer.event(line))
                }
                return response
            }
            if !response.events.isEmpty { try await responses.write(response) }
        }
    }

    // MARK: Writing

    public func create(
        _ request: ApusResource.CreateRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try await self.call { () throws(StatusError) in try await self.create(request) }
    }

    public func update(
        _ request: ApusResource.UpdateRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try await self.call { () throws(StatusError) in try await self.update(request) }
    }

    public func patch(
        _ request: ApusResource.PatchRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try await self.call { () throws(StatusError) in try await self.patch(request) }
    }

    public func delete(
        _ request: ApusResource.DeleteRequest,
        context: ServerContext
    ) async throws -> ApusResource.DeleteResponse {
        try await self.call { () throws(StatusError) in try await self.delete(request) }
    }

    public func deleteCollection(
        _ request: ApusResource.DeleteCollectionRequest,
        context: ServerContext
    ) async throws -> ApusResource.DeleteCollectionResponse {
        try await self.call { () throws(StatusError) in
            try RESTAnswer.deletedCollection(try await self.answer(RESTRequest(request)).text)
        }
    }

    private func create(
        _ request: ApusResource.CreateRequest
    ) async throws(StatusError) -> ApusResource.WriteResponse {
        let (text, status) = try await self.answer(RESTRequest(request))
        return try RESTAnswer.written(text, status: status, request.options)
    }

    private func update(
        _ request: ApusResource.UpdateRequest
    ) async throws(StatusError) -> ApusResource.WriteResponse {
        let (text, status) = try await self.answer(RESTRequest(request))
        return try RESTAnswer.written(text, status: status, request.options)
    }

    private func patch(
        _ request: ApusResource.PatchRequest
    ) async throws(StatusError) -> ApusResource.WriteResponse {
        let (text, status) = try await self.answer(RESTRequest(request))
        return try RESTAnswer.written(text, status: status, request.options)
    }

    private func delete(
        _ request: ApusResource.DeleteRequest
    ) async throws(StatusError) -> ApusResource.DeleteResponse {
        try RESTAnswer.deleted(try await self.answer(RESTRequest(request)).text, request.options)
    }

    // MARK: Many writes

    /// Writes as they come, as many at once as the server takes; answers as they are there.
    public func mutate(
        _ requests: RPCRequestStream<ApusResource.MutateRequest>,
        responses: RPCWriter<ApusResource.MutateResponse>,
        context: ServerContext
    ) async throws {
        let (answers, end) = AsyncStream<ApusResource.MutateResponse>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await answer in answers { try await responses.write(answer) }
            }
            group.addTask {
                defer { end.finish() }
                try await withThrowingDiscardingTaskGroup { writes in
                    while let request = try await requests.next() {
                        writes.addTask { end.yield(await self.perform(request)) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func perform(
        _ request: ApusResource.MutateRequest
    ) async -> ApusResource.MutateResponse {
        var response = ApusResource.MutateResponse()
        response.id = request.id
        do throws(StatusError) {
            switch request.operation {
            case .create(let create): response.written = try await self.create(create)
            case .update(let update): response.written = try await self.update(update)
            case .patch(let patch): response.written = try await self.patch(patch)
            case .delete(let delete): response.deleted = try await self.delete(delete)
            case nil: throw .badRequest("no operation")
            }
        } catch {
            response.result = .failure(error.status)
        }
        return response
    }
}
