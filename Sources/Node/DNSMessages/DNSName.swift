// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A domain name: its labels in lower case, the most specific first (RFC 1035 section 3.1).
public struct DNSName: Hashable, Sendable, CustomStringConvertible {
    public let labels: [String]

    /// The most bytes of a name on the wire, its end included.
    public static let maximumByteCount = 255
    /// The most bytes of a label.
    public static let maximumLabelByteCount = 63

    public init(labels: [String]) {
        self.labels = labels
    }

    /// Reads `web.default.svc.cluster.local`, with or without the last dot. Nothing is escaped.
    public init(_ text: String) {
        self.labels = text.split(separator: ".").map { $0.lowercased() }
    }

    public var description: String { self.labels.joined(separator: ".") + "." }

    /// Whether the name is `zone` or lies below it.
    public func isIn(_ zone: DNSName) -> Bool {
        self.labels.count >= zone.labels.count
            && self.labels.suffix(zone.labels.count).elementsEqual(zone.labels)
    }

    /// The labels in front of `zone`; nil when the name is not in it.
    public func labels(below zone: DNSName) -> ArraySlice<String>? {
        guard self.isIn(zone) else { return nil }
        return self.labels.dropLast(zone.labels.count)
    }

    /// Whether it can stand in a message.
    public var isEncodable: Bool {
        self.labels.allSatisfy { (1...Self.maximumLabelByteCount).contains($0.utf8.count) }
            && self.labels.reduce(1) { $0 + $1.utf8.count + 1 } <= Self.maximumByteCount
    }
}

/// The type of a record (RFC 1035 section 3.2.2, RFC 3596, RFC 2782).
public struct DNSType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    public static let a = DNSType(rawValue: 1)
    public static let ns = DNSType(rawValue: 2)
    public static let cname = DNSType(rawValue: 5)
    public static let soa = DNSType(rawValue: 6)
    public static let ptr = DNSType(rawValue: 12)
    public static let txt = DNSType(rawValue: 16)
    public static let aaaa = DNSType(rawValue: 28)
    public static let srv = DNSType(rawValue: 33)
    public static let opt = DNSType(rawValue: 41)
    public static let any = DNSType(rawValue: 255)
}

/// The code of an answer (RFC 1035 section 4.1.1, RFC 6891).
public enum DNSResponseCode: UInt16, Sendable {
    case noError = 0
    case formatError = 1
    case serverFailure = 2
    case nameError = 3
    case notImplemented = 4
    case refused = 5
    /// Only together with an OPT record.
    case badVersion = 16
}
