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
final class WatchWriter: Sendable {
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
    ///
    /// - Throws: what is wrong with a request for a WebSocket.
    func run(_ watcher: Watcher, _ core: ServerCore) async throws(StatusError) {
        guard let output = try await self.begin() else { return }
        await output.run { await self.run(watcher, core, output) }
    }

    /// Sends why there is nothing to send.
    func refuse(_ error: StatusError) async throws(StatusError) {
        guard let output = try await self.begin() else { return }
        await output.run { await self.send(error, to: output) }
    }

    /// Begins the answer; nil when the client is gone.
    private func begin() async throws(StatusError) -> WatchOutput? {
        let output: WatchOutput?
        do {
            output = try await WatchOutput.begin(self.exchange, self.representation)
        } catch {
            return nil
        }
        guard let output else { throw .badRequest("the WebSocket's handshake is not valid") }
        return output
    }

    private func run(_ watcher: Watcher, _ core: ServerCore, _ output: WatchOutput) async {
        let shared = core.registry.shared
        do {
            var nextBookmark = self.bookmark(after: .now)
            var hasColumns = true
            events: while ContinuousClock.now < self.deadline {
                let step = try await watcher.next(
                    until: min(self.deadline, nextBookmark),
                    shared.timers
                ) { shared.applied }
                switch step {
                case .initial(let items), .events(let items):
                    var frames: [ByteBuffer] = []
                    frames.reserveCapacity(items.count)
                    for item in items {
                        frames.append(try self.frame(item, hasColumns: hasColumns))
                        hasColumns = false
                    }
                    try await output.send(frames)
                case .initialEnd(let revision):
                    guard self.options.isWatchList else { break }
                    try await output.send([
                        try self.frames.bookmark(revision, endsInitialEvents: true)
                    ])
                case .deadline(let revision):
                    nextBookmark = self.bookmark(after: .now)
                    try await self.sendBookmark(revision, to: output)
                case .ending(let revision):
                    try await self.sendBookmark(revision, to: output)
                    break events
                }
            }
            await output.finish()
        } catch let failure as Watcher.Failure {
            guard failure == .expired else { return }
            await self.send(
                .expired("The resourceVersion for the provided watch is too old."),
                to: output
            )
        } catch let error as StatusError {
            await self.send(error, to: output)
        } catch {
            // The client is gone.
        }
    }

    /// When the next bookmark is due: after a while of silence, and once more just before the end.
    /// Without bookmarks a watch sleeps until its end.
    private func bookmark(after now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        guard self.options.allowWatchBookmarks else { return self.deadline }
        let last = self.deadline - Self.lastBookmark
        return now < last ? min(now + Self.bookmarkInterval, last) : self.deadline
    }

    private func sendBookmark(_ revision: Int64, to output: WatchOutput) async throws {
        guard self.options.allowWatchBookmarks else { return }
        try await output.send([try self.frames.bookmark(revision, endsInitialEvents: false)])
    }

    private func send(_ error: StatusError, to output: WatchOutput) async {
        guard let frame = try? self.frames.frame("ERROR", APIObject(error.status)) else { return }
        try? await output.send([frame])
        await output.finish()
    }

    /// The bytes of an event; as a table only the first says what its columns are.
    private func frame(
        _ item: Watcher.Item,
        hasColumns: Bool
    ) throws(StatusError) -> ByteBuffer {
        guard let tabulator = self.tabulator else { return try self.frames.frame(item) }
        let table = try tabulator.table(
            [.cached(item.object)],
            MetaV1.ListMeta.with { $0.resourceVersion = "\(item.object.revision)" },
            hasColumns: hasColumns
        )
        return WatchFrames.json(WatchFrames.name(item.kind), table)
    }
}
