// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// The memory of one log frame. Records are served from it until they are in the table.
package final class FrameStorage: @unchecked Sendable {
    // SAFETY: written by the writer thread before it is shared, never changed afterwards.

    package let base: UnsafeMutableRawPointer
    package let count: Int

    init(taking base: UnsafeMutableRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    deinit {
        Glibc.free(self.base)
    }

    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.base, count: self.count)
    }
}

/// The layout of a log frame: what one group commit writes, all or nothing.
///
/// ```
///  0     4         8        16           24       32      40        48
///  +-----+---------+--------+------------+--------+-------+---------+----------+---------+-----+
///  |magic| payload | seq.   | checksum of| revi-  | index | unused  | checksum | entries | pad |
///  |     | bytes   |        | the last   | sion   |       |         |          |         |     |
///  +-----+---------+--------+------------+--------+-------+---------+----------+---------+-----+
/// ```
///
/// An entry is `bytes` (4), kind (1), 3 unused, main (8), sub (4), then `bytes` bytes. Integers are
/// little-endian, frames are padded to 8 bytes. `revision` and `index` are the store's after the
/// frame. The checksum covers the header before it and the entries.
package enum Frame {
    package static let headerBytes = 56
    package static let entryHeaderBytes = 20
    static let magic: UInt32 = 0x3146_5041  // "APF1"
    static let alignment = 8

    /// The most bytes of entries. One write that deletes very many keys gets a frame as big as it
    /// needs, up to this.
    package static let maximumPayload = 1 << 30

    /// What an entry says.
    package enum Kind: UInt8 {
        /// A record, at the revision in the entry's header.
        case record = 1
        /// A lease: its number is `main`, the data its time to live in seconds (8 bytes).
        case leaseGrant = 2
        /// The end of lease `main`.
        case leaseRevoke = 3
        /// History before `main` is given up.
        case compact = 4
        /// The raised alarms are the bits of `sub`.
        case alarms = 5
    }

    /// One entry of a frame.
    package struct Entry {
        package let kind: Kind
        package let main: Int64
        package let sub: UInt32
        package let data: UnsafeRawBufferPointer

        package var revision: Revision { Revision(main: self.main, sub: self.sub) }
    }

    /// The fields of a frame's header.
    package struct Header: Hashable, Sendable {
        package var payloadBytes: Int
        package var sequence: UInt64
        package var previousChecksum: UInt64
        package var revision: Int64
        package var index: UInt64
        package var checksum: UInt64

        /// The bytes of the frame with its padding.
        package var totalBytes: Int { Frame.padded(Frame.headerBytes + self.payloadBytes) }
    }

    static func padded(_ count: Int) -> Int {
        (count + self.alignment - 1) / self.alignment * self.alignment
    }

    /// Reads and checks the frame at the start of `bytes`; nil if there is no whole and sound one.
    package static func open(_ bytes: UnsafeRawBufferPointer) -> Header? {
        guard bytes.count >= self.headerBytes,
            self.load(bytes, 0, as: UInt32.self) == self.magic
        else { return nil }
        let payload = Int(self.load(bytes, 4, as: UInt32.self))
        guard payload <= self.maximumPayload, bytes.count >= self.headerBytes + payload else {
            return nil
        }
        let header = Header(
            payloadBytes: payload,
            sequence: self.load(bytes, 8, as: UInt64.self),
            previousChecksum: self.load(bytes, 16, as: UInt64.self),
            revision: self.load(bytes, 24, as: Int64.self),
            index: self.load(bytes, 32, as: UInt64.self),
            checksum: self.load(bytes, 48, as: UInt64.self)
        )
        guard header.checksum == self.checksum(bytes, payload) else { return nil }
        return header
    }

    /// The checksum a frame must have.
    static func checksum(_ bytes: UnsafeRawBufferPointer, _ payload: Int) -> UInt64 {
        let seed = Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<48]))
        let entries = bytes[self.headerBytes..<(self.headerBytes + payload)]
        return Checksum.of(UnsafeRawBufferPointer(rebasing: entries), seed: seed)
    }

    static func load<T: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer,
        _ offset: Int,
        as type: T.Type
    ) -> T {
        T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// Calls `body` with each entry of a checked frame.
    ///
    /// - Returns: False if the entries are malformed, which a right checksum makes our own bug.
    package static func forEachEntry(
        of frame: UnsafeRawBufferPointer,
        _ header: Header,
        _ body: (Entry) -> Void
    ) -> Bool {
        var at = self.headerBytes
        let end = self.headerBytes + header.payloadBytes
        while at < end {
            guard end - at >= self.entryHeaderBytes,
                let kind = Kind(rawValue: frame[at + 4])
            else { return false }
            let count = Int(self.load(frame, at, as: UInt32.self))
            let start = at + self.entryHeaderBytes
            guard count <= end - start else { return false }
            body(
                Entry(
                    kind: kind,
                    main: self.load(frame, at + 8, as: Int64.self),
                    sub: self.load(frame, at + 16, as: UInt32.self),
                    data: UnsafeRawBufferPointer(rebasing: frame[start..<(start + count)])
                )
            )
            at = start + count
        }
        return true
    }
}
