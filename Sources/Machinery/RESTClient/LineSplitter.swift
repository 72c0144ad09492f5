// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ObjectModel

/// Cuts what a watch sends into its lines. Pure.
struct LineSplitter {
    private let limit: Int
    private var rest: [UInt8] = []

    /// - Parameter limit: the longest line in bytes.
    init(limit: Int) {
        self.limit = limit
    }

    /// The lines that are whole now; empty ones are left out.
    mutating func take(_ bytes: some Collection<UInt8>) throws(StatusError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var bytes = bytes[...]
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
            self.rest += bytes[..<end]
            if !self.rest.isEmpty { lines.append(self.rest) }
            self.rest = []
            bytes = bytes[bytes.index(after: end)...]
        }
        self.rest += bytes
        guard self.rest.count <= self.limit else {
            throw .internalError("a watch event is longer than \(self.limit) bytes")
        }
        return lines
    }
}
