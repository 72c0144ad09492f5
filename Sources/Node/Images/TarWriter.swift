// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Writes an archive in the POSIX `ustar` format.
///
/// Names that do not fit get an extended header (pax). Times are 1970 and owners are numbers only,
/// so that the same content always gives the same bytes.
///
/// Source: POSIX.1-2017, `pax`, "ustar Interchange Format".
package struct TarWriter: Sendable {
    package enum Kind: UInt8, Sendable {
        case file = 0x30
        case symbolicLink = 0x32
        case directory = 0x35
    }

    private static let block = 512

    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Adds an entry.
    ///
    /// - Parameter name: relative, without `./`.
    package mutating func add(
        _ name: String,
        kind: Kind,
        mode: UInt32,
        owner: UInt32 = 0,
        group: UInt32 = 0,
        target: String = "",
        content: [UInt8] = []
    ) {
        let path = kind == .directory && !name.hasSuffix("/") ? name + "/" : name
        if path.utf8.count > 100 || target.utf8.count > 100 {
            var records: [UInt8] = []
            if path.utf8.count > 100 { records += Self.record("path", path) }
            if target.utf8.count > 100 { records += Self.record("linkpath", target) }
            self.header("././@PaxHeader", type: 0x78, mode: 0o644, size: records.count)
            self.append(records)
        }
        self.header(
            path,
            type: kind.rawValue,
            mode: mode,
            owner: owner,
            group: group,
            size: content.count,
            target: target
        )
        self.append(content)
    }

    /// The archive with its end mark.
    package func finished() -> [UInt8] {
        self.bytes + [UInt8](repeating: 0, count: 2 * Self.block)
    }

    private mutating func append(_ content: [UInt8]) {
        self.bytes += content
        let rest = content.count % Self.block
        if rest > 0 { self.bytes += [UInt8](repeating: 0, count: Self.block - rest) }
    }

    private mutating func header(
        _ path: String,
        type: UInt8,
        mode: UInt32,
        owner: UInt32 = 0,
        group: UInt32 = 0,
        size: Int,
        target: String = ""
    ) {
        var header = [UInt8](repeating: 0, count: Self.block)
        func put(_ text: some Sequence<UInt8>, at offset: Int, limit: Int) {
            for (index, byte) in text.prefix(limit).enumerated() { header[offset + index] = byte }
        }
        func number(_ value: UInt64, at offset: Int, width: Int) {
            let digits = String(value, radix: 8)
            let zeros = String(repeating: "0", count: max(0, width - 1 - digits.utf8.count))
            put((zeros + digits).utf8, at: offset, limit: width - 1)
        }
        put(path.utf8, at: 0, limit: 100)
        number(UInt64(mode & 0o7777), at: 100, width: 8)
        number(UInt64(owner), at: 108, width: 8)
        number(UInt64(group), at: 116, width: 8)
        number(UInt64(size), at: 124, width: 12)
        number(0, at: 136, width: 12)
        put([UInt8](repeating: 0x20, count: 8), at: 148, limit: 8)
        header[156] = type
        put(target.utf8, at: 157, limit: 100)
        put("ustar\u{0}00".utf8, at: 257, limit: 8)
        let sum = header.reduce(UInt64(0)) { $0 + UInt64($1) }
        number(sum, at: 148, width: 7)
        header[154] = 0
        header[155] = 0x20
        self.bytes += header
    }

    /// `length key=value\n`, where the length counts itself.
    private static func record(_ key: String, _ value: String) -> [UInt8] {
        let rest = " \(key)=\(value)\n".utf8.count
        var length = rest + 1
        while length != rest + "\(length)".utf8.count { length = rest + "\(length)".utf8.count }
        return Array("\(length) \(key)=\(value)\n".utf8)
    }
}
