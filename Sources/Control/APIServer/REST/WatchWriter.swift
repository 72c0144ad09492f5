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
            self.representation = try AcceptNegotiation(
                targets: .objects(hasTable: Tabulator.isAvailable)
            ).negotiateStream(exchange.field(.accept))
        } catch {
            throw StatusError(negotiation: error)
        }
        self.frames = WatchFrames(
            ObjectEncoder(entry: call.entry),
            isProtobuf: self.representation.mediaType == .protobuf,
            isMetadataOnly: self.representation.form == .partialObjectMetadata
        )
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
            while ContinuousClock.now < self.deadline {
                let step = try await watcher.next(
                    until: min(self.deadline, nextBookmark),
                    shared.timers
                ) { shared.applied }
                switch step {
                case .initial(let items), .events(let items):
                    try await self.send(items)
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

    private func send(_ items: [Watcher.Item]) async throws {
        var buffer = ByteBuffer()
        for item in items {
            try self.frames.frame(item).withUnsafeBytes { _ = buffer.writeBytes($0) }
            if buffer.readableBytes > 256 << 10 {
                try await self.exchange.response.write(buffer)
                buffer.clear()
            }
        }
        if buffer.readableBytes > 0 { try await self.exchange.response.write(buffer) }
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
