// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes

/// The frames that are durable in the log and not yet in the table, oldest first.
///
/// Their records are read from here.
struct Tail {
    /// A record in a frame's memory.
    struct Item {
        var revision: Revision
        var offset: UInt32
        var count: UInt32
        /// The number of the frame, counted from the first ever.
        var frame: Int
    }

    /// A frame that waits to be applied.
    struct PendingFrame {
        var storage: FrameStorage
        var header: Frame.Header
        /// Behind its last record, counted from the first ever.
        var endItem: Int
    }

    private var items: ContiguousArray<Item> = []
    private var frames: ContiguousArray<PendingFrame> = []
    /// How many of `items` and `frames` at the front are used up.
    private var usedItems = 0
    private var usedFrames = 0
    /// How many were ever removed from the arrays' fronts.
    private var itemBase = 0
    private var frameBase = 0
    /// The bytes of all frames.
    private(set) var bytes = 0

    /// The number of frames.
    var frameCount: Int { self.frames.count - self.usedFrames }

    /// The end of all items, counted from the first ever.
    var endItem: Int { self.itemBase + self.items.count }

    mutating func append(_ finished: FrameBuilder.Finished) {
        let frame = self.frameBase + self.frames.count
        for place in finished.records {
            self.items.append(
                Item(
                    revision: place.revision,
                    offset: UInt32(place.offset),
                    count: UInt32(place.count),
                    frame: frame
                )
            )
        }
        self.bytes += finished.storage.count
        self.frames.append(
            PendingFrame(
                storage: finished.storage,
                header: finished.header,
                endItem: self.endItem
            )
        )
    }

    /// The record of `revision`, sharing the frame's memory.
    func record(_ revision: Revision) -> Bytes? {
        var low = self.usedItems
        var high = self.items.count
        while low < high {
            let middle = (low + high) / 2
            let item = self.items[middle]
            if item.revision == revision { return self.bytes(of: item) }
            if item.revision < revision { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    private func bytes(of item: Item) -> Bytes {
        let storage = self.frames[item.frame - self.frameBase].storage
        return Bytes(
            start: UnsafeRawPointer(storage.base) + Int(item.offset),
            count: Int(item.count),
            owner: storage
        )
    }

    /// The record `number`, counted from the first ever; it must be there.
    func item(_ number: Int) -> (revision: Revision, record: Bytes) {
        let item = self.items[number - self.itemBase]
        return (item.revision, self.bytes(of: item))
    }

    /// The first record of `main` or later, counted from the first ever.
    func firstItem(from main: Int64) -> Int {
        var low = self.usedItems
        var high = self.items.count
        while low < high {
            let middle = (low + high) / 2
            if self.items[middle].revision.main < main { low = middle + 1 } else { high = middle }
        }
        return self.itemBase + low
    }

    /// The oldest frames, up to about `maximumBytes` of them, at least one if there is any.
    func oldest(maximumBytes: Int) -> ArraySlice<PendingFrame> {
        var end = self.usedFrames
        var total = 0
        while end < self.frames.count, end == self.usedFrames || total < maximumBytes {
            total += self.frames[end].storage.count
            end += 1
        }
        return ArraySlice(self.frames[self.usedFrames..<end])
    }

    /// Drops the `number` oldest frames.
    mutating func removeOldest(_ number: Int) {
        for _ in 0..<number {
            let frame = self.frames[self.usedFrames]
            self.bytes -= frame.storage.count
            self.usedItems = frame.endItem - self.itemBase
            self.usedFrames += 1
        }
        // Fronts are cut off only when they are the greater part, so that it costs little per frame.
        if self.usedFrames * 2 >= self.frames.count {
            self.frameBase += self.usedFrames
            self.frames.removeFirst(self.usedFrames)
            self.usedFrames = 0
            self.itemBase += self.usedItems
            self.items.removeFirst(self.usedItems)
            self.usedItems = 0
        }
    }
}
