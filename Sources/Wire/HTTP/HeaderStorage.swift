// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// The block of memory behind a ``HeaderFields``. See there for its layout.
///
// SAFETY: `@unchecked Sendable` because the block is changed only by whoever holds the only
// reference to it (`HeaderFields` checks uniqueness; a transport fills one before it hands it out).
package final class HeaderStorage: @unchecked Sendable {
    package struct Entry {
        package var valueOffset: UInt32
        package var valueLength: UInt32
        package var nameOffset: UInt32
        package var nameLength: UInt16
        package var nameCode: UInt8
        package var flags: UInt8

        package static var sensitiveFlag: UInt8 { 1 }

        package var wellKnown: WellKnownHeaderName? { WellKnownHeaderName(rawValue: self.nameCode) }
        package var isSensitive: Bool { self.flags & Self.sensitiveFlag != 0 }
    }

    private var entries: UnsafeMutablePointer<Entry>
    private var bytes: UnsafeMutableRawPointer
    private var entryCapacity: Int
    private var byteCapacity: Int

    /// The number of entries, pseudo-header fields included.
    package private(set) var count = 0
    /// The number of bytes in use.
    package private(set) var byteCount = 0
    /// The number of leading entries that are pseudo-header fields.
    package var pseudoCount = 0

    package init(entryCapacity: Int, byteCapacity: Int) {
        self.entryCapacity = max(entryCapacity, 1)
        self.byteCapacity = max(byteCapacity, 16)
        let size = self.entryCapacity * MemoryLayout<Entry>.stride + self.byteCapacity
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: size,
            alignment: MemoryLayout<Entry>.alignment,
        )
        self.entries = block.bindMemory(to: Entry.self, capacity: self.entryCapacity)
        self.bytes = block + self.entryCapacity * MemoryLayout<Entry>.stride
    }

    deinit {
        UnsafeMutableRawPointer(self.entries).deallocate()
    }

    /// The memory that the block takes, in bytes.
    package var capacityBytes: Int {
        self.entryCapacity * MemoryLayout<Entry>.stride + self.byteCapacity
    }

    /// Forgets all entries and keeps the memory.
    package func removeAll() {
        self.count = 0
        self.byteCount = 0
        self.pseudoCount = 0
    }

    /// A copy with room for more.
    package func copy(extraEntries: Int, extraBytes: Int) -> HeaderStorage {
        let copy = HeaderStorage(
            entryCapacity: self.count + extraEntries,
            byteCapacity: self.byteCount + extraBytes,
        )
        copy.entries.update(from: self.entries, count: self.count)
        copy.bytes.copyMemory(from: self.bytes, byteCount: self.byteCount)
        copy.count = self.count
        copy.byteCount = self.byteCount
        copy.pseudoCount = self.pseudoCount
        return copy
    }

    private func grow(entries neededEntries: Int, bytes neededBytes: Int) {
        let entryCapacity =
            neededEntries > self.entryCapacity
            ? max(neededEntries, self.entryCapacity * 2) : self.entryCapacity
        let byteCapacity =
            neededBytes > self.byteCapacity
            ? max(neededBytes, self.byteCapacity * 2) : self.byteCapacity
        let size = entryCapacity * MemoryLayout<Entry>.stride + byteCapacity
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: size,
            alignment: MemoryLayout<Entry>.alignment,
        )
        let entries = block.bindMemory(to: Entry.self, capacity: entryCapacity)
        let bytes = block + entryCapacity * MemoryLayout<Entry>.stride
        entries.update(from: self.entries, count: self.count)
        bytes.copyMemory(from: self.bytes, byteCount: self.byteCount)
        UnsafeMutableRawPointer(self.entries).deallocate()
        self.entries = entries
        self.bytes = bytes
        self.entryCapacity = entryCapacity
        self.byteCapacity = byteCapacity
    }

    private func reserve(entries: Int, bytes: Int) {
        let neededEntries = self.count + entries
        let neededBytes = self.byteCount + bytes
        // Offsets are 32 bits; header lists are limited far below by every caller.
        precondition(neededBytes <= Int(UInt32.max), "header block of \(neededBytes) bytes")
        if neededEntries > self.entryCapacity || neededBytes > self.byteCapacity {
            self.grow(entries: neededEntries, bytes: neededBytes)
        }
    }

    private func write(_ source: UnsafeRawBufferPointer) -> UInt32 {
        let offset = self.byteCount
        if let base = source.baseAddress, source.count > 0 {
            memcpy(self.bytes + offset, base, source.count)
            self.byteCount = offset &+ source.count
        }
        return UInt32(truncatingIfNeeded: offset)
    }

    /// Appends a field with a well-known name.
    package func append(
        _ name: WellKnownHeaderName,
        value: UnsafeRawBufferPointer,
        flags: UInt8 = 0,
    ) {
        self.reserve(entries: 1, bytes: value.count)
        let offset = self.write(value)
        (self.entries + self.count).initialize(
            to: Entry(
                valueOffset: offset,
                valueLength: UInt32(truncatingIfNeeded: value.count),
                nameOffset: 0,
                nameLength: 0,
                nameCode: name.rawValue,
                flags: flags,
            )
        )
        self.count &+= 1
    }

    /// Appends a field whose name is a lower-case token, well known or not.
    package func append(
        name: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer,
        flags: UInt8 = 0,
    ) {
        if let known = WellKnownHeaderName(matching: name) {
            return self.append(known, value: value, flags: flags)
        }
        precondition(name.count <= HeaderName.maximumByteCount, "name of \(name.count) bytes")
        self.reserve(entries: 1, bytes: name.count + value.count)
        let nameOffset = self.write(name)
        let valueOffset = self.write(value)
        (self.entries + self.count).initialize(
            to: Entry(
                valueOffset: valueOffset,
                valueLength: UInt32(truncatingIfNeeded: value.count),
                nameOffset: nameOffset,
                nameLength: UInt16(truncatingIfNeeded: name.count),
                nameCode: 0,
                flags: flags,
            )
        )
        self.count &+= 1
    }

    /// Appends the entry of another block.
    package func appendEntry(of other: HeaderStorage, at index: Int) {
        let entry = other.entry(at: index)
        let value = other.valueBytes(at: index)
        if let known = entry.wellKnown {
            self.append(known, value: value, flags: entry.flags)
        } else {
            self.append(name: other.nameBytes(at: index), value: value, flags: entry.flags)
        }
    }

    /// Overwrites what may not stand in a value in the last entry with spaces.
    package func sanitizeLastValue() {
        guard self.count > 0 else { return }
        let entry = self.entries[self.count - 1]
        let start = Int(entry.valueOffset)
        for position in start..<(start + Int(entry.valueLength)) {
            let byte = self.bytes.load(fromByteOffset: position, as: UInt8.self)
            if !FieldSyntax.isValue(byte) {
                self.bytes.storeBytes(of: 0x20, toByteOffset: position, as: UInt8.self)
            }
        }
    }

    /// The entry at a position below ``count``.
    package func entry(at index: Int) -> Entry {
        assert(index >= 0 && index < self.count)
        return self.entries[index]
    }

    /// The bytes of the name at a position below ``count``; valid until the block changes.
    package func nameBytes(at index: Int) -> UnsafeRawBufferPointer {
        assert(index >= 0 && index < self.count)
        let entry = self.entries[index]
        if let known = entry.wellKnown { return known.bytes }
        return UnsafeRawBufferPointer(
            start: self.bytes + Int(entry.nameOffset),
            count: Int(entry.nameLength),
        )
    }

    /// The bytes of the value at a position below ``count``; valid until the block changes.
    package func valueBytes(at index: Int) -> UnsafeRawBufferPointer {
        assert(index >= 0 && index < self.count)
        let entry = self.entries[index]
        return UnsafeRawBufferPointer(
            start: self.bytes + Int(entry.valueOffset),
            count: Int(entry.valueLength),
        )
    }

    /// The position of the first entry with a well-known name at or after `start`.
    package func firstIndex(of name: WellKnownHeaderName, from start: Int) -> Int? {
        var index = start
        while index < self.count {
            if self.entries[index].nameCode == name.rawValue { return index }
            index &+= 1
        }
        return nil
    }
}
