// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The parameters of a request's query, in their order.
///
/// Source: WHATWG URL section 5.1. What cannot be decoded is left out, as upstream does.
struct NodeQuery: Sendable {
    /// The most parameters that count; a command takes one for each word.
    static let maximumCount = 4096

    private var parameters: [(name: String, value: String)] = []

    /// - Parameter target: a request's path with what follows its question mark.
    init(target: String) {
        guard let mark = target.firstIndex(of: "?") else { return }
        for pair in target[target.index(after: mark)...].split(separator: "&") {
            guard self.parameters.count < Self.maximumCount else { return }
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]),
                let value = parts.count > 1 ? Self.decode(parts[1]) : ""
            else { continue }
            self.parameters.append((name, value))
        }
    }

    /// The first value of a parameter.
    subscript(_ name: String) -> String? { self.parameters.first { $0.name == name }?.value }

    /// All values of a parameter.
    func all(_ name: String) -> [String] {
        self.parameters.filter { $0.name == name }.map(\.value)
    }

    private static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(Self.digit),
                    let low = rest.popFirst().flatMap(Self.digit)
                else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
