// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CNghttp2
import HTTP

/// What the nghttp2 callbacks write to: a queue of events, header blocks, counters of frames.
///
/// It lives behind a raw pointer that nghttp2 carries as its user data, for as long as the session.
/// Nothing here calls back into nghttp2's send or receive.
struct FrameRecorder {
    /// Frames of kinds that cost the peer little and us something, since the last look.
    struct Counters {
        var settings = 0
        var pings = 0
        var emptyData = 0
        var windowUpdates = 0
        var peerResets = 0
        /// RST_STREAM frames sent, whoever asked for them.
        var sentResets = 0
        var isZero: Bool {
            self.settings | self.pings | self.emptyData | self.windowUpdates
                | self.peerResets | self.sentResets == 0
        }
    }

    // MARK: Events

    private var events: UnsafeMutablePointer<FrameEvent>
    private(set) var eventCount = 0
    private var eventCapacity = 16

    /// Complete header blocks, referred to by `headers` events.
    var blocks: [HeaderStorage] = []

    var counters = Counters()

    /// The first byte of what nghttp2 is reading.
    var inputBase: UnsafeRawPointer?

    /// A limit that was crossed in a callback, which then stopped nghttp2.
    var crossed: HTTPLimit?

    /// SETTINGS came since the last write, and a stream was reset for its window in that write:
    /// the new initial window was too large (RFC 9113 section 6.9.2).
    var settingsSinceWrite = false
    var windowOverflow = false

    /// What nghttp2 last said about an error, for people.
    var lastError = ""

    /// Where DATA frames go.
    let output: Unmanaged<OutboundBatch>

    // MARK: Header blocks

    private let maximumListBytes: Int
    private let maximumFieldCount: Int
    private var heads = HeaderCache()
    private var trailers = HeaderCache()
    private var building: HeaderStorage?
    private var buildingCount = 0
    private var buildingBytes = 0
    private var buildingTooLarge = false
    private var buildingIsHead = false
    private var matching = false
    private var matched = 0
    /// References to the name and value buffers of the block, to remember it by.
    private var pairs: [HeaderCache.Pair] = []

    init(limits: HTTPLimits, output: OutboundBatch) {
        self.events = .allocate(capacity: self.eventCapacity)
        self.maximumListBytes = limits.headerListBytes
        self.maximumFieldCount = limits.headerCount
        self.output = Unmanaged.passUnretained(output)
    }

    /// Frees what the recorder holds. It must not be used afterwards.
    mutating func tearDown() {
        self.events.deallocate()
        self.dropPairs()
        self.heads.clear()
        self.trailers.clear()
        self.blocks = []
        self.building = nil
    }

    // MARK: Queue

    func event(at index: Int) -> FrameEvent { self.events[index] }

    mutating func removeAllEvents() {
        self.eventCount = 0
        if !self.blocks.isEmpty { self.blocks.removeAll(keepingCapacity: self.blocks.count < 64) }
        if self.eventCapacity > Self.keptEventCapacity {
            self.events.deallocate()
            self.eventCapacity = 16
            self.events = .allocate(capacity: self.eventCapacity)
        }
    }

    /// A queue that grew beyond this many events is not kept.
    private static let keptEventCapacity = 64

    mutating func record(_ kind: FrameEvent.Kind, _ streamID: Int32, a: UInt32 = 0, b: UInt32 = 0) {
        if self.eventCount == self.eventCapacity { self.growEvents() }
        (self.events + self.eventCount).initialize(
            to: FrameEvent(kind: kind, streamID: streamID, a: a, b: b)
        )
        self.eventCount &+= 1
    }

    private mutating func growEvents() {
        let larger = UnsafeMutablePointer<FrameEvent>.allocate(capacity: self.eventCapacity * 2)
        larger.update(from: self.events, count: self.eventCount)
        self.events.deallocate()
        self.events = larger
        self.eventCapacity *= 2
    }

    // MARK: Building a header block

    mutating func beginHeaders(isHead: Bool) {
        self.building = nil
        self.buildingCount = 0
        self.buildingBytes = 0
        self.buildingTooLarge = false
        self.buildingIsHead = isHead
        self.matched = 0
        self.matching = isHead ? self.heads.storage != nil : self.trailers.storage != nil
        if !self.pairs.isEmpty { self.dropPairs() }
    }

    /// Takes a field in; false when the block is so large that the connection has to end.
    mutating func header(name: OpaquePointer, value: OpaquePointer, flags: UInt8) -> Bool {
        if self.matching {
            let hit =
                self.buildingIsHead
                ? self.heads.matches(name, value, at: self.matched)
                : self.trailers.matches(name, value, at: self.matched)
            if hit {
                self.matched &+= 1
                return true
            }
            self.leaveMatching()
        }
        let nameBuffer = nghttp2_rcbuf_get_buf(name)
        let valueBuffer = nghttp2_rcbuf_get_buf(value)
        self.buildingCount &+= 1
        self.buildingBytes &+= nameBuffer.len &+ valueBuffer.len &+ 32
        if self.buildingCount > self.maximumFieldCount
            || self.buildingBytes > self.maximumListBytes
        {
            self.buildingTooLarge = true
            return self.buildingBytes / 4 <= self.maximumListBytes
                && self.buildingCount / 4 <= self.maximumFieldCount
        }
        let storage: HeaderStorage
        if let building = self.building {
            storage = building
        } else {
            storage = HeaderStorage(entryCapacity: 8, byteCapacity: 128)
            self.building = storage
        }
        let nameBytes = UnsafeRawBufferPointer(start: nameBuffer.base, count: nameBuffer.len)
        storage.append(
            name: nameBytes,
            value: UnsafeRawBufferPointer(start: valueBuffer.base, count: valueBuffer.len),
            flags: flags & UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue) != 0
                ? HeaderStorage.Entry.sensitiveFlag : 0,
        )
        if nameBytes.first == UInt8(ascii: ":") { storage.pseudoCount = storage.count }
        if self.buildingCount <= HeaderCache.maximumPairs {
            nghttp2_rcbuf_incref(name)
            nghttp2_rcbuf_incref(value)
            self.pairs.append(HeaderCache.Pair(name: name, value: value, bytes: self.buildingBytes))
        }
        return true
    }

    /// Copies what matched so far into a block of its own.
    private mutating func leaveMatching() {
        self.matching = false
        guard self.matched > 0,
            let source = self.buildingIsHead ? self.heads.storage : self.trailers.storage
        else { return }
        let copy = HeaderStorage(
            entryCapacity: source.count + 1,
            byteCapacity: source.byteCount + 32
        )
        for index in 0..<self.matched {
            copy.appendEntry(of: source, at: index)
            let pair =
                self.buildingIsHead ? self.heads.pair(at: index) : self.trailers.pair(at: index)
            nghttp2_rcbuf_incref(pair.name)
            nghttp2_rcbuf_incref(pair.value)
            self.pairs.append(pair)
            self.buildingBytes = pair.bytes
        }
        copy.pseudoCount = min(source.pseudoCount, self.matched)
        self.buildingCount = self.matched
        self.building = copy
    }

    /// The block is complete: records it.
    mutating func endHeaders(_ streamID: Int32, isRequest: Bool) {
        var flags: UInt32 = isRequest ? HeaderBlockFlags.isRequest : 0
        let storage: HeaderStorage
        if self.matching {
            let count = self.buildingIsHead ? self.heads.count : self.trailers.count
            if self.matched != count { self.leaveMatching() }
        }
        if self.matching,
            let known = self.buildingIsHead ? self.heads.storage : self.trailers.storage
        {
            storage = known
        } else {
            storage = self.building ?? HeaderStorage(entryCapacity: 1, byteCapacity: 16)
            if !self.buildingTooLarge, self.pairs.count == storage.count, storage.count > 0 {
                if self.buildingIsHead {
                    self.heads.replace(with: &self.pairs, storage: storage)
                } else {
                    self.trailers.replace(with: &self.pairs, storage: storage)
                }
            }
        }
        self.building = nil
        self.matching = false
        if self.buildingTooLarge { flags |= HeaderBlockFlags.tooLarge }
        if storage.pseudoCount > 0 { flags |= HeaderBlockFlags.hasPseudo }
        self.blocks.append(storage)
        self.record(
            .headers,
            streamID,
            a: UInt32(truncatingIfNeeded: self.blocks.count - 1),
            b: flags
        )
    }

    private mutating func dropPairs() {
        for pair in self.pairs {
            nghttp2_rcbuf_decref(pair.name)
            nghttp2_rcbuf_decref(pair.value)
        }
        self.pairs.removeAll(keepingCapacity: true)
    }
}
