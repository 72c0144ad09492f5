// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What serves the requests of a listener. Shared by all its event loops.
public protocol HTTPServerHandler: Sendable {
    /// Called once for each connection that is ready for requests, on its event loop. What comes
    /// back serves that connection's requests and may keep state without locks; returning one
    /// object for many connections of the same loop is fine.
    func handler(for connection: HTTPConnection) -> any HTTPConnectionHandler
}

/// What serves the requests of one connection. Called on the connection's event loop only.
public protocol HTTPConnectionHandler: AnyObject {
    /// A request has come. `received(data:)` and the rest follow on what is returned; the stream
    /// may be answered during this call.
    func startStream(_ stream: HTTPStream, head: HTTPRequestHead) -> any HTTPStreamReceiver

    /// The connection is over, after the `closed` of all its streams.
    func connectionClosed(_ connection: HTTPConnection)
}

extension HTTPConnectionHandler {
    public func connectionClosed(_ connection: HTTPConnection) {}
}
