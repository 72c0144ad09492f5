// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

/// What is asked for through a `proxy` subresource: `[scheme:]name[:port]`.
///
/// Source: upstream apimachinery `pkg/util/net/port_split.go`.
struct ProxyName: Equatable {
    var isSecure = false
    var name: String
    /// A number or the name of a port; empty for the default.
    var port = ""

    /// Reads a name; nil when it is none.
    init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1:
            self.name = parts[0]
        case 2:
            self.name = parts[0]
            self.port = parts[1]
            guard Self.isPort(self.port) else { return nil }
        case 3:
            guard ["", "http", "https"].contains(parts[0]) else { return nil }
            self.isSecure = parts[0] == "https"
            self.name = parts[1]
            self.port = parts[2]
            guard self.port.isEmpty || Self.isPort(self.port) else { return nil }
        default:
            return nil
        }
        guard !self.name.isEmpty, Formats.isPathSegmentName(self.name) else { return nil }
    }

    private static func isPort(_ text: String) -> Bool {
        if let number = Int64(text) { return (1...65_535).contains(number) }
        return Formats.portName(text).isEmpty
    }
}
