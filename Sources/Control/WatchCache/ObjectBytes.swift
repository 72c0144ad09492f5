// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Selectors

/// The binary form of an object, looked at without decoding it.
///
/// Every kind begins with `metadata` in field 1, and its fields ascend: what our encoder and
/// upstream's write. Whoever gives other bytes gets nil, and decodes.
package enum ObjectBytes {
    /// Where the parts of a message's metadata are.
    struct Layout {
        /// The metadata's own bytes.
        var body: Range<Int>
        /// The field `resourceVersion` with its tag, or the place where it belongs.
        var version: Range<Int>
    }

    static let metadataTag: UInt8 = 1 << 3 | 2
    static let versionTag: UInt8 = 6 << 3 | 2
    static let labelsTag: UInt8 = 11 << 3 | 2

    static func layout(_ raw: UnsafeRawBufferPointer) -> Layout? {
        guard raw.first == self.metadataTag else { return nil }
        var reader = FieldReader(raw, at: 1)
        guard let count = reader.length() else { return nil }
        let body = reader.position..<(reader.position + count)
        var fields = FieldReader(
            UnsafeRawBufferPointer(rebasing: raw[..<body.upperBound]),
            at: body.lowerBound
        )
        while fields.position < body.upperBound {
            let start = fields.position
            guard let tag = fields.varint() else { return nil }
            if tag >> 3 > 6 { return Layout(body: body, version: start..<start) }
            guard fields.skip(tag) else { return nil }
            if tag == UInt64(self.versionTag) {
                return Layout(body: body, version: start..<fields.position)
            }
        }
        return Layout(body: body, version: body.upperBound..<body.upperBound)
    }

    /// The size of an object with another resource version, and a function that writes it.
    static func withVersion(
        _ raw: UnsafeRawBufferPointer,
        _ layout: Layout,
        _ version: UnsafeRawBufferPointer
    ) -> Splice {
        let body = layout.body.count - layout.version.count + 2 + version.count
        return Splice(raw: raw, layout: layout, version: version, bodyCount: body)
    }

    /// An object's bytes with a new resource version, to be written in one go.
    struct Splice {
        let raw: UnsafeRawBufferPointer
        let layout: Layout
        let version: UnsafeRawBufferPointer
        let bodyCount: Int

        var count: Int {
            1 + FieldReader.varintCount(self.bodyCount) + self.bodyCount
                + self.raw.count - self.layout.body.upperBound
        }

        /// Writes ``count`` bytes.
        func write(to target: UnsafeMutableRawBufferPointer) {
            var at = 0
            func put(_ byte: UInt8) {
                target[at] = byte
                at += 1
            }
            func copy(_ range: Range<Int>, of source: UnsafeRawBufferPointer) {
                if range.isEmpty { return }
                UnsafeMutableRawBufferPointer(rebasing: target[at...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
                at += range.count
            }
            put(ObjectBytes.metadataTag)
            var rest = self.bodyCount
            while rest > 0x7F {
                put(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            put(UInt8(rest))
            copy(self.layout.body.lowerBound..<self.layout.version.lowerBound, of: self.raw)
            put(ObjectBytes.versionTag)
            put(UInt8(self.version.count))
            copy(0..<self.version.count, of: self.version)
            copy(self.layout.version.upperBound..<self.raw.count, of: self.raw)
        }
    }

    /// Gives a label's value to `body`; nil when there is no such label.
    static func withLabel<R>(
        _ key: String,
        in raw: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer?) -> R
    ) -> R {
        guard let layout = self.layout(raw) else { return body(nil) }
        var fields = FieldReader(
            UnsafeRawBufferPointer(rebasing: raw[..<layout.body.upperBound]),
            at: layout.version.upperBound
        )
        while let tag = fields.tag(), tag >> 3 <= 11 {
            guard tag == UInt64(self.labelsTag) else {
                guard fields.skip(tag) else { break }
                continue
            }
            guard let entry = fields.bytes() else { break }
            if let value = self.value(ofEntry: entry, key) { return body(value) }
        }
        return body(nil)
    }

    /// Gives the name of each label to `body`.
    static func forEachLabel(
        in raw: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        guard let layout = self.layout(raw) else { return }
        var fields = FieldReader(
            UnsafeRawBufferPointer(rebasing: raw[..<layout.body.upperBound]),
            at: layout.version.upperBound
        )
        while let tag = fields.tag(), tag >> 3 <= 11 {
            guard tag == UInt64(self.labelsTag) else {
                guard fields.skip(tag) else { return }
                continue
            }
            guard let bytes = fields.bytes() else { return }
            var entry = FieldReader(bytes, at: 0)
            while let tag = entry.tag(), tag & 7 == 2, let part = entry.bytes() {
                if tag >> 3 == 1 { body(part) }
            }
        }
    }

    /// The value of a map's entry when its key is this one.
    private static func value(
        ofEntry entry: UnsafeRawBufferPointer,
        _ key: String
    ) -> UnsafeRawBufferPointer? {
        var reader = FieldReader(entry, at: 0)
        var isFound = false
        var value = UnsafeRawBufferPointer(rebasing: entry[0..<0])
        while let tag = reader.tag() {
            guard tag & 7 == 2, let bytes = reader.bytes() else { return nil }
            if tag >> 3 == 1 {
                var key = key
                guard key.withUTF8({ bytes.elementsEqual($0) }) else { return nil }
                isFound = true
            } else if tag >> 3 == 2 {
                value = bytes
            }
        }
        return isFound ? value : nil
    }
}

/// Reads the fields of a message.
struct FieldReader {
    let raw: UnsafeRawBufferPointer
    var position: Int

    init(_ raw: UnsafeRawBufferPointer, at position: Int) {
        self.raw = raw
        self.position = position
    }

    static func varintCount(_ value: Int) -> Int {
        var count = 1
        var rest = value
        while rest > 0x7F {
            count += 1
            rest >>= 7
        }
        return count
    }

    mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while self.position < self.raw.count, shift < 64 {
            let byte = self.raw[self.position]
            self.position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// The next tag; nil at the end.
    mutating func tag() -> UInt64? {
        self.position < self.raw.count ? self.varint() : nil
    }

    /// A length that fits what is left.
    mutating func length() -> Int? {
        guard let count = self.varint(), count <= UInt64(self.raw.count - self.position) else {
            return nil
        }
        return Int(count)
    }

    mutating func bytes() -> UnsafeRawBufferPointer? {
        guard let count = self.length() else { return nil }
        defer { self.position += count }
        return UnsafeRawBufferPointer(rebasing: self.raw[self.position..<(self.position + count)])
    }

    mutating func skip(_ tag: UInt64) -> Bool {
        switch tag & 7 {
        case 0: return self.varint() != nil
        case 1: self.position += 8
        case 2: return self.bytes() != nil
        case 5: self.position += 4
        default: return false
        }
        return self.position <= self.raw.count
    }
}
