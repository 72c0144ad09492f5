// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Glibc

/// Growable memory that messages are encoded into.
///
/// The RPC layer keeps sinks and uses them again for message after message, so encoding settles at
/// no allocation. Growth doubles, so appending is amortised constant time.
@frozen
public struct RPCByteSink: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): the memory has one owner, this noncopyable value.

    /// The memory, from `malloc`; `nil` until something is appended.
    @usableFromInline var base: UnsafeMutableRawPointer?
    @usableFromInline var count: Int
    @usableFromInline var room: Int

    /// Bytes written so far.
    @inlinable public var byteCount: Int { self.count }

    /// Bytes that fit without growing.
    @inlinable public var capacity: Int { self.room }

    /// An empty sink with room for `capacity` bytes.
    @inlinable
    public init(capacity: Int = 0) {
        self.base = nil
        self.count = 0
        self.room = 0
        if capacity > 0 { self.grow(toFit: capacity) }
    }

    deinit {
        free(self.base)
    }

    /// Appends `byteCount` bytes that `body` writes.
    ///
    /// `body` must initialise every byte of the memory it is given, which is exactly `byteCount`
    /// long. When it throws, nothing is appended.
    @inlinable
    public mutating func append<E: Error>(
        byteCount: Int,
        initializingWith body: (UnsafeMutableRawBufferPointer) throws(E) -> Void
    ) throws(E) {
        precondition(byteCount >= 0, "negative byte count \(byteCount)")
        guard byteCount > 0 else {
            try body(UnsafeMutableRawBufferPointer(start: nil, count: 0))
            return
        }
        if self.room - self.count < byteCount { self.grow(toFit: byteCount) }
        let start = self.base.unsafelyUnwrapped + self.count
        try body(UnsafeMutableRawBufferPointer(start: start, count: byteCount))
        self.count += byteCount
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        if self.room - self.count < bytes.count { self.grow(toFit: bytes.count) }
        memcpy(self.base.unsafelyUnwrapped + self.count, source, bytes.count)
        self.count += bytes.count
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(contentsOf bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.append($0) }
    }

    /// Appends one byte.
    @inlinable
    public mutating func append(_ byte: UInt8) {
        if self.room == self.count { self.grow(toFit: 1) }
        self.base.unsafelyUnwrapped.storeBytes(of: byte, toByteOffset: self.count, as: UInt8.self)
        self.count += 1
    }

    /// Makes room for `byteCount` more bytes.
    @inlinable
    public mutating func reserve(byteCount: Int) {
        if self.room - self.count < byteCount { self.grow(toFit: byteCount) }
    }

    /// Lends what has been written. The pointer is valid during `body` only.
    @inlinable
    public borrowing func withBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: self.base, count: self.count))
    }

    /// Lends what has been written, for changes in place such as a length that is known last.
    @inlinable
    public mutating func withMutableBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeMutableRawBufferPointer(start: self.base, count: self.count))
    }

    /// Forgets everything after the first `byteCount` bytes and keeps the memory.
    @inlinable
    public mutating func truncate(toByteCount byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= self.count, "cannot truncate to \(byteCount)")
        self.count = byteCount
    }

    /// Forgets everything, and gives memory back when there is more of it than `limit` bytes.
    @inlinable
    public mutating func clear(keepingAtMost limit: Int) {
        self.count = 0
        if self.room > limit {
            free(self.base)
            self.base = nil
            self.room = 0
        }
    }

    /// Hands the memory over with what was written at its start, and is empty.
    ///
    /// - Returns: all of the memory, which the caller ends by `free`; nil when there is none.
    @inlinable
    public mutating func release() -> UnsafeMutableRawBufferPointer? {
        guard let base = self.base else { return nil }
        let memory = UnsafeMutableRawBufferPointer(start: base, count: self.room)
        self.base = nil
        self.count = 0
        self.room = 0
        return memory
    }

    @usableFromInline
    mutating func grow(toFit byteCount: Int) {
        let needed = self.count + byteCount
        let target = max(needed, min(self.room * 2, self.room + Self.largestStep), Self.smallest)
        guard let memory = realloc(self.base, target) else {
            fatalError("out of memory: an RPC sink cannot grow to \(target) bytes")
        }
        self.base = memory
        self.room = target
    }

    /// First allocation in bytes.
    @usableFromInline static var smallest: Int { 256 }
    /// The most that growth adds beyond what is needed, in bytes.
    @usableFromInline static var largestStep: Int { 64 << 20 }
}
