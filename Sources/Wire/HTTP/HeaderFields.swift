// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// An ordered list of header fields, names in lower case.
///
/// All fields live in one block of memory: a table of 16-byte entries and the bytes they refer to.
/// Copying a value copies a reference; changing it copies the block when it is shared.
///
/// ```
/// +----------------------- entries -----------------------+------------ bytes ------------+
/// | value offset u32 | value length u32 | name offset u32 |  name and value bytes, in the |
/// | name length u16  | well-known name u8 | flags u8      |  order they were appended     |
/// +--------------------------------------------------------+-------------------------------+
/// ```
///
/// The pseudo-header fields of the message that the fields belong to may lie in the same block, in
/// front of the first regular field; they are invisible here.
public struct HeaderFields: Sendable {
    package var storage: HeaderStorage?

    /// No fields.
    public init() {
        self.storage = nil
    }

    package init(storage: HeaderStorage?) {
        self.storage = storage
    }

    /// The number of fields.
    public var count: Int {
        guard let storage = self.storage else { return 0 }
        return storage.count - storage.pseudoCount
    }

    /// Whether there are no fields.
    public var isEmpty: Bool { self.count == 0 }

    /// The size of the list as HPACK counts it (RFC 7541 section 4.1): 32 bytes a field beside its
    /// name and value.
    public var listByteCount: Int {
        guard let storage = self.storage else { return 0 }
        var total = 0
        for index in storage.pseudoCount..<storage.count {
            total +=
                storage.nameBytes(at: index).count
                + storage.valueBytes(at: index).count + 32
        }
        return total
    }

    /// Whether both values share the same memory, which implies that they are equal. Connections
    /// hand out the same block again when a peer repeats a header block, so whatever was derived
    /// from a block may be kept beside it and used again.
    public func isIdentical(to other: HeaderFields) -> Bool {
        self.storage === other.storage
    }
}

// MARK: - Reading

extension HeaderFields {
    /// The position of the first field with this name.
    public func firstIndex(of name: HeaderName) -> Int? {
        guard let storage = self.storage else { return nil }
        if let known = name.wellKnown {
            return storage.firstIndex(of: known, from: storage.pseudoCount)
                .map { $0 - storage.pseudoCount }
        }
        return name.withBytes { bytes in
            for index in storage.pseudoCount..<storage.count
            where FieldSyntax.equal(storage.nameBytes(at: index), bytes) {
                return index - storage.pseudoCount
            }
            return nil
        }
    }

    /// Whether there is a field with this name.
    public func contains(_ name: HeaderName) -> Bool { self.firstIndex(of: name) != nil }

    /// The value of the first field with this name; bytes that are not UTF-8 are repaired.
    public subscript(name: HeaderName) -> String? {
        self.firstIndex(of: name).map(self.value(at:))
    }

    /// The values of all fields with this name, in order.
    public func values(of name: HeaderName) -> [String] {
        (0..<self.count).compactMap { self.name(at: $0) == name ? self.value(at: $0) : nil }
    }

    /// The name at a position in `0..<count`.
    public func name(at index: Int) -> HeaderName {
        let (storage, position) = self.resolve(index)
        if let known = storage.entry(at: position).wellKnown { return HeaderName(known) }
        return HeaderName(validated: storage.nameBytes(at: position))
    }

    /// The value at a position in `0..<count`; bytes that are not UTF-8 are repaired.
    public func value(at index: Int) -> String {
        let (storage, position) = self.resolve(index)
        return String(decoding: storage.valueBytes(at: position), as: UTF8.self)
    }

    /// Runs `body` on the bytes of the name at a position in `0..<count`.
    public func withName<Result, Failure>(
        at index: Int,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result,
    ) throws(Failure) -> Result {
        let (storage, position) = self.resolve(index)
        defer { withExtendedLifetime(storage) {} }
        return try body(storage.nameBytes(at: position))
    }

    /// Runs `body` on the bytes of the value at a position in `0..<count`.
    public func withValue<Result, Failure>(
        at index: Int,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result,
    ) throws(Failure) -> Result {
        let (storage, position) = self.resolve(index)
        defer { withExtendedLifetime(storage) {} }
        return try body(storage.valueBytes(at: position))
    }

    /// Runs `body` on the bytes of the first value with this name; nil when there is none.
    public func withFirstValue<Result, Failure>(
        of name: HeaderName,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result,
    ) throws(Failure) -> Result? {
        guard let index = self.firstIndex(of: name) else { return nil }
        return try self.withValue(at: index, body)
    }

    /// Whether the first value with this name is exactly `text`, byte by byte.
    public func first(_ name: HeaderName, is text: StaticString) -> Bool {
        self.withFirstValue(of: name) { bytes in
            FieldSyntax.equal(
                bytes,
                UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount),
            )
        } ?? false
    }

    /// Whether a comma-separated list under this name has the token `text`, ignoring case.
    public func list(_ name: HeaderName, has text: StaticString) -> Bool {
        for index in 0..<self.count where self.name(at: index) == name {
            let found = self.withValue(at: index) { bytes in
                bytes.split(separator: UInt8(ascii: ",")).contains { part in
                    var part = part
                    while let first = part.first, first == 0x20 || first == 0x09 {
                        part.removeFirst()
                    }
                    while let last = part.last, last == 0x20 || last == 0x09 {
                        part.removeLast()
                    }
                    return FieldSyntax.equalIgnoringCase(
                        UnsafeRawBufferPointer(rebasing: part),
                        text,
                    )
                }
            }
            if found { return true }
        }
        return false
    }

    private func resolve(_ index: Int) -> (HeaderStorage, Int) {
        guard let storage = self.storage, index >= 0, index < self.count else {
            preconditionFailure("field \(index) of \(self.count)")
        }
        return (storage, index + storage.pseudoCount)
    }
}

// MARK: - Changing

extension HeaderFields {
    /// Appends a field.
    ///
    /// - Parameters:
    ///   - value: bytes that may not stand in a value (RFC 9110 section 5.5: line ends, NUL and
    ///     other controls) are written as spaces, so a value can never split a message.
    ///   - sensitive: true keeps HPACK from indexing the field, here and at every hop
    ///     (RFC 7541 section 7.1.3).
    public mutating func append(_ name: HeaderName, _ value: String, sensitive: Bool = false) {
        var value = value
        value.withUTF8 { bytes in
            self.append(name, bytes: UnsafeRawBufferPointer(bytes), sensitive: sensitive)
        }
    }

    /// Appends a field from bytes. See ``append(_:_:sensitive:)``.
    public mutating func append(
        _ name: HeaderName,
        bytes: UnsafeRawBufferPointer,
        sensitive: Bool = false,
    ) {
        let storage = self.makeUnique(extraBytes: bytes.count + 64)
        let flags: UInt8 = sensitive ? HeaderStorage.Entry.sensitiveFlag : 0
        if let known = name.wellKnown {
            storage.append(known, value: bytes, flags: flags)
        } else {
            name.withBytes {
                storage.append(name: $0, value: bytes, flags: flags)
            }
        }
        storage.sanitizeLastValue()
    }

    /// Appends all fields of another list.
    public mutating func append(contentsOf other: HeaderFields) {
        guard let source = other.storage, source.count > source.pseudoCount else { return }
        let storage = self.makeUnique(extraBytes: source.byteCount)
        for index in source.pseudoCount..<source.count {
            storage.appendEntry(of: source, at: index)
        }
    }

    /// Replaces all fields of this name by one.
    public mutating func set(_ name: HeaderName, _ value: String, sensitive: Bool = false) {
        self.remove(name)
        self.append(name, value, sensitive: sensitive)
    }

    /// Removes all fields of this name.
    public mutating func remove(_ name: HeaderName) {
        guard let source = self.storage, self.contains(name) else { return }
        let copy = HeaderStorage(entryCapacity: source.count, byteCapacity: source.byteCount)
        for index in 0..<source.count
        where index < source.pseudoCount || self.name(at: index - source.pseudoCount) != name {
            copy.appendEntry(of: source, at: index)
        }
        copy.pseudoCount = source.pseudoCount
        self.storage = copy
    }

    private mutating func makeUnique(extraBytes: Int) -> HeaderStorage {
        if let storage = self.storage {
            if isKnownUniquelyReferenced(&self.storage) { return storage }
            let copy = storage.copy(extraEntries: 4, extraBytes: extraBytes)
            self.storage = copy
            return copy
        }
        let storage = HeaderStorage(entryCapacity: 4, byteCapacity: extraBytes)
        self.storage = storage
        return storage
    }
}

// MARK: - Conformances

extension HeaderFields: Equatable {
    public static func == (left: HeaderFields, right: HeaderFields) -> Bool {
        if left.isIdentical(to: right) { return true }
        guard left.count == right.count else { return false }
        return (0..<left.count).allSatisfy { index in
            left.name(at: index) == right.name(at: index)
                && left.withValue(at: index) { mine in
                    right.withValue(at: index) { FieldSyntax.equal(mine, $0) }
                }
        }
    }
}

extension HeaderFields: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (HeaderName, String)...) {
        self.init()
        for (name, value) in elements { self.append(name, value) }
    }
}

extension HeaderFields: Sequence {
    public func makeIterator() -> some IteratorProtocol<(name: HeaderName, value: String)> {
        (0..<self.count).lazy.map { (name: self.name(at: $0), value: self.value(at: $0)) }
            .makeIterator()
    }
}

extension HeaderFields: CustomStringConvertible {
    /// The names and values, but for values that must not be logged.
    public var description: String {
        let parts = (0..<self.count).map { index in
            let (storage, position) = self.resolve(index)
            let name = self.name(at: index)
            let hidden =
                storage.entry(at: position).isSensitive || name == .authorization
                || name == .cookie
            return "\(name): \(hidden ? "<redacted>" : self.value(at: index))"
        }
        return "[\(parts.joined(separator: ", "))]"
    }
}
