// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Names that the compiler derives from field names.
enum FieldNaming {
    /// The JSON name of a field: underscores go, the letter behind one becomes upper case.
    static func jsonName(_ name: String) -> String {
        self.camelCase(name, startsUpper: false)
    }

    /// The name of the entry message of a map field.
    static func mapEntryName(_ name: String) -> String {
        self.camelCase(name, startsUpper: true) + "Entry"
    }

    /// An enum value's name without the enum's name in front, in camel case.
    ///
    /// Values of one enum that only differ otherwise would collide in languages that drop the prefix.
    static func shortValueName(_ name: String, inEnum enumName: String) -> String {
        let prefix = Array(enumName.utf8.filter { $0 != UInt8(ascii: "_") }.map(self.lowercased))
        var rest = Array(name.utf8)[...]
        var matched = 0
        while matched < prefix.count, let byte = rest.first {
            if byte != UInt8(ascii: "_") {
                guard self.lowercased(byte) == prefix[matched] else { break }
                matched += 1
            }
            rest.removeFirst()
        }
        var short = Array(name.utf8)[...]
        if matched == prefix.count {
            let trimmed = rest.drop { $0 == UInt8(ascii: "_") }
            if !trimmed.isEmpty { short = trimmed }
        }
        return self.camelCase(
            String(decoding: short.map(self.lowercased), as: UTF8.self),
            startsUpper: true,
        )
    }

    /// ASCII lower case.
    static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.map(self.lowercased), as: UTF8.self)
    }

    private static func camelCase(_ name: String, startsUpper: Bool) -> String {
        var result: [UInt8] = []
        var isUpperNext = startsUpper
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                isUpperNext = true
            } else {
                result.append(isUpperNext ? self.uppercased(byte) : byte)
                isUpperNext = false
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 0x20 : byte
    }

    private static func uppercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte - 0x20 : byte
    }
}
