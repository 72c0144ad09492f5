// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NodeHost

/// Since when images are there, and when each was used last.
struct ImageAges: Sendable {
    struct Image: Sendable, Equatable {
        var id: String
        var bytes: Int64
        /// Whether a container, running or not, was made from it.
        var isUsed = false
        /// Whether it is never to be removed.
        var isPinned = false
    }

    private struct Record: Sendable {
        /// Nanoseconds on a clock that never goes back.
        var firstSeen: Int64
        var lastUsed: Int64
    }

    private var records: [String: Record] = [:]

    /// Notes what there is; forgets what is gone.
    mutating func note(_ images: [Image], now: Int64) {
        var records: [String: Record] = [:]
        for image in images {
            // An image that nobody has used yet counts as never used: it goes before others.
            var record = self.records[image.id] ?? Record(firstSeen: now, lastUsed: 0)
            if image.isUsed { record.lastUsed = now }
            records[image.id] = record
        }
        self.records = records
    }

    /// Images that may go, those that were not used for longest first.
    func removable(_ images: [Image], now: Int64, minimumAge: Duration) -> [Image] {
        let age = minimumAge.components.seconds * 1_000_000_000
        var rows: [(image: Image, record: Record)] = []
        for image in images where !image.isUsed && !image.isPinned {
            guard let record = self.records[image.id], now - record.firstSeen >= age else {
                continue
            }
            rows.append((image, record))
        }
        return rows.sorted {
            ($0.record.lastUsed, $0.record.firstSeen, $0.image.id)
                < ($1.record.lastUsed, $1.record.firstSeen, $1.image.id)
        }.map(\.image)
    }

    /// How many bytes are to be removed; nil when the disk is not too full.
    ///
    /// - Parameters:
    ///   - high: per cent in use at which removing begins.
    ///   - low: per cent in use that it aims at.
    static func excess(_ disk: FileSystemUse, high: Int, low: Int) -> Int64? {
        let capacity = Int64(clamping: disk.capacityBytes)
        let available = min(Int64(clamping: disk.availableBytes), capacity)
        guard capacity > 0, high < 100 else { return nil }
        let used = 100 - Int(Double(available) / Double(capacity) * 100)
        guard used >= high else { return nil }
        return capacity / 100 * Int64(100 - low) - available
    }
}
