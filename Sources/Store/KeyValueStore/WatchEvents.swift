// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes

/// The events of a watch response, kept in their encoding.
///
/// All watchers of the same range share one value, so events are encoded once however many
/// watchers there are. Reading an event decodes it and shares the memory.
///
/// The encoding is the `events` part of an `etcdserverpb.WatchResponse`: for every event the tag
/// 0x5A, a length, and an `mvccpb.Event` (1 type, 2 kv, 3 prev_kv).
public struct WatchEvents: Sendable {
    /// The encoded events, tags included.
    public let encoded: Bytes

    /// Where each event's message starts and ends in `encoded`.
    private let places: [Place]

    /// The bytes of one event's message, without its tag and length.
    public struct Place: Hashable, Sendable {
        let start: UInt32
        let end: UInt32
    }

    /// No events.
    public init() {
        self.encoded = Bytes()
        self.places = []
    }

    init(encoded: Bytes, places: [Place]) {
        self.encoded = encoded
        self.places = places
    }

    /// Encodes `events`.
    public init(_ events: [Event]) {
        var total = 0
        for event in events { total += Wire.bytesFieldCount(event.encodedByteCount) }
        var places: [Place] = []
        places.reserveCapacity(events.count)
        let storage = ByteStorage(count: total) { buffer in
            guard let base = buffer.baseAddress else { return }
            var at = base
            for event in events {
                at.storeBytes(of: 0x5A, as: UInt8.self)
                at = Wire.writeVarint(at + 1, UInt64(event.encodedByteCount))
                let start = at - base
                at = event.encode(to: at)
                places.append(Place(start: UInt32(start), end: UInt32(at - base)))
            }
        }
        self.init(
            encoded: Bytes(start: UnsafeRawPointer(storage.base), count: total, owner: storage),
            places: places
        )
    }

    /// Takes events as they came from a peer; nil if they are malformed.
    ///
    /// - Parameter encoded: Nothing but fields with the tag 0x5A.
    public init?(encoded: Bytes) {
        guard encoded.count <= Int(UInt32.max) else { return nil }
        let places: [Place]? = encoded.withUnsafeBytes { raw in
            var places: [Place] = []
            guard let base = raw.baseAddress else { return places }
            var reader = FieldReader(raw)
            while let tag = reader.tag() {
                guard tag == 0x5A, let message = reader.lengthDelimited() else { return nil }
                guard Event.isWellFormed(message) else { return nil }
                let start = message.baseAddress.map { $0 - base } ?? 0
                places.append(
                    Place(start: UInt32(start), end: UInt32(start + message.count))
                )
            }
            return reader.failed ? nil : places
        }
        guard let places else { return nil }
        self.init(encoded: encoded, places: places)
    }
}

// MARK: - RandomAccessCollection

extension WatchEvents: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { self.places.count }

    public subscript(position: Int) -> Event {
        let place = self.places[position]
        guard let event = Event(encoded: self.encoded.slice(Int(place.start)..<Int(place.end)))
        else { preconditionFailure("an event was checked when it came in and is malformed now") }
        return event
    }

    /// The events of `range`, sharing the memory.
    public func part(_ range: Range<Int>) -> WatchEvents {
        guard let first = range.first, let last = range.last else { return WatchEvents() }
        let start = self.fieldStart(first)
        let end = self.places[last].end
        return WatchEvents(
            encoded: self.encoded.slice(Int(start)..<Int(end)),
            places: self.places[range].map { Place(start: $0.start - start, end: $0.end - start) }
        )
    }

    /// The bytes event `index` takes up in the encoding, tag included.
    public func encodedByteCount(ofEvent index: Int) -> Int {
        Int(self.places[index].end - self.fieldStart(index))
    }

    /// Where the tag of event `index` is: right behind the event before it.
    private func fieldStart(_ index: Int) -> UInt32 {
        index == 0 ? 0 : self.places[index - 1].end
    }

    /// The mod revision of event `index`, without decoding the rest.
    public func modRevision(ofEvent index: Int) -> Int64 {
        self[index].kv.modRevision
    }
}

extension WatchEvents: Hashable {
    public static func == (left: WatchEvents, right: WatchEvents) -> Bool {
        left.elementsEqual(right)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.count)
        for event in self { hasher.combine(event) }
    }
}

// MARK: - Building

extension WatchEvents {
    /// Puts events together from keys that are already encoded.
    public struct Builder {
        private var bytes: [UInt8] = []
        private var places: [Place] = []

        public init() {}

        /// The number of events so far.
        public var count: Int { self.places.count }

        /// The bytes so far.
        public var byteCount: Int { self.bytes.count }

        /// Adds an event.
        ///
        /// - Parameters:
        ///   - type: What happened.
        ///   - keyValue: The encoded key after it.
        ///   - previous: The encoded key before it.
        public mutating func append(
            _ type: Event.EventType,
            keyValue: UnsafeRawBufferPointer,
            previous: UnsafeRawBufferPointer?
        ) {
            let message =
                Wire.intFieldCount(Int64(type.rawValue))
                + Wire.bytesFieldCount(keyValue.count)
                + Wire.bytesFieldCount(previous?.count ?? 0)
            let field = 1 + Wire.varintCount(UInt64(message)) + message
            let end = self.bytes.count + field
            precondition(end <= Int(UInt32.max), "\(end) bytes of events in one response")
            if self.bytes.capacity < end {
                self.bytes.reserveCapacity(Swift.max(end, 2 * self.bytes.capacity))
            }
            self.append(tag: 0x5A, UInt64(message))
            if type != .put { self.append(tag: 0x08, UInt64(type.rawValue)) }
            self.append(tag: 0x12, keyValue)
            if let previous { self.append(tag: 0x1A, previous) }
            self.places.append(Place(start: UInt32(end - message), end: UInt32(end)))
        }

        /// Appends a field that is a number, or the beginning of one that has a length.
        private mutating func append(tag: UInt8, _ number: UInt64) {
            self.bytes.append(tag)
            var rest = number
            while rest >= 0x80 {
                self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            self.bytes.append(UInt8(truncatingIfNeeded: rest))
        }

        /// Appends a field of bytes, left out if it is empty.
        private mutating func append(tag: UInt8, _ part: UnsafeRawBufferPointer) {
            if part.isEmpty { return }
            self.append(tag: tag, UInt64(part.count))
            self.bytes.append(contentsOf: part)
        }

        /// The events; the builder is empty afterwards.
        public mutating func finish() -> WatchEvents {
            defer { self = Builder() }
            return WatchEvents(encoded: Bytes(self.bytes), places: self.places)
        }
    }
}

// MARK: - Coding of one event

extension Event {
    /// The size of the encoding in bytes.
    var encodedByteCount: Int {
        Wire.intFieldCount(Int64(self.type.rawValue))
            + Wire.bytesFieldCount(self.kv.encodedByteCount)
            + (self.prevKV.map { Wire.bytesFieldCount($0.encodedByteCount) } ?? 0)
    }

    func encode(to target: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var at = Wire.writeInt(target, tag: 0x08, Int64(self.type.rawValue))
        at.storeBytes(of: 0x12, as: UInt8.self)
        at = Wire.writeVarint(at + 1, UInt64(self.kv.encodedByteCount))
        at = self.kv.encode(to: at)
        if let previous = self.prevKV {
            at.storeBytes(of: 0x1A, as: UInt8.self)
            at = Wire.writeVarint(at + 1, UInt64(previous.encodedByteCount))
            at = previous.encode(to: at)
        }
        return at
    }

    /// Reads an event from its encoding, sharing its memory; nil if it is malformed.
    public init?(encoded: Bytes) {
        let parsed: Event? = encoded.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return nil }
            var type: EventType = .put
            var kv: KeyValue?
            var previous: KeyValue?
            var reader = FieldReader(raw)
            while let tag = reader.tag() {
                switch tag {
                case 0x08:
                    guard let number = reader.varint() else { return nil }
                    type = EventType(rawValue: Int32(truncatingIfNeeded: number)) ?? .put
                case 0x12, 0x1A:
                    guard let message = reader.lengthDelimited(), let start = message.baseAddress
                    else { return nil }
                    let offset = start - base
                    let part = encoded.slice(offset..<(offset + message.count))
                    guard let decoded = KeyValue(encoded: part) else { return nil }
                    if tag == 0x12 { kv = decoded } else { previous = decoded }
                default:
                    guard reader.skip(tag) else { return nil }
                }
            }
            if reader.failed { return nil }
            return Event(type: type, kv: kv ?? KeyValue(), prevKV: previous)
        }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Whether `Event(encoded:)` would accept the bytes.
    static func isWellFormed(_ message: UnsafeRawBufferPointer) -> Bool {
        if message.isEmpty { return false }
        var reader = FieldReader(message)
        while let tag = reader.tag() {
            switch tag {
            case 0x12, 0x1A:
                guard let part = reader.lengthDelimited(), part.baseAddress != nil,
                    EncodedKeyValue(parsing: part) != nil
                else { return false }
            default:
                guard reader.skip(tag) else { return false }
            }
        }
        return !reader.failed
    }
}
