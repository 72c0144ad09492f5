// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One clause of an Accept field: a media range, its weight and its parameters.
///
/// Source: RFC 9110 section 12.5.1, read as leniently as upstream does (munnerz/goautoneg).
struct AcceptClause {
    /// The most clauses that are looked at; further ones are ignored.
    static let maximumCount = 64

    /// The most parameters of a clause that are looked at.
    static let maximumParameters = 32

    var type: String
    var subtype: String
    var weight: Float = 1
    var parameters: [(name: String, value: String)] = []

    /// The clauses of an Accept field, the preferred first. Clauses that are no media range are
    /// left out.
    ///
    /// - Complexity: linear in the length of the field, the number of clauses being bounded.
    static func clauses(_ header: String) -> [AcceptClause] {
        var clauses: [AcceptClause] = []
        let bytes = Array(header.utf8)
        var rest = bytes[...]
        while !rest.isEmpty, clauses.count < self.maximumCount {
            let part = self.next(&rest, UInt8(ascii: ","))
            if let clause = AcceptClause(parsing: self.trimmed(part)) { clauses.append(clause) }
        }
        self.sort(&clauses)
        return clauses
    }

    private init?(parsing bytes: ArraySlice<UInt8>) {
        var rest = bytes
        var range = Self.next(&rest, UInt8(ascii: ";"))
        self.type = Self.text(Self.next(&range, UInt8(ascii: "/")))
        if range.isEmpty {
            guard self.type == "*" else { return nil }
            self.subtype = "*"
        } else {
            self.subtype = Self.text(Self.next(&range, UInt8(ascii: "/")))
            guard range.isEmpty else { return nil }
        }
        while !rest.isEmpty, self.parameters.count < Self.maximumParameters {
            self.readParameter(Self.next(&rest, UInt8(ascii: ";")))
        }
    }

    private mutating func readParameter(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        let name = Self.text(Self.next(&rest, UInt8(ascii: "=")))
        guard !rest.isEmpty else { return }
        let value = Self.next(&rest, UInt8(ascii: "="))
        guard rest.isEmpty else { return }
        if name == "q" {
            self.weight = Self.weight(String(decoding: value, as: UTF8.self))
        } else {
            self.parameters.append((name, Self.text(value)))
        }
    }

    /// The number that a weight states, 0 when it is none.
    ///
    /// Upstream takes whatever Go reads as a floating point number, also above 1. Swift reads a
    /// little more, which is kept out by the letters.
    private static func weight(_ text: String) -> Float {
        let isHexadecimal = text.utf8.contains {
            $0 == UInt8(ascii: "p") || $0 == UInt8(ascii: "P")
        }
        let isNumber = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "+"),
                UInt8(ascii: "-"), UInt8(ascii: "e"), UInt8(ascii: "E"):
                true
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
                UInt8(ascii: "x"), UInt8(ascii: "X"), UInt8(ascii: "p"), UInt8(ascii: "P"):
                isHexadecimal
            default:
                false
            }
        }
        if isNumber { return Float(text) ?? 0 }
        switch text.lowercased() {
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        case "nan": return .nan
        default: return 0
        }
    }

    /// The bytes up to the separator, which is dropped from what follows.
    private static func next(
        _ bytes: inout ArraySlice<UInt8>,
        _ separator: UInt8
    ) -> ArraySlice<UInt8> {
        var end = bytes.startIndex
        while end < bytes.endIndex, bytes[end] != separator { end += 1 }
        let part = bytes[..<end]
        bytes = bytes[min(end + 1, bytes.endIndex)...]
        return part
    }

    /// The bytes without the spaces around them.
    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var start = bytes.startIndex
        var end = bytes.endIndex
        while start < end, bytes[start] == 0x20 { start += 1 }
        while start < end, bytes[end - 1] == 0x20 { end -= 1 }
        return bytes[start..<end]
    }

    /// The text without the spaces around it.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: self.trimmed(bytes), as: UTF8.self)
    }

    /// Upstream's order. It is no ordering in the mathematical sense (a narrow range comes before a
    /// wider one whatever its weight), so that the way of sorting is part of it: insertion, as Go
    /// does for up to twelve clauses.
    private static func sort(_ clauses: inout [AcceptClause]) {
        guard clauses.count > 1 else { return }
        for end in 1..<clauses.count {
            var place = end
            while place > 0, clauses[place].precedes(clauses[place - 1]) {
                clauses.swapAt(place, place - 1)
                place -= 1
            }
        }
    }

    private func precedes(_ other: AcceptClause) -> Bool {
        if self.weight > other.weight { return true }
        if self.type != "*" && other.type == "*" { return true }
        return self.subtype != "*" && other.subtype == "*"
    }

    /// Whether the range covers the media type.
    func covers(_ type: MediaType) -> Bool {
        if self.type == "*" { return self.subtype == "*" }
        return self.type == type.type && (self.subtype == "*" || self.subtype == type.subtype)
    }
}
