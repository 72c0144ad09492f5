// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The name servers of a host, from its `resolv.conf` (resolv.conf(5)).
public struct ResolverFile: Hashable, Sendable {
    public var servers: [String]

    /// glibc asks no more than three.
    static let maximumServers = 3

    /// - Parameter own: addresses that this server listens on: asking itself would never end.
    public init(_ text: String, own: Set<String>) {
        var servers: [String] = []
        for line in text.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard words.count >= 2, words[0] == "nameserver" else { continue }
            let server = String(words[1])
            guard !own.contains(server), AddressBytes.data(of: server) != nil,
                !servers.contains(server)
            else { continue }
            servers.append(server)
        }
        self.servers = Array(servers.prefix(Self.maximumServers))
    }
}
