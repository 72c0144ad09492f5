// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Collects lines of Swift with their indentation.
struct SwiftPrinter {
    /// Longest line that is not wrapped, in characters.
    static let lineLength = 100

    private(set) var text = ""
    private var depth = 0
    /// Whether the last line opened a block, so that no blank line may follow.
    private var isAtBlockStart = true

    /// Prints a line; an empty one prints no blanks.
    mutating func line(_ line: String = "") {
        if !line.isEmpty {
            self.text += String(repeating: " ", count: 4 * self.depth)
            self.text += line
        }
        self.text += "\n"
        self.isAtBlockStart = false
    }

    /// Prints a blank line between two declarations.
    mutating func separator() {
        if !self.isAtBlockStart { self.line() }
        self.isAtBlockStart = true
    }

    /// Prints `head {`, the lines of `body` one step further in, and `}`.
    mutating func block(_ head: String, _ body: (inout SwiftPrinter) -> Void) {
        self.line(head + " {")
        self.indented(body)
        self.line("}")
    }

    /// Prints the lines of `body` one step further in.
    mutating func indented(_ body: (inout SwiftPrinter) -> Void) {
        self.depth += 1
        self.isAtBlockStart = true
        body(&self)
        self.depth -= 1
    }

    /// Prints `head(item, item)tail` on one line, or one item per line when that is too long.
    mutating func list(_ head: String, _ items: [String], close: String) {
        let whole = head + items.joined(separator: ", ") + close
        if whole.count + 4 * self.depth <= Self.lineLength {
            self.line(whole)
            return
        }
        self.line(head)
        self.indented { printer in
            for item in items { printer.line(item + ",") }
        }
        self.line(close)
    }

    /// Prints a doc comment; nothing for no lines.
    mutating func comment(_ lines: [String]) {
        for line in lines { self.line(line.isEmpty ? "///" : "/// \(line)") }
    }
}
