// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Foundation

/// Prints tables in Markdown, as docs/performance.md has them.
enum Report {
    static func heading(_ text: String, columns: [String]) {
        print("\n### \(text)\n")
        print("| " + columns.joined(separator: " | ") + " |")
        print("|" + String(repeating: " --- |", count: columns.count))
    }

    static func row(_ cells: [String]) {
        print("| " + cells.joined(separator: " | ") + " |")
    }

    /// `812 ns`, `4.31 µs`, `2.07 ms`
    static func time(_ nanoseconds: Double) -> String {
        switch nanoseconds {
        case ..<1000: String(format: "%.0f ns", nanoseconds)
        case ..<1_000_000: String(format: "%.2f µs", nanoseconds / 1000)
        default: String(format: "%.2f ms", nanoseconds / 1_000_000)
        }
    }

    static func count(_ number: Double?) -> String {
        number.map { String(format: "%.0f", $0) } ?? "–"
    }

    /// `3.4×`
    static func ratio(_ ratio: Double) -> String { String(format: "%.1f×", ratio) }

    static func verdict(_ isMet: Bool) -> String { isMet ? "met" : "**short**" }
}
