// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Where a server listens or a client connects.
public enum HTTPEndpoint: Sendable, Hashable {
    /// A host name or address, and a port; port 0 lets the system choose one for a listener.
    case tcp(host: String, port: Int)
    /// The path of a unix socket.
    case unix(path: String)

    /// What stands in `:authority` for this endpoint when nothing else is asked for.
    public var authority: String {
        switch self {
        case .tcp(let host, let port):
            host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix: "localhost"
        }
    }
}

extension HTTPEndpoint: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tcp: self.authority
        case .unix(let path): "unix://\(path)"
        }
    }
}
