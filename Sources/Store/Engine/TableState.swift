// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What a table says of itself, kept with the data in the same transaction.
///
/// 136 bytes, little-endian:
///
/// | offset | | |
/// | --- | --- | --- |
/// | 0 | magic | `APUSTORE` |
/// | 8 | format | 4 bytes, 1 |
/// | 12 | alarms | 4 bytes: bit 0 NOSPACE, bit 1 CORRUPT |
/// | 16 | cluster | its number |
/// | 24 | member | its number |
/// | 32 | term | how often the store was opened |
/// | 40 | revision | of the last write |
/// | 48 | compact revision | history before it was given up; -1 for none |
/// | 56 | compacted revision | history before it is off the table |
/// | 64 | index | the number of requests applied |
/// | 72 | sequence | of the last log frame applied |
/// | 80 | frame checksum | of that frame |
/// | 88 | records | how many there are |
/// | 96 | record bytes | in all |
/// | 104 | record sum | the sum of all records' checksums |
/// | 112 | lease sum | the sum of all leases' checksums |
/// | 120 | clean | 1 if the log holds nothing beyond the table |
/// | 128 | checksum | of the bytes before |
///
/// The sums make a hash of the whole table that can be kept up in both directions: a record that is
/// added adds its checksum, one that is removed takes it away. Opening adds up what it finds, so a
/// record that is missing, too many or of another time is noticed like a damaged one.
package struct TableState: Hashable, Sendable {
    static let byteCount = 136
    private static let magic: UInt64 = 0x4552_4F54_5355_5041  // "APUSTORE"
    private static let format: UInt32 = 1

    package var clusterID: UInt64
    package var memberID: UInt64
    package var alarms: UInt32 = 0
    package var term: UInt64 = 1
    package var revision: Int64 = 1
    package var compactRevision: Int64 = -1
    package var compactedRevision: Int64 = -1
    package var index: UInt64 = 0
    package var sequence: UInt64 = 0
    package var frameChecksum: UInt64 = 0
    package var recordCount: Int64 = 0
    package var recordBytes: Int64 = 0
    package var recordSum: UInt64 = 0
    package var leaseSum: UInt64 = 0
    package var isClean = true

    /// The state of an empty store.
    package init(clusterID: UInt64, memberID: UInt64) {
        self.clusterID = clusterID
        self.memberID = memberID
    }

    /// Reads a state; nil if it is damaged or of another format.
    package init?(parsing bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        func load<T: FixedWidthInteger>(_ offset: Int, _ type: T.Type) -> T {
            Frame.load(bytes, offset, as: type)
        }
        let covered = UnsafeRawBufferPointer(rebasing: bytes[..<128])
        guard load(0, UInt64.self) == Self.magic, load(8, UInt32.self) == Self.format,
            load(128, UInt64.self) == Checksum.of(covered)
        else { return nil }
        self.alarms = load(12, UInt32.self)
        self.clusterID = load(16, UInt64.self)
        self.memberID = load(24, UInt64.self)
        self.term = load(32, UInt64.self)
        self.revision = load(40, Int64.self)
        self.compactRevision = load(48, Int64.self)
        self.compactedRevision = load(56, Int64.self)
        self.index = load(64, UInt64.self)
        self.sequence = load(72, UInt64.self)
        self.frameChecksum = load(80, UInt64.self)
        self.recordCount = load(88, Int64.self)
        self.recordBytes = load(96, Int64.self)
        self.recordSum = load(104, UInt64.self)
        self.leaseSum = load(112, UInt64.self)
        self.isClean = load(120, UInt64.self) != 0
    }

    /// The state as it is stored.
    package var encoded: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.withUnsafeMutableBytes { buffer in
            func store<T: FixedWidthInteger>(_ value: T, _ offset: Int) {
                buffer.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
            }
            store(Self.magic, 0)
            store(Self.format, 8)
            store(self.alarms, 12)
            store(self.clusterID, 16)
            store(self.memberID, 24)
            store(self.term, 32)
            store(self.revision, 40)
            store(self.compactRevision, 48)
            store(self.compactedRevision, 56)
            store(self.index, 64)
            store(self.sequence, 72)
            store(self.frameChecksum, 80)
            store(self.recordCount, 88)
            store(self.recordBytes, 96)
            store(self.recordSum, 104)
            store(self.leaseSum, 112)
            store(UInt64(self.isClean ? 1 : 0), 120)
            let covered = UnsafeRawBufferPointer(rebasing: buffer[..<128])
            store(Checksum.of(covered), 128)
        }
        return bytes
    }

    /// Takes a record into the counts and sums.
    mutating func add(_ record: UnsafeRawBufferPointer) {
        self.recordCount += 1
        self.recordBytes += Int64(record.count)
        self.recordSum &+= Frame.load(record, 0, as: UInt64.self)
    }

    /// Takes a record out of the counts and sums.
    mutating func remove(bytes: Int, checksum: UInt64) {
        self.recordCount -= 1
        self.recordBytes -= Int64(bytes)
        self.recordSum &-= checksum
    }

    /// The checksum of a lease.
    static func leaseChecksum(_ id: Int64, ttl: Int64) -> UInt64 {
        withUnsafeBytes(of: (id.littleEndian, ttl.littleEndian)) { Checksum.of($0) }
    }
}
