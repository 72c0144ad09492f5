// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import Protobuf

/// Where two messages of a type differ, for people: lines with `-` for what was and `+` for what is.
///
/// Upstream prints the difference of its Go values at this place; the format is that of the tool and
/// not promised.
enum TreeDifference {
    /// The most lines that are shown.
    static let maximumLines = 60

    static func text<M: Message>(_ old: M, _ new: M) -> String {
        guard let before = try? DynamicValue(old), let after = try? DynamicValue(new) else {
            return ""
        }
        var lines: [String] = []
        self.compare(before, after, "", &lines)
        if lines.count > self.maximumLines {
            lines = lines.prefix(self.maximumLines) + ["  ..."]
        }
        return lines.joined(separator: "\n")
    }

    private static func compare(
        _ old: DynamicValue?,
        _ new: DynamicValue?,
        _ path: String,
        _ lines: inout [String]
    ) {
        if old == new { return }
        if let old, let new, old.kind == .object, new.kind == .object {
            let keys = Set(old.entries.map(\.key)).union(new.entries.map(\.key)).sorted()
            for key in keys {
                self.compare(old[key], new[key], path.isEmpty ? key : "\(path).\(key)", &lines)
            }
        } else if let old, let new, old.kind == .list, new.kind == .list {
            for index in 0..<max(old.count, new.count) {
                self.compare(
                    index < old.count ? old[index] : nil,
                    index < new.count ? new[index] : nil,
                    "\(path)[\(index)]",
                    &lines
                )
            }
        } else {
            if let old { lines.append("- \(path): \(old.jsonText)") }
            if let new { lines.append("+ \(path): \(new.jsonText)") }
        }
    }
}
