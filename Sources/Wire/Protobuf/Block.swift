// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Synchronization

/// The memory of one message tree: a single relocatable run of bytes.
///
/// Everything a message owns (sub-messages, lists, maps, strings) lives in the block of its root and
/// refers to the rest by 32-bit offsets from `base`, so that a tree is read with two allocations,
/// copied with one `memcpy` and freed with one `free`, whatever its size.
///
/// ```
/// base ┌──────────┬───────────────────┬──────────────┬─────────┬───
///      │ 16 zeros │ root message      │ sub-message  │ string  │ …
///      └──────────┴───────────────────┴──────────────┴─────────┴───
///      0          16                                           used   capacity
/// ```
///
/// Offset 0 means "absent". Space is only ever added at the end; what a change replaces becomes
/// `wasted` until the tree is copied afresh.
///
/// A block is written only while one handle refers to it (see `MessageStorage`), which is what makes
/// sharing it between threads safe.
public final class Block: @unchecked Sendable {
    // SAFETY: exclusivity is not checked at run time, which cost a third of decoding: one handle
    // writes at a time, and no property is passed inout. All mutation happens through a uniquely referenced block, or through a loan made from
    // one (`lend`); shared blocks are never written.

    // Other modules do not see that a stored property is unchecked, so they go through the
    // computed ones below, which are inlined with what is known here.

    @exclusivity(unchecked) @usableFromInline var storedBase: UnsafeMutableRawPointer
    @exclusivity(unchecked) @usableFromInline var storedUsed: UInt32
    @exclusivity(unchecked) @usableFromInline var storedCapacity: UInt32
    @exclusivity(unchecked) @usableFromInline var storedWasted: UInt32 = 0

    /// Where the memory begins.
    @inlinable package var base: UnsafeMutableRawPointer {
        @inline(__always) get { self.storedBase }
        @inline(__always) set { self.storedBase = newValue }
    }

    /// The number of bytes in use, from `base`.
    @inlinable package var used: UInt32 {
        @inline(__always) get { self.storedUsed }
        @inline(__always) set { self.storedUsed = newValue }
    }

    /// The number of bytes there are, from `base`.
    @inlinable package var capacity: UInt32 {
        @inline(__always) get { self.storedCapacity }
        @inline(__always) set { self.storedCapacity = newValue }
    }

    /// The number of bytes in use that nothing refers to any more.
    @inlinable package var wasted: UInt32 {
        @inline(__always) get { self.storedWasted }
        @inline(__always) set { self.storedWasted = newValue }
    }

    /// Whether `deinit` frees the memory. A loan uses the memory of another block.
    private var ownsMemory: Bool

    /// The block whose memory this one borrows. It outlives the loan.
    private var lender: Unmanaged<Block>?

    /// The block that borrows the memory of this one just now.
    private var loan: Unmanaged<Block>?

    /// Where the root message of every block begins.
    @usableFromInline package static let rootOffset: UInt32 = 16

    /// How much waste makes it worth asking whether a block should be copied afresh.
    @usableFromInline package static let wasteWorthCopying: UInt32 = 4096

    /// The most that one tree may take.
    @inlinable package static var maximumBytes: UInt32 { 0xFFFF_FF00 }

    /// Makes an empty block with room for `capacity` bytes after the header.
    package init(capacity: Int) {
        let size = UInt32(clamping: capacity) &+ Self.rootOffset
        let rounded = Swift.min(Swift.max(size, 64), Self.maximumBytes)
        self.storedBase = .allocate(byteCount: Int(rounded), alignment: 16)
        self.storedCapacity = rounded
        self.storedUsed = Self.rootOffset
        self.ownsMemory = true
        memset(self.base, 0, Int(Self.rootOffset))
    }

    /// Copies the memory of another block.
    package init(copying other: Block) {
        self.storedBase = .allocate(byteCount: Int(other.used), alignment: 16)
        memcpy(self.storedBase, other.base, Int(other.used))
        self.storedCapacity = other.used
        self.storedUsed = other.used
        self.storedWasted = other.wasted
        self.ownsMemory = true
    }

    /// Borrows the memory of `lender` for the time of a nested change.
    init(borrowing lender: Block) {
        self.storedBase = lender.base
        self.storedUsed = lender.used
        self.storedCapacity = lender.capacity
        self.storedWasted = lender.wasted
        self.ownsMemory = false
    }

    deinit {
        if self.lender != nil {
            self.returnToLender()
        } else if self.ownsMemory {
            free(self.base)
        }
    }

    /// The block of every message that has not been written to: all zeros, never changed.
    @usableFromInline package static let zero: Block = {
        let block = Block(capacity: Block.largestMessage)
        memset(block.base, 0, Int(block.capacity))
        block.used = block.capacity
        return block
    }()

    /// The most that the fixed part of one message may take: what `zero` can stand in for.
    package static let largestMessage = 65_536
}

// MARK: - Allocation

extension Block {
    /// Adds `size` zeroed bytes and returns their offset, a multiple of 8.
    @inlinable @inline(__always)
    package func allocate(_ size: UInt32) -> UInt32 {
        let start = (self.used &+ 7) & ~7
        let (end, overflow) = start.addingReportingOverflow(size)
        if overflow || end > self.capacity { self.grow(to: start, adding: size) }
        (self.base + Int(start)).initializeMemory(as: UInt8.self, repeating: 0, count: Int(size))
        self.used = start &+ size
        return start
    }

    /// Adds `size` bytes with undefined content and returns their offset, of any alignment.
    @inlinable @inline(__always)
    package func allocateRaw(_ size: UInt32) -> UInt32 {
        let start = self.used
        let (end, overflow) = start.addingReportingOverflow(size)
        if overflow || end > self.capacity { self.grow(to: start, adding: size) }
        self.used = start &+ size
        return start
    }

    @inline(never) @usableFromInline
    func grow(to start: UInt32, adding size: UInt32) {
        let needed = UInt64(start) + UInt64(size)
        precondition(needed <= UInt64(Self.maximumBytes), "a message tree exceeds 4 GiB")
        let doubled = Swift.max(UInt64(self.capacity) * 2, needed + 64)
        let target = Int(Swift.min(doubled, UInt64(Self.maximumBytes)))
        guard let moved = realloc(self.base, target) else { fatalError("out of memory") }
        self.base = moved
        self.capacity = UInt32(target)
    }

    /// Gives the unused end of the memory back.
    package func trim() {
        guard self.ownsMemory, self.capacity - self.used > 256 else { return }
        if let smaller = realloc(self.base, Int(self.used)) {
            self.base = smaller
            self.capacity = self.used
        }
    }
}

// MARK: - Loans

extension Block {
    /// Lends the memory to a second block, so that a nested message can be changed in place while
    /// this block stays where it is.
    package func lend() -> Block {
        let loan = Block(borrowing: self)
        loan.lender = Unmanaged.passUnretained(self)
        self.loan = Unmanaged.passUnretained(loan)
        return loan
    }

    /// Takes the memory back from the loan, `returned` being the block that came back.
    ///
    /// Three things may have happened meanwhile. The loan was used and comes back alone: its state
    /// is taken over. Somebody kept a copy of the lent message: the copy keeps the memory as it
    /// stands, and this block goes on with a copy of its own, because memory that others can see
    /// is never written again. The lent message was replaced as a whole: its block is gone (and
    /// has written its state back), or lives on in a copy, which is the second case again.
    ///
    /// - Returns: whether `returned` was the loan.
    package func endLoan(_ returned: inout Block) -> Bool {
        let isLoan = self.loan.map {
            $0.toOpaque() == Unmanaged.passUnretained(returned).toOpaque()
        }
        if isLoan == true {
            let isAlone = isKnownUniquelyReferenced(&returned)
            self.takeBack(from: returned, keepingIt: !isAlone)
            self.loan = nil
            return true
        }
        Self.loanLock.withLock { _ in
            if let abandoned = self.loan {
                abandoned._withUnsafeGuaranteedRef { self.takeBack(from: $0, keepingIt: true) }
                self.loan = nil
            }
        }
        return false
    }

    private func takeBack(from loan: Block, keepingIt isKept: Bool) {
        loan.lender = nil
        self.used = loan.used
        self.wasted = loan.wasted
        guard isKept else {
            self.base = loan.base
            self.capacity = loan.capacity
            return
        }
        loan.ownsMemory = true
        self.base = .allocate(byteCount: Int(loan.used), alignment: 16)
        memcpy(self.base, loan.base, Int(loan.used))
        self.capacity = loan.used
    }

    /// Orders the end of an abandoned loan, on whatever thread it happens, against its lender.
    private static let loanLock = Mutex(())

    /// What `deinit` of a loan does: the memory goes back to its lender.
    private func returnToLender() {
        Self.loanLock.withLock { _ in
            guard let lender = self.lender else {
                if self.ownsMemory { free(self.base) }
                return
            }
            lender._withUnsafeGuaranteedRef {
                $0.base = self.base
                $0.used = self.used
                $0.capacity = self.capacity
                $0.wasted = self.wasted
                $0.loan = nil
            }
        }
    }
}
