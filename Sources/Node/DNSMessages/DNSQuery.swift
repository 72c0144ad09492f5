// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A question to a server, read from a message.
public struct DNSQuery: Hashable, Sendable {
    public var id: UInt16
    public var recursionDesired: Bool
    public var name: DNSName
    public var type: DNSType
    public var recordClass: UInt16
    /// The bytes of the question as they came, whose spelling the answer repeats.
    public var question: [UInt8]
    /// What the OPT record says; nil without one (RFC 6891).
    public var extensions: Extensions?

    public struct Extensions: Hashable, Sendable {
        /// The largest UDP message that the asker takes.
        public var payloadBytes: UInt16
        public var version: UInt8
        /// The asker understands DNSSEC.
        public var dnssecOK: Bool
    }

    /// The class of the Internet.
    public static let internet: UInt16 = 1
    /// The largest UDP message without an OPT record.
    public static let plainPayloadBytes = 512

    /// Why a message is no question that can be answered.
    public enum Failure: Error, Hashable, Sendable {
        /// Too short for an id, or itself an answer: there is nobody to answer to.
        case silent
        /// Malformed; the id to answer with.
        case malformed(id: UInt16)
        /// Another operation than a query.
        case notImplemented(id: UInt16)
    }

    /// Reads a message. Names in a question may not be compressed.
    public init(parsing message: some Collection<UInt8>) throws(Failure) {
        var reader = DNSReader(message)
        guard let id = reader.uint16(), let flags = reader.uint16() else { throw .silent }
        guard flags & 0x8000 == 0 else { throw .silent }
        guard flags & 0x7800 == 0 else { throw .notImplemented(id: id) }
        guard let questions = reader.uint16(), let answers = reader.uint16(),
            let authorities = reader.uint16(), let additionals = reader.uint16(),
            questions == 1, answers == 0, authorities == 0
        else { throw .malformed(id: id) }
        let start = reader.position
        guard let name = reader.name(), let type = reader.uint16(),
            let recordClass = reader.uint16()
        else { throw .malformed(id: id) }
        self.id = id
        self.recursionDesired = flags & 0x0100 != 0
        self.name = name
        self.type = DNSType(rawValue: type)
        self.recordClass = recordClass
        self.question = reader.bytes(from: start)
        for _ in 0..<additionals {
            guard let owner = reader.name(), let type = reader.uint16(),
                let payload = reader.uint16(), let high = reader.uint16(),
                let low = reader.uint16(),
                let length = reader.uint16(), reader.skip(Int(length))
            else { throw .malformed(id: id) }
            guard DNSType(rawValue: type) == .opt else { continue }
            // There is one at most, at the root.
            guard self.extensions == nil, owner.labels.isEmpty else { throw .malformed(id: id) }
            self.extensions = Extensions(
                payloadBytes: payload,
                version: UInt8(high & 0xFF),
                dnssecOK: low & 0x8000 != 0
            )
        }
    }

    /// The largest UDP message that the asker takes, at most `limit`.
    public func payloadLimit(_ limit: Int) -> Int {
        guard let extensions = self.extensions else { return Self.plainPayloadBytes }
        return min(max(Int(extensions.payloadBytes), Self.plainPayloadBytes), limit)
    }
}

/// Reads a message from its start; every method answers nil behind the end.
struct DNSReader {
    private let message: [UInt8]
    private(set) var position = 0

    init(_ message: some Collection<UInt8>) {
        self.message = Array(message)
    }

    func bytes(from start: Int) -> [UInt8] { Array(self.message[start..<self.position]) }

    mutating func skip(_ count: Int) -> Bool {
        guard self.message.count - self.position >= count else { return false }
        self.position += count
        return true
    }

    mutating func uint16() -> UInt16? {
        guard self.message.count - self.position >= 2 else { return nil }
        defer { self.position += 2 }
        return UInt16(self.message[self.position]) << 8 | UInt16(self.message[self.position + 1])
    }

    /// A name without compression.
    mutating func name() -> DNSName? {
        var labels: [String] = []
        var byteCount = 1
        while self.position < self.message.count {
            let length = Int(self.message[self.position])
            self.position += 1
            if length == 0 { return DNSName(labels: labels) }
            byteCount += length + 1
            guard length <= DNSName.maximumLabelByteCount, byteCount <= DNSName.maximumByteCount,
                self.message.count - self.position >= length
            else { return nil }
            let label = self.message[self.position..<(self.position + length)].map { byte in
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
            }
            labels.append(String(decoding: label, as: UTF8.self))
            self.position += length
        }
        return nil
    }
}
