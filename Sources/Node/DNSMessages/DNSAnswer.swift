// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What a server answers, before it becomes a message.
public struct DNSAnswer: Hashable, Sendable {
    public var code: DNSResponseCode
    public var isAuthoritative = true
    public var records: [DNSRecord] = []
    /// Who says that there is nothing: an SOA record.
    public var authorities: [DNSRecord] = []
    /// What the asker will want to know next.
    public var additionals: [DNSRecord] = []

    public init(_ code: DNSResponseCode, records: [DNSRecord] = []) {
        self.code = code
        self.records = records
    }

    /// The largest UDP message that is sent: what passes every network without fragments
    /// (DNS flag day 2020).
    public static let maximumPayloadBytes = 1232

    /// The message.
    ///
    /// - Parameter limit: the most bytes. Records that do not fit are left out and the answer says
    ///   so (TC), upon which askers come again over TCP.
    public func message(to query: DNSQuery, limit: Int) -> [UInt8] {
        let reserved = query.extensions == nil ? 0 : 11
        var writer = DNSWriter()
        writer.append(query.id)
        writer.append(UInt16(0))
        for count in [UInt16(1), 0, 0, 0] { writer.append(count) }
        writer.bytes += query.question
        var counts = [0, 0, 0]
        var isTruncated = false
        for (section, records) in [self.records, self.authorities, self.additionals].enumerated() {
            for record in records where !isTruncated {
                let start = writer.bytes.count
                writer.append(record, question: query.name)
                if writer.bytes.count + reserved > limit {
                    writer.bytes.removeSubrange(start...)
                    // What is only helpful may be missing without a word.
                    isTruncated = section < 2
                    break
                }
                counts[section] += 1
            }
        }
        if query.extensions != nil {
            writer.appendExtensions(payload: Self.maximumPayloadBytes, code: self.code)
            counts[2] += 1
        }
        var flags: UInt16 = 0x8000 | (self.code.rawValue & 0xF)
        if self.isAuthoritative { flags |= 0x0400 }
        if isTruncated { flags |= 0x0200 }
        if query.recursionDesired { flags |= 0x0100 }
        flags |= 0x0080
        writer.set(flags, at: 2)
        for (section, count) in counts.enumerated() {
            writer.set(UInt16(count), at: 6 + section * 2)
        }
        return writer.bytes
    }

    /// The shortest message that says what is wrong with one that could not be read.
    public static func failure(_ code: DNSResponseCode, id: UInt16) -> [UInt8] {
        var writer = DNSWriter()
        writer.append(id)
        writer.append(0x8000 | (code.rawValue & 0xF))
        for _ in 0..<4 { writer.append(UInt16(0)) }
        return writer.bytes
    }
}

/// A record of the Internet class.
public struct DNSRecord: Hashable, Sendable {
    public var name: DNSName
    public var timeToLive: UInt32
    public var data: Data

    public init(_ name: DNSName, _ data: Data, timeToLive: UInt32) {
        self.name = name
        self.timeToLive = timeToLive
        self.data = data
    }

    public enum Data: Hashable, Sendable {
        /// Four bytes.
        case a([UInt8])
        /// Sixteen bytes.
        case aaaa([UInt8])
        case cname(DNSName)
        case ptr(DNSName)
        case ns(DNSName)
        case txt(String)
        case srv(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName)
        case soa(primary: DNSName, mailbox: DNSName, serial: UInt32, minimum: UInt32)

        public var type: DNSType {
            switch self {
            case .a: .a
            case .aaaa: .aaaa
            case .cname: .cname
            case .ptr: .ptr
            case .ns: .ns
            case .txt: .txt
            case .srv: .srv
            case .soa: .soa
            }
        }
    }
}

/// Builds a message.
private struct DNSWriter {
    var bytes: [UInt8] = []

    /// Where the name of the question begins.
    private static let questionPointer: UInt16 = 0xC00C

    mutating func append(_ value: UInt16) {
        self.bytes.append(UInt8(value >> 8))
        self.bytes.append(UInt8(value & 0xFF))
    }

    mutating func append(_ value: UInt32) {
        self.append(UInt16(value >> 16))
        self.append(UInt16(value & 0xFFFF))
    }

    mutating func set(_ value: UInt16, at offset: Int) {
        self.bytes[offset] = UInt8(value >> 8)
        self.bytes[offset + 1] = UInt8(value & 0xFF)
    }

    mutating func append(_ name: DNSName) {
        for label in name.labels {
            self.bytes.append(UInt8(truncatingIfNeeded: label.utf8.count))
            self.bytes += label.utf8
        }
        self.bytes.append(0)
    }

    mutating func append(_ record: DNSRecord, question: DNSName) {
        if record.name == question {
            self.append(Self.questionPointer)
        } else {
            self.append(record.name)
        }
        self.append(record.data.type.rawValue)
        self.append(DNSQuery.internet)
        self.append(record.timeToLive)
        let length = self.bytes.count
        self.append(UInt16(0))
        switch record.data {
        case .a(let address), .aaaa(let address): self.bytes += address
        case .cname(let name), .ptr(let name), .ns(let name): self.append(name)
        case .txt(let text):
            let bytes = Array(text.utf8.prefix(255))
            self.bytes.append(UInt8(bytes.count))
            self.bytes += bytes
        case .srv(let priority, let weight, let port, let target):
            self.append(priority)
            self.append(weight)
            self.append(port)
            self.append(target)
        case .soa(let primary, let mailbox, let serial, let minimum):
            self.append(primary)
            self.append(mailbox)
            self.append(serial)
            for value in [UInt32(7200), 1800, 86_400, minimum] { self.append(value) }
        }
        self.set(UInt16(truncatingIfNeeded: self.bytes.count - length - 2), at: length)
    }

    /// The OPT record (RFC 6891 section 6.1.2).
    mutating func appendExtensions(payload: Int, code: DNSResponseCode) {
        self.bytes.append(0)
        self.append(DNSType.opt.rawValue)
        self.append(UInt16(payload))
        self.append(UInt32(code.rawValue >> 4) << 24)
        self.append(UInt16(0))
    }
}
