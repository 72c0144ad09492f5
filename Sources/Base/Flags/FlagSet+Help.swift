// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension FlagSet {
    /// Longest line of help.
    private static let lineWidth = 100

    /// The flags as help lists them, in pflag's shape: a line for each, sorted by name, the texts
    /// in one column.
    public var help: String {
        let visible = self.flags.filter { !$0.isHidden }.sorted { $0.name < $1.name }
        let rows = visible.map { (FlagSet.label($0), FlagSet.text($0)) }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { label, text in
            let padding = String(repeating: " ", count: width - label.count)
            return FlagSet.wrap(text, after: "\(label)\(padding)   ", width: FlagSet.lineWidth)
        }.joined()
    }

    private static func label(_ flag: any AnyFlag) -> String {
        let letter = flag.shorthand.map { "  -\($0), " } ?? "      "
        let value = self.quotedWord(in: flag.help) ?? flag.typeName
        return letter + "--\(flag.name)" + (value.isEmpty ? "" : " \(value)")
    }

    private static func text(_ flag: any AnyFlag) -> String {
        let help = String(flag.help.filter { $0 != "`" })
        return flag.defaultDescription.map { "\(help) (default \($0))" } ?? help
    }

    /// The word between the first two backquotes.
    private static func quotedWord(in help: String) -> String? {
        let parts = help.split(separator: "`", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count == 3 ? String(parts[1]) : nil
    }

    /// `prefix` and `text`, broken between words into lines that all begin in the same column.
    private static func wrap(_ text: String, after prefix: String, width: Int) -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, prefix.count + line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        lines.append(line)
        let indent = String(repeating: " ", count: prefix.count)
        return prefix + lines.joined(separator: "\n\(indent)") + "\n"
    }
}
