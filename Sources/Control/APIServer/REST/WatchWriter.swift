// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP
import KubernetesAPI
import MediaTypes
import NIOCore
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import WatchCache

/// Sends the events of a watch until it ends.
struct WatchWriter: Sendable {
    private let exchange: RESTExchange
    private let options: ListOptions
    private let frames: WatchFrames
    private let representation: Representation
    private let deadline: ContinuousClock.Instant
    /// Makes tables of the events' objects; nil when they go out as they are.
    private let tabulator: Tabulator?

    /// Without a limit from the client a watch ends after half an hour to an hour, so that clients
    /// spread over the servers.
    private static let defaultSeconds: ClosedRange<Int64> = 1800...3600
    /// How often an idle watch is told how far it is.
    private static let bookmarkInterval: Duration = .seconds(60)
    /// How long before its end a watch is told so once more.
    private static let lastBookmark: Duration = .seconds(2)

    init(
        _ exchange: RESTExchange,
        _ call: ResourceCall,
        _ options: ListOptions
    ) throws(StatusError) {
        self.exchange = exchange
        self.options = options
        do throws(NegotiationError) {
            self.representation = try AcceptNegotiation.builtin.negotiateStream(
                exchange.field(.accept)
            )
        } catch {
            throw StatusError(negotiation: error)
        }
        self.frames = WatchFrames(
            ObjectEncoder(entry: call.entry),
            isProtobuf: self.representation.mediaType == .protobuf,
            isMetadataOnly: self.representation.form == .partialObjectMetadata
        )
        self.tabulator =
            self.representation.form == .table
            ? try Tabulator(
                call,
                ObjectEncoder(entry: call.entry),
                exchange.target.query,
                version: self.representation.formVersion
            ) : nil
        let wanted = options.timeoutSeconds ?? 0
        let seconds = wanted > 0 ? wanted : Int64.random(in: Self.defaultSeconds)
        self.deadline = .now + .seconds(seconds)
    }

    /// Sends events; returns when the watch is over.
    func run(_ watcher: Watcher, _ core: ServerCore) async {
        let shared = core.registry.shared
        do {
            try await self.exchange.response.send(
                self.exchange.head(
                    .ok,
                    contentType: self.representation.mediaType.streamContentType
                )
            )
            var nextBookmark = ContinuousClock.now + Self.bookmarkInterval
            var hasColumns = true
            while ContinuousClock.now < self.deadline {
                let step = try await watcher.next(
                    until: min(self.deadline, nextBookmark),
                    shared.timers
                ) { shared.applied }
                switch step {
                case .initial(let items), .events(let items):
                    try await self.send(items, &hasColumns)
                case .initialEnd(let revision):
                    guard self.options.isWatchList else { break }
                    try await self.send(
                        try self.frames.bookmark(revision, endsInitialEvents: true)
                    )
                case .deadline(let revision):
                    nextBookmark = .now + Self.bookmarkInterval
                    guard self.options.allowWatchBookmarks else { break }
                    try await self.send(
                        try self.frames.bookmark(revision, endsInitialEvents: false)
                    )
                }
            }
            try await self.exchange.response.finish()
        } catch let failure as Watcher.Failure {
            if failure == .expired { await self.sendExpired() }
        } catch let error as StatusError {
            await self.sendFailure(error)
        } catch {
            // The client is gone.
        }
    }

    private func send(_ items: [Watcher.Item], _ hasColumns: inout Bool) async throws {
        var buffer = ByteBuffer()
        for item in items {
            let frame = try self.frame(item, hasColumns: hasColumns)
            hasColumns = false
            frame.withUnsafeBytes { _ = buffer.writeBytes($0) }
            if buffer.readableBytes > 256 << 10 {
                try await self.exchange.response.write(buffer)
                buffer.clear()
            }
        }
        if buffer.readableBytes > 0 { try await self.exchange.response.write(buffer) }
    }

    /// The bytes of an event; as a table only the first says what its columns are.
    private func frame(_ item: Watcher.Item, hasColumns: Bool) throws(StatusError) -> Bytes {
        guard let tabulator = self.tabulator else { return try self.frames.frame(item) }
        let table = try tabulator.table(
            [.cached(item.object)],
            MetaV1.ListMeta.with { $0.resourceVersion = "\(item.object.revision)" },
            hasColumns: hasColumns
        )
        return WatchFrames.json(WatchFrames.name(item.kind), table)
    }

    private func send(_ frame: Bytes) async throws {
        try await self.exchange.response.write(frame.withUnsafeBytes { ByteBuffer(bytes: $0) })
    }

    private func sendExpired() async {
        await self.sendFailure(.expired("The resourceVersion for the provided watch is too old."))
    }

    private func sendFailure(_ error: StatusError) async {
        guard let frame = try? self.frames.frame("ERROR", APIObject(error.status)) else { return }
        try? await self.send(frame)
        try? await self.exchange.response.finish()
    }
}
