// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// An immutable run of bytes that shares the memory it came from.
///
/// `Bytes` is what a `bytes` field reads as: a pointer, a length and a reference that keeps the
/// memory alive. Copying it or slicing it costs one reference count and never copies bytes, so a
/// value can travel from a received message to storage without being duplicated.
///
/// Indices are offsets from the start, `0..<count`, for every value (slices start at 0 too).
public struct Bytes: @unchecked Sendable {
    // SAFETY: the memory behind `start` is immutable for as long as `owner` is referenced.

    @usableFromInline let owner: AnyObject?
    @usableFromInline let start: UnsafeRawPointer?

    /// The number of bytes.
    public let count: Int

    /// The empty run; allocates nothing.
    @inlinable
    public init() {
        self.owner = nil
        self.start = nil
        self.count = 0
    }

    /// Refers to memory that `owner` keeps alive and unchanged.
    @inlinable
    public init(start: UnsafeRawPointer, count: Int, owner: AnyObject) {
        self.owner = owner
        self.start = start
        self.count = count
    }

    /// Copies `bytes`.
    public init(copying bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else {
            self.init()
            return
        }
        let storage = ByteStorage(count: bytes.count) { target in
            target.copyMemory(from: UnsafeRawBufferPointer(start: base, count: bytes.count))
        }
        self.init(start: UnsafeRawPointer(storage.base), count: bytes.count, owner: storage)
    }

    /// Copies a collection of bytes.
    public init(_ bytes: some Collection<UInt8>) {
        let copied: Bytes? = bytes.withContiguousStorageIfAvailable {
            Bytes(copying: UnsafeRawBufferPointer($0))
        }
        if let copied {
            self = copied
        } else {
            self = [UInt8](bytes).withUnsafeBytes { Bytes(copying: $0) }
        }
    }

    /// Copies the UTF-8 of `text`.
    public init(utf8 text: String) {
        var text = text
        self = text.withUTF8 { Bytes(copying: UnsafeRawBufferPointer($0)) }
    }

    /// Gives the memory to `body`; the pointer is valid only during the call.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        defer { withExtendedLifetime(self.owner) {} }
        return try body(UnsafeRawBufferPointer(start: self.start, count: self.count))
    }

    /// The bytes `range.lowerBound..<range.upperBound`, sharing the memory.
    @inlinable
    public func slice(_ range: Range<Int>) -> Bytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= self.count)
        guard let start = self.start, let owner = self.owner, !range.isEmpty else { return Bytes() }
        return Bytes(start: start + range.lowerBound, count: range.count, owner: owner)
    }

    /// A copy with memory of its own, so that a small slice does not keep a big message alive.
    public func detached() -> Bytes {
        self.withUnsafeBytes { Bytes(copying: $0) }
    }
}

// MARK: - RandomAccessCollection

extension Bytes: RandomAccessCollection {
    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { self.count }

    @inlinable
    public subscript(position: Int) -> UInt8 {
        precondition(position >= 0 && position < self.count)
        return self.withUnsafeBytes { $0[position] }
    }

    @inlinable
    public func withContiguousStorageIfAvailable<R>(
        _ body: (UnsafeBufferPointer<UInt8>) throws -> R
    ) rethrows -> R? {
        defer { withExtendedLifetime(self.owner) {} }
        let typed = self.start?.assumingMemoryBound(to: UInt8.self)
        return try body(UnsafeBufferPointer(start: typed, count: self.count))
    }
}

// MARK: - Comparison

extension Bytes: Hashable, Comparable {
    public static func == (left: Bytes, right: Bytes) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBytes { a in right.withUnsafeBytes { b in compareBytes(a, b) == 0 } }
    }

    /// Lexicographic order of unsigned bytes; a prefix sorts first.
    public static func < (left: Bytes, right: Bytes) -> Bool {
        left.withUnsafeBytes { a in right.withUnsafeBytes { b in compareBytes(a, b) < 0 } }
    }

    public func hash(into hasher: inout Hasher) {
        self.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

// MARK: - Literals and text

extension Bytes: ExpressibleByArrayLiteral, ExpressibleByStringLiteral, CustomStringConvertible {
    public init(arrayLiteral elements: UInt8...) {
        self.init(elements)
    }

    public init(stringLiteral value: String) {
        self.init(utf8: value)
    }

    /// The length and the first bytes in hexadecimal; never the whole content, which may be secret.
    public var description: String {
        let shown = self.prefix(8).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "\(self.count) bytes [\(shown.joined())\(self.count > 8 ? "…" : "")]"
    }
}
