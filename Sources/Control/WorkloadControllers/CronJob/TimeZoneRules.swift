// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// The offsets of a time zone from UTC, from the system's time zone database.
///
/// Source: RFC 9636 (TZif), version 1 to 4 files; the 64-bit block where there is one.
package struct TimeZoneRules: Sendable {
    private struct Transition {
        var at: Int64
        var offset: Int
    }

    /// The largest file that is read; real ones have a few kilobytes.
    private static let maximumBytes = 1 << 20

    private let first: Int
    private let transitions: [Transition]

    package static let utc = TimeZoneRules(first: 0, transitions: [])

    private init(first: Int, transitions: [Transition]) {
        self.first = first
        self.transitions = transitions
    }

    /// The zone of a name such as `Europe/Berlin`; nil when the system has none.
    package init?(named name: String) {
        if name == "UTC" || name == "Etc/UTC" {
            self = .utc
            return
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.isEmpty, !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }),
            let bytes = Self.read("/usr/share/zoneinfo/\(name)")
        else { return nil }
        self.init(bytes)
    }

    /// Reads the content of a TZif file.
    package init?(_ bytes: [UInt8]) {
        guard let block = Block(bytes, at: 0, timeBytes: 4) else { return nil }
        let isNew = bytes.count > 4 && bytes[4] >= UInt8(ascii: "2")
        let used = isNew ? Block(bytes, at: block.end, timeBytes: 8) ?? block : block
        self.init(first: used.firstOffset, transitions: used.transitions)
    }

    /// Seconds to add to UTC at a time.
    package func offset(at seconds: Int64) -> Int {
        var low = 0
        var high = self.transitions.count
        while low < high {
            let middle = (low + high) / 2
            if self.transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? self.first : self.transitions[low - 1].offset
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while content.count <= Self.maximumBytes {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { return content }
            content.append(contentsOf: buffer[..<count])
        }
        return nil
    }

    /// A header with its data.
    private struct Block {
        var transitions: [Transition] = []
        var firstOffset = 0
        var end: Int

        init?(_ bytes: [UInt8], at start: Int, timeBytes: Int) {
            func number(_ offset: Int, _ count: Int) -> Int64? {
                guard offset >= 0, offset + count <= bytes.count else { return nil }
                var value: UInt64 = 0
                for byte in bytes[offset..<offset + count] { value = value << 8 | UInt64(byte) }
                let shift = UInt64(64 - count * 8)
                return Int64(bitPattern: value << shift) >> Int64(shift)
            }
            let magic = Array("TZif".utf8)
            guard start + 44 <= bytes.count, Array(bytes[start..<start + 4]) == magic else {
                return nil
            }
            var counts: [Int] = []
            for index in 0..<6 {
                guard let count = number(start + 20 + index * 4, 4), count >= 0 else { return nil }
                counts.append(Int(count))
            }
            let (times, types, letters) = (counts[3], counts[4], counts[5])
            guard types > 0, times <= bytes.count else { return nil }
            let timesAt = start + 44
            let indexesAt = timesAt + times * timeBytes
            let typesAt = indexesAt + times
            func offset(_ type: Int) -> Int? { number(typesAt + type * 6, 4).map { Int($0) } }
            guard let first = offset(0) else { return nil }
            self.firstOffset = first
            for index in 0..<times {
                guard let at = number(timesAt + index * timeBytes, timeBytes),
                    indexesAt + index < bytes.count,
                    let value = offset(Int(bytes[indexesAt + index]))
                else { return nil }
                self.transitions.append(Transition(at: at, offset: value))
            }
            self.end =
                typesAt + types * 6 + letters + counts[2] * (timeBytes + 4) + counts[1] + counts[0]
        }
    }
}
