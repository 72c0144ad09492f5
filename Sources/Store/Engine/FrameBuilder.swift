// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc
internal import KeyValueStore

/// Puts a log frame together while requests are evaluated.
struct FrameBuilder: ~Copyable {
    /// A record of the frame, in order of revisions.
    struct RecordPlace: Sendable {
        var revision: Revision
        var offset: Int
        var count: Int
    }

    private static let firstCapacity = 2048
    /// The most that a frame is given before it is known to need it.
    private static let largestGuess = 1 << 20

    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var count = Frame.headerBytes
    private(set) var records: [RecordPlace] = []

    init() {
        self.capacity = Self.firstCapacity
        self.base = Self.memory(nil, self.capacity)
    }

    deinit {
        Glibc.free(self.base)
    }

    private static func memory(
        _ old: UnsafeMutableRawPointer?,
        _ count: Int
    ) -> UnsafeMutableRawPointer {
        guard let memory = realloc(old, count) else {
            preconditionFailure("no memory for a log frame of \(count) bytes")
        }
        return memory
    }

    /// Whether nothing has been added.
    var isEmpty: Bool { self.count == Frame.headerBytes }

    /// The bytes of entries so far.
    var payloadBytes: Int { self.count - Frame.headerBytes }

    /// Makes room for an entry and writes its header; answers where its data goes.
    @inline(__always)
    private mutating func beginEntry(
        _ kind: Frame.Kind,
        main: Int64,
        sub: UInt32,
        dataBytes: Int
    ) -> UnsafeMutableRawPointer {
        let needed = self.count + Frame.entryHeaderBytes + dataBytes + Frame.alignment
        if needed > self.capacity {
            self.capacity = max(self.capacity * 2, needed)
            self.base = Self.memory(self.base, self.capacity)
        }
        let at = self.base + self.count
        at.storeBytes(of: UInt32(dataBytes).littleEndian, as: UInt32.self)
        at.storeBytes(of: UInt32(kind.rawValue).littleEndian, toByteOffset: 4, as: UInt32.self)
        at.storeBytes(of: main.littleEndian, toByteOffset: 8, as: Int64.self)
        at.storeBytes(of: sub.littleEndian, toByteOffset: 16, as: UInt32.self)
        self.count += Frame.entryHeaderBytes + dataBytes
        return at + Frame.entryHeaderBytes
    }

    /// Adds the record of a put.
    mutating func addPut(
        _ revision: Revision,
        key: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer,
        createRevision: Int64,
        version: Int64,
        lease: Int64
    ) {
        let body = EncodedKeyValue.byteCount(
            keyBytes: key.count,
            valueBytes: value.count,
            createRevision: createRevision,
            modRevision: revision.main,
            version: version,
            lease: lease
        )
        let data = self.beginRecord(revision, body)
        _ = EncodedKeyValue.write(
            to: data + Record.headerBytes,
            key: key,
            value: value,
            createRevision: createRevision,
            modRevision: revision.main,
            version: version,
            lease: lease
        )
        Record.seal(data, bodyBytes: body, isTombstone: false, revision)
    }

    /// Adds the record of a deletion.
    mutating func addTombstone(_ revision: Revision, key: UnsafeRawBufferPointer) {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let body = EncodedKeyValue.byteCount(
            keyBytes: key.count,
            valueBytes: 0,
            createRevision: 0,
            modRevision: revision.main,
            version: 0,
            lease: 0
        )
        let data = self.beginRecord(revision, body)
        _ = EncodedKeyValue.write(
            to: data + Record.headerBytes,
            key: key,
            value: none,
            createRevision: 0,
            modRevision: revision.main,
            version: 0,
            lease: 0
        )
        Record.seal(data, bodyBytes: body, isTombstone: true, revision)
    }

    private mutating func beginRecord(
        _ revision: Revision,
        _ bodyBytes: Int
    ) -> UnsafeMutableRawPointer {
        let total = Record.headerBytes + bodyBytes
        let data = self.beginEntry(
            .record,
            main: revision.main,
            sub: revision.sub,
            dataBytes: total
        )
        let place = RecordPlace(revision: revision, offset: data - self.base, count: total)
        self.records.append(place)
        return data
    }

    mutating func addLeaseGrant(_ id: Int64, ttl: Int64) {
        let data = self.beginEntry(.leaseGrant, main: id, sub: 0, dataBytes: 8)
        data.storeBytes(of: ttl.littleEndian, as: Int64.self)
    }

    mutating func addLeaseRevoke(_ id: Int64) {
        _ = self.beginEntry(.leaseRevoke, main: id, sub: 0, dataBytes: 0)
    }

    mutating func addCompaction(_ revision: Int64) {
        _ = self.beginEntry(.compact, main: revision, sub: 0, dataBytes: 0)
    }

    mutating func addAlarms(_ bits: UInt32) {
        _ = self.beginEntry(.alarms, main: 0, sub: bits, dataBytes: 0)
    }

    /// The record of `revision`, if this frame has it. Valid until the next change.
    func record(_ revision: Revision) -> UnsafeRawBufferPointer? {
        var low = 0
        var high = self.records.count
        while low < high {
            let middle = (low + high) / 2
            let place = self.records[middle]
            if place.revision == revision {
                return UnsafeRawBufferPointer(start: self.base + place.offset, count: place.count)
            }
            if place.revision < revision { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// What `finish` gives.
    struct Finished: Sendable {
        var storage: FrameStorage
        var records: [RecordPlace]
        var header: Frame.Header
    }

    /// Writes header and padding; the builder is empty afterwards.
    mutating func finish(
        sequence: UInt64,
        previousChecksum: UInt64,
        revision: Int64,
        index: UInt64
    ) -> Finished {
        let payload = self.payloadBytes
        let total = Frame.padded(self.count)
        memset(self.base + self.count, 0, total - self.count)
        func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
            self.base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
        }
        store(Frame.magic, at: 0)
        store(UInt32(payload), at: 4)
        store(sequence, at: 8)
        store(previousChecksum, at: 16)
        store(revision, at: 24)
        store(index, at: 32)
        store(UInt64(0), at: 40)
        let bytes = UnsafeRawBufferPointer(start: self.base, count: total)
        let checksum = Frame.checksum(bytes, payload)
        store(checksum, at: 48)
        let finished = Finished(
            storage: FrameStorage(taking: self.base, count: total),
            records: self.records,
            header: Frame.Header(
                payloadBytes: payload,
                sequence: sequence,
                previousChecksum: previousChecksum,
                revision: revision,
                index: index,
                checksum: checksum
            )
        )
        // Groups of a busy store are about as big as the one before.
        let likely = min(total + total / 4, Self.largestGuess)
        self.capacity = max(Self.firstCapacity, likely)
        self.base = Self.memory(nil, self.capacity)
        self.count = Frame.headerBytes
        self.records.removeAll(keepingCapacity: false)
        self.records.reserveCapacity(finished.records.count)
        return finished
    }
}
