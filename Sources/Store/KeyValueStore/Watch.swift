// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes

/// Starts watching a key or a range.
public struct WatchCreateRequest: Hashable, Sendable {
    /// Events to leave out.
    public struct Filters: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Leave out puts.
        public static let noPut = Filters(rawValue: 1)
        /// Leave out deletions.
        public static let noDelete = Filters(rawValue: 2)
    }

    public var key: Bytes
    public var rangeEnd: Bytes
    /// The revision of the first event wanted; 0 for the next one.
    public var startRevision: Int64
    /// Tell the progress now and then while there are no events.
    public var progressNotify: Bool
    public var filters: Filters
    /// Give every event the key as it was before.
    public var prevKV: Bool
    /// The wanted number of the watcher; 0 lets the stream choose.
    public var watchID: Int64
    /// Split responses that are too big for one message.
    public var fragment: Bool

    public init(
        key: Bytes,
        rangeEnd: Bytes = Bytes(),
        startRevision: Int64 = 0,
        progressNotify: Bool = false,
        filters: Filters = [],
        prevKV: Bool = false,
        watchID: Int64 = 0,
        fragment: Bool = false
    ) {
        self.key = key
        self.rangeEnd = rangeEnd
        self.startRevision = startRevision
        self.progressNotify = progressNotify
        self.filters = filters
        self.prevKV = prevKV
        self.watchID = watchID
        self.fragment = fragment
    }
}

/// A change of one key.
public struct Event: Hashable, Sendable {
    /// What happened.
    public enum EventType: Int32, Hashable, Sendable, CaseIterable {
        case put = 0
        case delete = 1
    }

    public var type: EventType
    /// The key after the change; after a deletion only key and mod revision are set.
    public var kv: KeyValue
    /// The key before the change, if asked for, there, and not compacted.
    public var prevKV: KeyValue?

    public init(type: EventType, kv: KeyValue, prevKV: KeyValue? = nil) {
        self.type = type
        self.kv = kv
        self.prevKV = prevKV
    }

    /// Whether the event created the key.
    public var isCreate: Bool {
        self.type == .put && self.kv.createRevision == self.kv.modRevision
    }

    /// Whether the event changed a key that was there.
    public var isModify: Bool {
        self.type == .put && self.kv.createRevision != self.kv.modRevision
    }
}

/// A message of a watch stream.
public struct WatchResponse: Hashable, Sendable {
    /// The number in responses that concern no single watcher.
    public static let noWatchID: Int64 = -1

    public var header: ResponseHeader
    public var watchID: Int64
    /// The watcher was created, or `canceled` says why not.
    public var created: Bool
    /// The watcher ended; it gets no more events.
    public var canceled: Bool
    /// If the watcher ended because its revision was compacted: the first revision there is.
    public var compactRevision: Int64
    public var cancelReason: String
    /// More of the same revision follows in the next response.
    public var fragment: Bool
    /// The events, in order. Without any, and not created or canceled, this is a progress
    /// notification: all events up to `header.revision` have been sent.
    public var events: WatchEvents

    public init(
        header: ResponseHeader = ResponseHeader(),
        watchID: Int64 = 0,
        created: Bool = false,
        canceled: Bool = false,
        compactRevision: Int64 = 0,
        cancelReason: String = "",
        fragment: Bool = false,
        events: WatchEvents = WatchEvents()
    ) {
        self.header = header
        self.watchID = watchID
        self.created = created
        self.canceled = canceled
        self.compactRevision = compactRevision
        self.cancelReason = cancelReason
        self.fragment = fragment
        self.events = events
    }

    /// Whether this only tells how far the stream is.
    public var isProgressNotify: Bool {
        self.events.isEmpty && !self.created && !self.canceled && self.compactRevision == 0
    }
}

/// A stream of watch responses, and the requests that shape it.
///
/// Requests answer through the stream: creating a watcher gives a response with `created`,
/// cancelling it one with `canceled`. Requests may come from any task; `next` from one at a time.
public protocol WatchStream: Sendable {
    /// Adds a watcher.
    func create(_ request: WatchCreateRequest) async throws(StoreError)

    /// Ends a watcher. An unknown number is ignored.
    func cancel(_ watchID: Int64) async throws(StoreError)

    /// Asks for a progress notification for all watchers, numbered `WatchResponse.noWatchID`. It
    /// comes once every watcher of the stream has been given all events up to its revision.
    func requestProgress() async throws(StoreError)

    /// The next response; waits for one. Nil once the stream is closed; also if the task is
    /// cancelled while waiting, which closes the stream.
    func next() async throws(StoreError) -> WatchResponse?

    /// Ends the stream and all its watchers.
    func close()
}
