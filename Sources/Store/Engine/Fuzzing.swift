// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import Glibc
internal import KeyValueStore

/// Reads arbitrary bytes as what the engine finds on a disk, for fuzzers and tests. The first byte
/// chooses what they are taken for. Checksums are made right first where that leads further.
///
/// Whatever the bytes are, nothing traps, and:
///
/// - a record, a frame or a state that is taken is what it is when it is written again;
/// - bbolt files and LMDB files with the bytes in them are refused or can be read to the end.
public func fuzzStoreFiles(_ bytes: UnsafeRawBufferPointer) {
    guard let kind = bytes.first else { return }
    let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    switch kind % 6 {
    case 0: fuzzRecord(rest)
    case 1: fuzzFrame(rest)
    case 2: fuzzState(rest)
    case 3: withFile(holding: Array(rest), fuzzBolt)
    case 4: withFile(holding: boltImage(rest), fuzzBolt)
    default: withFile(holding: tableImage(rest), fuzzTable)
    }
}

private func fuzzRecord(_ bytes: UnsafeRawBufferPointer) {
    let revision = Revision(main: 7, sub: 3)
    _ = Record.open(bytes, revision)
    var record = [UInt8](repeating: 0, count: Record.headerBytes) + bytes
    record.withUnsafeMutableBytes { buffer in
        guard let base = buffer.baseAddress else { return }
        Record.seal(base, bodyBytes: bytes.count, isTombstone: bytes.count % 2 == 1, revision)
    }
    record.withUnsafeBytes { buffer in
        let view = Record.open(buffer, revision)
        precondition(view?.body.elementsEqual(bytes) == true, "a sealed record does not open")
        precondition(Record.open(buffer, Revision(main: 7, sub: 4)) == nil, "opens elsewhere")
        let parts = view?.keyValue
        let whole = KeyValue(encoded: Bytes(copying: bytes))
        precondition((parts == nil) == (whole == nil), "two readings of one key")
        if let parts, let whole {
            precondition(
                parts.key.elementsEqual(whole.key) && parts.value.elementsEqual(whole.value)
                    && parts.modRevision == whole.modRevision && parts.lease == whole.lease,
                "two readings of one key"
            )
        }
    }
}

private func fuzzFrame(_ bytes: UnsafeRawBufferPointer) {
    _ = Frame.open(bytes)
    var frame = [UInt8](repeating: 0, count: Frame.headerBytes) + bytes
    frame.withUnsafeMutableBytes { buffer in
        buffer.storeBytes(of: Frame.magic.littleEndian, as: UInt32.self)
        let payload = UInt32(bytes.count)
        buffer.storeBytes(of: payload.littleEndian, toByteOffset: 4, as: UInt32.self)
        buffer.storeBytes(of: UInt64(1).littleEndian, toByteOffset: 8, as: UInt64.self)
        let checksum = Frame.checksum(UnsafeRawBufferPointer(buffer), bytes.count)
        buffer.storeBytes(of: checksum.littleEndian, toByteOffset: 48, as: UInt64.self)
    }
    frame.withUnsafeBytes { buffer in
        guard let header = Frame.open(buffer) else {
            preconditionFailure("a frame with its checksum does not open")
        }
        var count = 0
        let isSound = Frame.forEachEntry(of: buffer, header) { entry in
            count += Frame.entryHeaderBytes + entry.data.count
        }
        precondition(!isSound || count == bytes.count, "entries are not all of their frame")
        var batch = TableBatch(state: TableState(clusterID: 1, memberID: 1))
        precondition(batch.add(buffer, header) == isSound, "two readings of one frame")
    }
}

private func fuzzState(_ bytes: UnsafeRawBufferPointer) {
    _ = TableState(parsing: bytes)
    guard bytes.count >= 128 else { return }
    var state = TableState(clusterID: 1, memberID: 1).encoded
    state.withUnsafeMutableBytes { buffer in
        for index in 12..<128 { buffer[index] = bytes[index] }
        let covered = UnsafeRawBufferPointer(rebasing: buffer[..<128])
        let checksum = Checksum.of(covered).littleEndian
        buffer.storeBytes(of: checksum, toByteOffset: 128, as: UInt64.self)
    }
    guard let read = state.withUnsafeBytes({ TableState(parsing: $0) }) else {
        preconditionFailure("a state with its checksum is not read")
    }
    let again = read.encoded.withUnsafeBytes { TableState(parsing: $0) }
    precondition(again?.encoded == read.encoded, "a state is read back as another one")
}

// MARK: - Files

/// Gives `body` the path of a file without a name.
private func withFile(holding bytes: [UInt8], _ body: (String) throws(BackendError) -> Void) {
    guard let file = tmpfile() else { preconditionFailure("no temporary file: \(errno)") }
    defer { fclose(file) }
    let descriptor = fileno(file)
    let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    precondition(written == bytes.count, "a temporary file takes no bytes: \(errno)")
    // Refused, which is fine.
    try? body("/proc/self/fd/\(descriptor)")
}

private func fuzzBolt(_ path: String) throws(BackendError) {
    let file = try BoltFile(opening: path)
    _ = file.trailerIsRight()
    _ = try SnapshotFile.status(path)
}

private func fuzzTable(_ path: String) throws(BackendError) {
    try PageVerifier.check(path)
}

/// Writes bytes over an image, as long as there are any: three for a place, one for what is there.
private func patch(_ image: inout [UInt8], _ patches: UnsafeRawBufferPointer) {
    var at = 0
    while at + 4 <= patches.count {
        let place = Int(patches[at]) | Int(patches[at + 1]) << 8 | Int(patches[at + 2]) << 16
        image[place % image.count] = patches[at + 3]
        at += 4
    }
}

extension [UInt8] {
    /// Sets an integer, little-endian.
    fileprivate mutating func set<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        self.withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
        }
    }
}

/// A small bbolt file with one bucket, patched, whose meta page is sound again.
func boltImage(_ patches: UnsafeRawBufferPointer) -> [UInt8] {
    var leaf = BoltLeaf()
    for number in 0..<20 {
        var key = [UInt8](repeating: 0, count: 17)
        key[7] = UInt8(number + 2)
        key[8] = UInt8(ascii: "_")
        let value: [UInt8] = [
            0x0A, 1, 97, 0x10, UInt8(number + 2), 0x18, UInt8(number + 2), 0x20, 1,
        ]
        value.withUnsafeBytes { leaf.add(key, $0) }
    }
    var bucket: [UInt8] = []
    bucket.append(integer: UInt64(4))
    bucket.append(integer: UInt64(0))
    var root = BoltLeaf()
    bucket.withUnsafeBytes { root.add(Array("key".utf8), $0, flags: Bolt.bucketElement) }
    var image = [UInt8](repeating: 0, count: 2 * Bolt.pageBytes)
    image.appendPageHeader(id: 2, flags: Bolt.Flag.freelist, count: 0, overflow: 0)
    image.pad(to: Bolt.pageBytes)
    image += root.encode(page: 3) + leaf.encode(page: 4)
    patch(&image, patches)
    for page in 0..<2 {
        let start = page * Bolt.pageBytes + Bolt.pageHeaderBytes
        image.set(Bolt.magic, at: start)
        image.set(Bolt.version, at: start + 4)
        image.set(UInt32(Bolt.pageBytes), at: start + 8)
        // Root, free list and number of pages may have been patched; a new file has none yet.
        if image[start + 16] == 0 { image.set(UInt64(3), at: start + 16) }
        if image[start + 40] == 0 { image.set(UInt64(5), at: start + 40) }
        let sum = Bolt.checksum(image[start..<(start + Bolt.metaBytes - 8)])
        image.set(sum, at: start + Bolt.metaBytes - 8)
    }
    return image
}

/// A small table of LMDB: two meta pages and a leaf each for the main tree and one in it, patched.
func tableImage(_ patches: UnsafeRawBufferPointer) -> [UInt8] {
    let pageBytes = 4096
    var image = [UInt8](repeating: 0, count: 4 * pageBytes)
    func node(
        _ page: Int,
        _ slot: Int,
        at offset: Int,
        _ key: String,
        _ value: [UInt8],
        _ flags: UInt16
    ) {
        let start = page * pageBytes
        image.set(UInt16(offset), at: start + 16 + 2 * slot)
        image.set(UInt16(value.count), at: start + offset)
        image.set(flags, at: start + offset + 4)
        let key = Array(key.utf8)
        image.set(UInt16(key.count), at: start + offset + 6)
        for (index, byte) in (key + value).enumerated() { image[start + offset + 8 + index] = byte }
    }
    func tree(root: UInt64, entries: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(integer: UInt32(0))
        bytes.append(integer: UInt16(0))
        bytes.append(integer: UInt16(root == .max ? 0 : 1))
        bytes.append(integer: UInt64(0))
        bytes.append(integer: UInt64(root == .max ? 0 : 1))
        bytes.append(integer: UInt64(0))
        bytes.append(integer: entries)
        bytes.append(integer: root)
        return bytes
    }
    for page in 0..<4 { image.set(UInt64(page), at: page * pageBytes) }
    for page in 0..<2 {
        let start = page * pageBytes
        image.set(UInt16(0x08), at: start + 10)
        image.set(UInt32(0xBEEF_C0DE), at: start + 16)
        image.set(UInt32(1), at: start + 20)
        image.set(UInt32(pageBytes), at: start + 40)
        let trees = tree(root: .max, entries: 0) + tree(root: 2, entries: 1)
        for (index, byte) in trees.enumerated() { image[start + 40 + index] = byte }
        image.set(UInt32(pageBytes), at: start + 40)
        image.set(UInt64(3), at: start + 136)
        image.set(UInt64(page), at: start + 144)
    }
    for (page, count) in [(2, 1), (3, 2)] {
        let start = page * pageBytes
        image.set(UInt16(0x02), at: start + 10)
        image.set(UInt16(16 + 2 * count), at: start + 12)
        image.set(UInt16(3900), at: start + 14)
    }
    node(2, 0, at: 3900, "records", tree(root: 3, entries: 2), 0x02)
    node(3, 0, at: 3900, "aa", Array("value".utf8), 0)
    node(3, 1, at: 3950, "bb", Array("other".utf8), 0)
    patch(&image, patches)
    return image
}
