// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

/// The comments of a schema file by the path of what they stand at.
struct Comments {
    private var linesByPath: [[Int32]: [String]] = [:]

    init(_ info: SourceCodeInfo?) {
        for location in info?.locations ?? [] {
            guard let text = location.leadingComments ?? location.trailingComments else { continue }
            let lines = Self.lines(text)
            if !lines.isEmpty { self.linesByPath[location.path] = lines }
        }
    }

    /// The lines of the comment at a path; none when there is no comment.
    subscript(_ path: [Int32]) -> [String] { self.linesByPath[path] ?? [] }

    /// The comments before the first statement of a file: its licence.
    static func header(_ info: SourceCodeInfo?) -> [String] {
        let first =
            info?.locations.first { $0.path == [12] }
            ?? info?.locations.first {
                $0.path == [2]
            }
        guard let first else { return [] }
        return first.leadingDetachedComments.first.map(Self.lines) ?? []
    }

    /// Cuts a comment into lines without the blank that follows the comment marker.
    private static func lines(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var line = line
            while let last = line.last, last.isWhitespace { line.removeLast() }
            return line.first == " " ? String(line.dropFirst()) : String(line)
        }
        while lines.last?.isEmpty ?? false { lines.removeLast() }
        while lines.first?.isEmpty ?? false { lines.removeFirst() }
        return lines
    }
}
