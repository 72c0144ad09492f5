// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Processes

/// A process of the cluster: how it is started, and how one knows that it works.
public struct Component: Sendable, Hashable {
    public let name: String
    public let command: ChildProcess.Command
    public let readiness: Readiness
    /// What has to be ready before it is started.
    public let after: [String]
    /// The address that people may look at; empty for none.
    public let address: String

    public init(
        _ name: String,
        command: ChildProcess.Command,
        readiness: Readiness,
        after: [String] = [],
        address: String = ""
    ) {
        self.name = name
        self.command = command
        self.readiness = readiness
        self.after = after
        self.address = address
    }

    /// How one knows that a process works.
    public enum Readiness: Sendable, Hashable {
        /// It answers 200 to a GET on loopback.
        case http(port: Int, path: String)
        /// The same over TLS; nil trusts any certificate, as health tells nothing.
        case https(port: Int, path: String, authority: String?)
        /// It listens on a unix socket.
        case socket(path: String)
        /// It takes TCP connections.
        case port(host: String, port: Int)
        /// It runs.
        case running
    }
}
