// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
public import ObjectModel
public import Protobuf
import RPCInterface

/// A change of an object, as a watch tells it.
public enum WatchEvent<Object: Message>: Sendable {
    case added(Object)
    case modified(Object)
    /// The object as it was last.
    case deleted(Object)
    /// Nothing changed until this resource version.
    case bookmark(resourceVersion: String, initialEventsEnd: Bool)
}

/// The events of a watch, in the order of the server.
public struct WatchStream<Object: Message>: Sendable {
    private let stream: RPCResponseStream<ApusResource.WatchResponse>

    init(_ stream: RPCResponseStream<ApusResource.WatchResponse>) {
        self.stream = stream
    }

    /// The next events, in the batches of the server; nil when the server ended the watch.
    ///
    /// - Throws: the server's Status, ``StatusError/isExpired`` when the version is too old.
    public func next() async throws(StatusError) -> WatchBatch<Object>? {
        do throws(RPCError) {
            guard let response = try await self.stream.next() else { return nil }
            return try WatchBatch(response)
        } catch {
            throw StatusError(error)
        }
    }

    /// Ends the watch.
    public func cancel() { self.stream.cancel() }
}

/// Events that arrived together.
public struct WatchBatch<Object: Message>: Sendable {
    public var events: [WatchEvent<Object>] = []
    /// The resource version after the last of them; empty when there is none.
    public var resourceVersion = ""

    init(_ response: ApusResource.WatchResponse) throws(RPCError) {
        // Only the first response says the encoding; JSON begins with a brace, which as the tag of
        // a protobuf field (15, group start) no object begins with.
        self.events.reserveCapacity(response.events.count)
        for event in response.events {
            self.resourceVersion = event.resourceVersion
            switch event.type {
            case .added: self.events.append(.added(try Self.object(event)))
            case .modified: self.events.append(.modified(try Self.object(event)))
            case .deleted: self.events.append(.deleted(try Self.object(event)))
            case .bookmark:
                self.events.append(
                    .bookmark(
                        resourceVersion: event.resourceVersion,
                        initialEventsEnd: event.initialEventsEnd
                    )
                )
            default:
                throw RPCError(
                    code: .internalError,
                    message: "a watch event of unknown type \(event.type.rawValue)"
                )
            }
        }
    }

    private static func object(_ event: ApusResource.WatchEvent) throws(RPCError) -> Object {
        let body = event.object
        let isJSON = body.first == UInt8(ascii: "{")
        do throws(StatusError) {
            return try ObjectCoding.decode(body, isJSON ? .json : .protobuf)
        } catch {
            throw RPCError(code: .internalError, message: error.message)
        }
    }
}
