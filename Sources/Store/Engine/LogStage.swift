// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// The memory that frames are written from past the page cache: whole blocks, aligned to blocks.
///
/// Frames do not end where blocks do. The last block of a frame is filled up with zeros, and written
/// again with the next frame behind the same bytes; so it is kept here meanwhile.
///
/// It belongs to the writer thread.
final class LogStage: @unchecked Sendable {
    // SAFETY: used by one thread at a time, the writer; handed over with the log that owns it.

    /// A block: a multiple of every disk's.
    static let blockBytes = 4096

    /// Memory that is kept from frame to frame; what a bigger one needs is given back.
    private static let keptBytes = 2 << 20

    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    /// The bytes that were placed last.
    private var placed = 0

    deinit {
        free(self.base)
    }

    /// The bytes of the blocks that hold `count` bytes.
    static func wholeBlocks(_ count: Int) -> Int {
        (count + Self.blockBytes - 1) / Self.blockBytes * Self.blockBytes
    }

    /// Whether a descriptor can be used with such blocks.
    static func canRead(_ descriptor: Int32) -> Bool {
        guard let block = aligned_alloc(Self.blockBytes, Self.blockBytes) else { return false }
        defer { free(block) }
        return pread(descriptor, block, Self.blockBytes, 0) == Self.blockBytes
    }

    /// Puts a frame behind the `kept` bytes that `keep` has left, and zeros behind it.
    ///
    /// - Returns: All of it, in whole blocks; valid until the next call.
    func place(_ frame: UnsafeRawBufferPointer, behind kept: Int) -> UnsafeRawBufferPointer {
        let count = kept + frame.count
        let total = Self.wholeBlocks(count)
        let base = self.memory(total, keeping: kept)
        if let source = frame.baseAddress { memcpy(base + kept, source, frame.count) }
        memset(base + count, 0, total - count)
        self.placed = count
        return UnsafeRawBufferPointer(start: base, count: total)
    }

    /// Keeps the last `count` bytes, less than a block, for the next frame.
    func keep(_ count: Int) {
        guard let base = self.base else { return }
        memmove(base, base + (self.placed - count), count)
        if self.capacity > Self.keptBytes { _ = self.replace(Self.keptBytes, keeping: count) }
    }

    private func memory(_ count: Int, keeping kept: Int) -> UnsafeMutableRawPointer {
        if let base = self.base, self.capacity >= count { return base }
        return self.replace(max(count, min(self.capacity * 2, Self.keptBytes)), keeping: kept)
    }

    private func replace(_ count: Int, keeping kept: Int) -> UnsafeMutableRawPointer {
        guard let memory = aligned_alloc(Self.blockBytes, count) else {
            preconditionFailure("no memory for \(count) bytes of the log")
        }
        if let old = self.base {
            memcpy(memory, old, kept)
            free(old)
        }
        self.base = memory
        self.capacity = count
        return memory
    }
}
