// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import DNSMessages

/// Answers from the zone as whole messages, for questions that were asked before: most questions of a
/// cluster are the same few.
///
/// An answer is kept until anything of the cluster changes. Only short ones are, which fit whatever the
/// asker takes. Not for use by two threads at once.
struct ReadyAnswers {
    /// The most answers that are kept; when there are more, all are forgotten.
    static let maximumEntries = 8192

    private struct Entry {
        /// The question in lower case: name, type and class.
        var question: [UInt8]
        var hasExtensions: Bool
        /// The answer with the id 0.
        var message: [UInt8]
    }

    /// By hash; of several questions with the same hash the last.
    private var entries: [UInt64: Entry] = [:]
    private var generation: UInt64 = 0

    var count: Int { self.entries.count }

    /// What a message asks, as far as it is a question of the usual form.
    struct Question {
        /// How many bytes the question has, behind the header.
        var byteCount: Int
        var type: DNSType
        var hasExtensions: Bool
        fileprivate var hash: UInt64
    }

    private static let headerBytes = 12

    /// Looks at a message; nil for one of another form, which is for those who read it with care.
    static func question(_ message: UnsafeRawBufferPointer) -> Question? {
        guard message.count >= Self.headerBytes + 5 else { return nil }
        // A query with one question and at most one additional record.
        guard message[2] & 0xFE == 0, message[3] & 0x80 == 0, message[4] == 0, message[5] == 1,
            message[6] | message[7] | message[8] | message[9] | message[10] == 0,
            message[11] <= 1
        else { return nil }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var position = Self.headerBytes
        while true {
            guard position < message.count else { return nil }
            let length = Int(message[position])
            guard length <= DNSName.maximumLabelByteCount,
                position + length + 5 <= message.count,
                position - Self.headerBytes + length < DNSName.maximumByteCount
            else { return nil }
            for index in position...(position + length) {
                hash = (hash ^ UInt64(Self.lower(message[index]))) &* 0x100_0000_01b3
            }
            position += length + 1
            if length == 0 { break }
        }
        let type = UInt16(message[position]) << 8 | UInt16(message[position + 1])
        guard message[position + 2] == 0, message[position + 3] == 1 else { return nil }
        position += 4
        if message[11] == 1 {
            // OPT at the root, of version 0, with the rest of the message as its data.
            guard message.count >= position + 11, message[position] == 0,
                message[position + 1] == 0, message[position + 2] == 41,
                message[position + 6] == 0
            else { return nil }
            let length = Int(message[position + 9]) << 8 | Int(message[position + 10])
            guard message.count == position + 11 + length else { return nil }
        }
        hash = (hash ^ UInt64(type)) &* 0x100_0000_01b3
        hash = (hash ^ UInt64(message[11])) &* 0x100_0000_01b3
        return Question(
            byteCount: position - Self.headerBytes,
            type: DNSType(rawValue: type),
            hasExtensions: message[11] == 1,
            hash: hash
        )
    }

    /// The kept answer with the id and the spelling of the question; nil when there is none.
    ///
    /// - Parameter generation: of what the cluster has now.
    mutating func answer(
        _ message: UnsafeRawBufferPointer,
        _ question: Question,
        generation: UInt64
    ) -> [UInt8]? {
        if generation != self.generation {
            self.entries.removeAll(keepingCapacity: true)
            self.generation = generation
            return nil
        }
        guard let entry = self.entries[question.hash],
            entry.hasExtensions == question.hasExtensions,
            entry.question.count == question.byteCount
        else { return nil }
        for index in 0..<question.byteCount {
            guard entry.question[index] == Self.lower(message[Self.headerBytes + index]) else {
                return nil
            }
        }
        var answer = entry.message
        answer.withUnsafeMutableBytes { answer in
            answer[0] = message[0]
            answer[1] = message[1]
            // Whether recursion is desired.
            answer[2] = answer[2] & 0xFE | message[2] & 1
            for index in Self.headerBytes..<(Self.headerBytes + question.byteCount) {
                answer[index] = message[index]
            }
        }
        return answer
    }

    /// Keeps an answer.
    ///
    /// - Parameter generation: of what the cluster had before the answer was made.
    mutating func store(
        _ answer: [UInt8],
        _ message: UnsafeRawBufferPointer,
        _ question: Question,
        generation: UInt64
    ) {
        guard generation == self.generation, answer.count <= DNSQuery.plainPayloadBytes,
            answer.count >= Self.headerBytes + question.byteCount
        else { return }
        if self.entries.count >= Self.maximumEntries {
            self.entries.removeAll(keepingCapacity: true)
        }
        let range = Self.headerBytes..<(Self.headerBytes + question.byteCount)
        self.entries[question.hash] = Entry(
            question: message[range].map(Self.lower),
            hasExtensions: question.hasExtensions,
            message: answer
        )
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }
}
