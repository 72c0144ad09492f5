// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Reads an archive in the POSIX `ustar` format, with pax and GNU names.
package struct TarReader: Sendable {
    package struct Entry: Sendable {
        package var name: String
        package var type: UInt8
        package var linkTarget: String
        /// Where its content lies in the archive.
        package var content: Range<Int>
    }

    /// An archive that is none, or is cut off.
    package struct Malformed: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The most entries that are read.
    package static let entryLimit = 100_000

    /// The entries of an archive, in order.
    package static func entries(_ bytes: [UInt8]) throws(Malformed) -> [Entry] {
        var result: [Entry] = []
        var offset = 0
        var longName: String?
        var longTarget: String?
        while offset + 512 <= bytes.count {
            let header = bytes[offset..<(offset + 512)]
            if header.allSatisfy({ $0 == 0 }) { return result }
            guard result.count < Self.entryLimit else {
                throw Malformed(description: "the archive has too many entries")
            }
            guard Self.text(header, 257, 5) == "ustar" else {
                throw Malformed(description: "the archive is no tar file")
            }
            guard let size = Self.number(header, 124, 12), size >= 0,
                size <= bytes.count - offset - 512
            else { throw Malformed(description: "the archive is cut off") }
            let content = (offset + 512)..<(offset + 512 + size)
            let type = header[header.startIndex + 156]
            offset = content.upperBound + (512 - size % 512) % 512
            switch type {
            case UInt8(ascii: "x"):
                for (key, value) in Self.records(bytes[content]) {
                    if key == "path" { longName = value }
                    if key == "linkpath" { longTarget = value }
                }
                continue
            case UInt8(ascii: "L"):
                longName = Self.text(bytes[content], 0, size)
                continue
            case UInt8(ascii: "K"):
                longTarget = Self.text(bytes[content], 0, size)
                continue
            case UInt8(ascii: "g"): continue
            default: break
            }
            let prefix = Self.text(header, 345, 155)
            let short = Self.text(header, 0, 100)
            result.append(
                Entry(
                    name: longName ?? (prefix.isEmpty ? short : prefix + "/" + short),
                    type: type,
                    linkTarget: longTarget ?? Self.text(header, 157, 100),
                    content: content
                )
            )
            longName = nil
            longTarget = nil
        }
        return result
    }

    private static func text(_ bytes: ArraySlice<UInt8>, _ offset: Int, _ count: Int) -> String {
        let start = bytes.startIndex + offset
        return String(
            decoding: bytes[start..<min(start + count, bytes.endIndex)].prefix { $0 != 0 },
            as: UTF8.self
        )
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ offset: Int, _ count: Int) -> Int? {
        let text = Self.text(bytes, offset, count).filter { $0 != " " }
        return text.isEmpty ? 0 : Int(text, radix: 8)
    }

    private static func records(_ bytes: ArraySlice<UInt8>) -> [(String, String)] {
        var result: [(String, String)] = []
        var rest = bytes
        while let space = rest.firstIndex(of: 0x20),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
            length > space - rest.startIndex, length <= rest.count
        {
            let body = rest[(space + 1)..<(rest.startIndex + length - 1)]
            if let equals = body.firstIndex(of: UInt8(ascii: "=")) {
                result.append(
                    (
                        String(decoding: body[..<equals], as: UTF8.self),
                        String(decoding: body[(equals + 1)...], as: UTF8.self)
                    )
                )
            }
            rest = rest.dropFirst(length)
        }
        return result
    }
}
