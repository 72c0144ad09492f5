// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import DNSMessages

/// Answers of other servers, kept as long as their records say.
///
/// A pure value; the time is a parameter, in seconds of a clock that never goes back.
struct AnswerCache {
    struct Key: Hashable {
        var name: DNSName
        var type: DNSType
        var recordClass: UInt16
        var dnssecOK: Bool
    }

    private struct Entry {
        var message: [UInt8]
        var storedAt: Int64
        var expiresAt: Int64
    }

    /// The most answers that are kept; CoreDNS' default.
    static let maximumEntries = 9984
    /// The longest time that an answer is kept, whatever it says.
    static let longestSeconds: UInt32 = 3600
    /// The longest time that it is kept that a name is not there.
    static let longestNegativeSeconds: UInt32 = 30

    private var entries: [Key: Entry] = [:]
    private var order: [Key] = []

    var count: Int { self.entries.count }

    /// A kept answer with the id of the question and what is left of its time.
    func answer(_ key: Key, id: UInt16, now: Int64) -> [UInt8]? {
        guard let entry = self.entries[key], now < entry.expiresAt else { return nil }
        var message = entry.message
        message[0] = UInt8(id >> 8)
        message[1] = UInt8(id & 0xFF)
        ForwardedAnswer.age(&message, seconds: UInt32(clamping: now - entry.storedAt))
        return message
    }

    mutating func store(_ message: [UInt8], _ key: Key, now: Int64) {
        guard let seconds = ForwardedAnswer.lifetime(of: message), seconds > 0 else { return }
        let limit =
            ForwardedAnswer.isPositive(message) ? Self.longestSeconds : Self.longestNegativeSeconds
        if self.entries[key] == nil { self.order.append(key) }
        self.entries[key] = Entry(
            message: message,
            storedAt: now,
            expiresAt: now + Int64(min(seconds, limit))
        )
        // The oldest goes first; dropped in larger steps, so that each costs little.
        if self.order.count > Self.maximumEntries {
            let gone = self.order.prefix(Self.maximumEntries / 8)
            for key in gone { self.entries[key] = nil }
            self.order.removeFirst(gone.count)
        }
    }
}

/// Looks into answers of other servers without taking them apart.
enum ForwardedAnswer {
    /// Whether it has records and no error.
    static func isPositive(_ message: [UInt8]) -> Bool {
        message.count >= 12 && message[3] & 0xF == 0 && (message[6] != 0 || message[7] != 0)
    }

    /// The name of its code.
    static func codeName(_ message: [UInt8]) -> String {
        let code = message.count > 3 ? message[3] & 0xF : 0
        return DNSMetrics.codes[code] ?? "RCODE\(code)"
    }

    /// Whether it was cut short.
    static func isTruncated(_ message: [UInt8]) -> Bool {
        message.count >= 12 && message[2] & 0x02 != 0
    }

    /// The least time to live of its records in seconds; nil for one that is malformed, cut short,
    /// or says that the server failed.
    static func lifetime(of message: [UInt8]) -> UInt32? {
        guard message.count >= 12, !self.isTruncated(message), [0, 3].contains(message[3] & 0xF)
        else {
            return nil
        }
        var least: UInt32?
        let isWhole = self.forEachLifetime(message) { value, _ in
            least = min(least ?? value, value)
        }
        return isWhole ? least : nil
    }

    /// Takes seconds off the times to live.
    static func age(_ message: inout [UInt8], seconds: UInt32) {
        var places: [(Int, UInt32)] = []
        _ = self.forEachLifetime(message) { value, offset in
            places.append((offset, value > seconds ? value - seconds : 0))
        }
        for (offset, value) in places {
            for index in 0..<4 {
                message[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index))
            }
        }
    }

    /// Calls `body` with each record's time to live and its place; false when the message is
    /// malformed.
    private static func forEachLifetime(
        _ message: [UInt8],
        _ body: (UInt32, Int) -> Void
    ) -> Bool {
        guard message.count >= 12 else { return false }
        func number(_ at: Int) -> Int { Int(message[at]) << 8 | Int(message[at + 1]) }
        var at = 12
        for _ in 0..<number(4) {
            guard let end = self.nameEnd(message, at), end + 4 <= message.count else {
                return false
            }
            at = end + 4
        }
        for _ in 0..<(number(6) + number(8) + number(10)) {
            guard let end = self.nameEnd(message, at), end + 10 <= message.count else {
                return false
            }
            if number(end) != Int(DNSType.opt.rawValue) {
                body(UInt32(number(end + 4)) << 16 | UInt32(number(end + 6)), end + 4)
            }
            at = end + 10 + number(end + 8)
            guard at <= message.count else { return false }
        }
        return true
    }

    /// Where a name ends: behind its last label, or behind a pointer.
    private static func nameEnd(_ message: [UInt8], _ start: Int) -> Int? {
        var at = start
        while at < message.count {
            let length = Int(message[at])
            if length == 0 { return at + 1 }
            if length & 0xC0 == 0xC0 { return at + 2 <= message.count ? at + 2 : nil }
            guard length <= DNSName.maximumLabelByteCount else { return nil }
            at += length + 1
        }
        return nil
    }
}
