// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import CallStatus
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface
import Registry
import ResourceTable
import WatchCache

/// Sends the events of a watch over RPC, in batches.
struct RPCWatch: Sendable {
    let request: ApusResource.WatchRequest
    let call: ResourceCall
    let responses: RPCWriter<ApusResource.WatchResponse>
    let service: ResourcesService

    private static let bookmarkInterval: Duration = .seconds(60)
    private static let defaultSeconds: ClosedRange<Int64> = 1800...3600
    /// The most bytes of events in one answer.
    private static let batchBytes = 1 << 20

    func run(_ watcher: Watcher) async throws {
        let shared = self.call.store.shared
        let wanted = self.request.timeoutSeconds
        let deadline =
            ContinuousClock.now
            + .seconds(wanted > 0 ? wanted : Int64.random(in: Self.defaultSeconds))
        var nextBookmark = ContinuousClock.now + Self.bookmarkInterval
        var isFirst = true
        while ContinuousClock.now < deadline {
            let step: Watcher.Step
            do throws(Watcher.Failure) {
                step = try await watcher.next(
                    until: min(deadline, nextBookmark),
                    shared.timers
                ) { shared.applied }
            } catch {
                if error == .cancelled { throw CancellationError() }
                throw RPCError(
                    StatusError.expired("The resourceVersion for the provided watch is too old.")
                )
            }
            switch step {
            case .initial(let items), .events(let items):
                try await self.send(items, &isFirst)
            case .initialEnd(let revision):
                guard self.request.sendInitialEvents else { continue }
                try await self.sendBookmark(revision, isEnd: true, &isFirst)
            case .deadline(let revision):
                nextBookmark = .now + Self.bookmarkInterval
                guard self.request.allowBookmarks else { continue }
                try await self.sendBookmark(revision, isEnd: false, &isFirst)
            case .ending(let revision):
                if self.request.allowBookmarks {
                    try await self.sendBookmark(revision, isEnd: false, &isFirst)
                }
                return
            }
        }
    }

    private func response(_ isFirst: inout Bool) -> ApusResource.WatchResponse {
        defer { isFirst = false }
        guard isFirst else { return ApusResource.WatchResponse() }
        return ApusResource.WatchResponse.with {
            $0.encoding = self.request.accept == .json ? .json : .protobuf
            $0.kind = ResourcesService.kind(
                self.request.form == .metadata
                    ? MetaV1.PartialObjectMetadata.typeMeta
                    : TypeMeta(self.call.resource.schema)
            )
        }
    }

    private func send(_ items: [Watcher.Item], _ isFirst: inout Bool) async throws {
        var response = self.response(&isFirst)
        var bytes = 0
        for item in items {
            let body = try await answering { () throws(StatusError) in
                try self.service.object(
                    .cached(item.object),
                    self.call,
                    self.request.accept,
                    self.request.form
                )?.body
            }
            response.events.append(
                ApusResource.WatchEvent.with {
                    $0.type = .init(rawValue: Int32(item.kind.rawValue))
                    $0.resourceVersion = "\(item.object.revision)"
                    $0.object = body ?? Bytes()
                }
            )
            bytes += body?.count ?? 0
            if bytes >= Self.batchBytes {
                try await self.responses.write(response)
                response = ApusResource.WatchResponse()
                bytes = 0
            }
        }
        if !response.events.isEmpty { try await self.responses.write(response) }
    }

    private func sendBookmark(
        _ revision: Int64,
        isEnd: Bool,
        _ isFirst: inout Bool
    ) async throws {
        var response = self.response(&isFirst)
        response.events.append(
            ApusResource.WatchEvent.with {
                $0.type = .bookmark
                $0.resourceVersion = "\(revision)"
                $0.initialEventsEnd = isEnd
            }
        )
        try await self.responses.write(response)
    }
}
