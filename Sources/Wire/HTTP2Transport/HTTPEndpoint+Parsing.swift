// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension HTTPEndpoint {
    /// Reads an address as people and other gRPC programs write it.
    ///
    /// ```
    /// unix:///run/a.sock   unix:/run/a.sock   unix:a.sock   /run/a.sock
    /// host:port   10.0.0.1:port   [::1]:port   dns:host:port
    /// ```
    ///
    /// The port is needed: there is no default one. Source: gRPC `doc/naming.md`, without the
    /// schemes of other resolvers. Nil when the text is no address.
    public init?(_ text: String) {
        if text.hasPrefix("/") {
            self = .unix(path: text)
        } else if text.hasPrefix("unix:") {
            let rest = text.dropFirst("unix:".count)
            // With two slashes an authority stands before the path; only the empty one is known.
            let path = rest.hasPrefix("//") ? rest.dropFirst(2) : rest
            guard !path.isEmpty, !rest.hasPrefix("//") || path.hasPrefix("/") else { return nil }
            self = .unix(path: String(path))
        } else {
            var rest = text[...]
            if rest.hasPrefix("dns:") {
                rest = rest.dropFirst("dns:".count)
                if rest.hasPrefix("///") { rest = rest.dropFirst(3) }
            }
            self.init(hostAndPort: rest)
        }
    }

    private init?(hostAndPort text: Substring) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(digits), port <= 65_535
        else { return nil }
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.contains(where: { $0 == "/" || $0 == " " || $0 == "@" })
        else { return nil }
        self = .tcp(host: String(host), port: port)
    }
}
