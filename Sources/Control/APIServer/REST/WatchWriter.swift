// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP
import KubernetesAPI
import MediaTypes
import Metrics
import NIOCore
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import WatchCache

/// Begins the answer to a watch.
final class WatchWriter: Sendable {
    private let exchange: RESTExchange
    private let call: ResourceCall
    private let options: ListOptions
    private let representation: Representation
    /// Makes tables of the events' objects; nil when they go out as they are.
    private let tabulator: Tabulator?

    /// Without a limit from the client a watch ends after half an hour to an hour, so that clients
    /// spread over the servers.
    private static let defaultSeconds: ClosedRange<Int64> = 1800...3600

    init(
        _ exchange: RESTExchange,
        _ call: ResourceCall,
        _ options: ListOptions
    ) throws(StatusError) {
        self.exchange = exchange
        self.call = call
        self.options = options
        do throws(NegotiationError) {
            self.representation = try AcceptNegotiation.builtin.negotiateStream(
                exchange.field(.accept)
            )
        } catch {
            throw StatusError(negotiation: error)
        }
        self.tabulator =
            self.representation.form == .table
            ? try Tabulator(
                call,
                ObjectEncoder(entry: call.entry),
                exchange.target.query,
                version: self.representation.formVersion
            ) : nil
    }

    /// Sends events; returns when the watch is over, or goes on by itself.
    ///
    /// - Returns: whether it goes on: it is counted at its end then.
    /// - Throws: what is wrong with a request for a WebSocket.
    func run(_ watcher: Watcher, _ core: ServerCore) async throws(StatusError) -> Bool {
        guard let output = try await self.begin() else { return false }
        let session = WatchSession(
            watcher,
            output,
            self.frames,
            self.tabulator,
            core.registry.shared,
            deadline: self.deadline,
            isWatchList: self.options.isWatchList,
            allowsBookmarks: self.options.allowWatchBookmarks
        )
        guard case .body(let response) = output else {
            await output.run { await session.run() }
            return false
        }
        let counted = core.metrics.requests(
            self.exchange.info,
            self.call,
            method: self.exchange.method,
            isDryRun: self.exchange.target.query.first("dryRun") != nil,
            code: self.exchange.sentCode.value
        )
        do {
            try await response.detach {
                watcher.cancel()
                counted.increment()
            }
        } catch {
            // The client is gone.
            return false
        }
        session.executor = EventLoopTaskExecutor.ofCurrentThread
        await session.run()
        return true
    }

    /// Sends why there is nothing to send.
    func refuse(_ error: StatusError) async throws(StatusError) {
        guard let output = try await self.begin() else { return }
        let frames = self.frames
        await output.run { await frames.send(error, to: output) }
    }

    private var deadline: ContinuousClock.Instant {
        let wanted = self.options.timeoutSeconds ?? 0
        return .now + .seconds(wanted > 0 ? wanted : Int64.random(in: Self.defaultSeconds))
    }

    private var frames: WatchFrames {
        WatchFrames(
            ObjectEncoder(entry: self.call.entry),
            isProtobuf: self.representation.mediaType == .protobuf,
            isMetadataOnly: self.representation.form == .partialObjectMetadata
        )
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
}
