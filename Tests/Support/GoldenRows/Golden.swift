// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Rows of the tab-separated files beside the tests, which hold what upstream answers.
package enum Golden {
    /// The rows of a file in the folder `Fixtures` beside the caller: columns between tabs, escapes
    /// resolved, comments left out.
    ///
    /// - Throws: when the file is missing or has fewer rows than it should, so that a test over
    ///   its rows cannot pass by having none.
    package static func rows(
        _ name: String,
        atLeast minimum: Int,
        file: String = #filePath
    ) throws -> [[String]] {
        let end = file.lastIndex(of: "/") ?? file.startIndex
        let path = file[..<end] + "/Fixtures/\(name)"
        guard let stream = fopen(String(path), "r") else {
            throw GoldenError(description: "cannot open \(path)")
        }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, stream)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        let rows = bytes.split(separator: UInt8(ascii: "\n")).filter {
            $0.first != UInt8(ascii: "#")
        }
        .map { line in
            line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                .map(self.unescaped)
        }
        guard rows.count >= minimum else {
            throw GoldenError(description: "\(path) has \(rows.count) rows")
        }
        return rows
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "0"): result.append(0)
            default: result.append(escape)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

package struct GoldenError: Error, CustomStringConvertible {
    package let description: String
}
