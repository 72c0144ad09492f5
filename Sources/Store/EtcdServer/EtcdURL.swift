// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import HTTP2Transport

/// An address in etcd's notation: `http://127.0.0.1:2379`, `https://[::1]:2379`,
/// `unix:///run/etcd.sock`, `unixs://...` for TLS.
package struct EtcdURL: Hashable, Sendable, CustomStringConvertible {
    /// The address as it was written.
    package let description: String
    /// Where that is.
    package let endpoint: HTTPEndpoint
    /// Whether TLS is spoken there.
    package let isTLS: Bool

    /// Reads an address; nil if it is none. A host without a port gets etcd's 2379.
    package init?(_ text: String) {
        guard let separator = text.range(ofScheme: "://") else { return nil }
        let scheme = text[..<separator.lowerBound]
        var rest = text[separator.upperBound...]
        while rest.hasSuffix("/"), rest.count > 1 { rest.removeLast() }
        guard !rest.isEmpty else { return nil }
        self.description = text
        switch scheme {
        case "http", "https":
            guard let (host, port) = Self.hostAndPort(rest) else { return nil }
            self.endpoint = .tcp(host: host, port: port)
        case "unix", "unixs":
            self.endpoint = .unix(path: String(rest))
        default: return nil
        }
        self.isTLS = scheme == "https" || scheme == "unixs"
    }

    private static func hostAndPort(_ text: Substring) -> (String, Int)? {
        var host = text
        var portText = Substring("2379")
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let behind = text[text.index(after: end)...]
            guard behind.isEmpty || behind.first == ":" else { return nil }
            if !behind.isEmpty { portText = behind.dropFirst() }
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
            guard !host.contains(":") else { return nil }
        }
        guard !host.isEmpty, !host.contains("/"), let port = UInt16(portText) else { return nil }
        return (String(host), Int(port))
    }
}

extension String {
    /// The range of the first occurrence of an ASCII text.
    fileprivate func range(ofScheme separator: String) -> Range<String.Index>? {
        var start = self.startIndex
        while start < self.endIndex {
            if self[start...].hasPrefix(separator) {
                return start..<self.index(start, offsetBy: separator.count)
            }
            start = self.index(after: start)
        }
        return nil
    }
}
