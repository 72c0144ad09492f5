// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore

/// What a client needs of an HTTP connection. On its event loop.
protocol ClientTransport: AnyObject {
    /// Whether new requests are taken: not after GOAWAY or the end.
    var isAcceptingRequests: Bool { get }

    /// Whether a new connection would be made with other certificates than this one was.
    var isOutdated: Bool { get }

    /// Starts a request.
    func startRequest(
        _ head: HTTPRequestHead,
        endStream: Bool,
        receiver: any HTTPStreamReceiver
    ) -> HTTPStream

    /// Lets running calls finish and closes, or closes now.
    func close(gracefully: Bool)
}

extension ClientTransport {
    var isOutdated: Bool { false }
}

/// Makes connections.
protocol ClientConnector: Sendable {
    /// The scheme of requests.
    var scheme: String { get }

    /// The default `:authority`.
    var authority: String { get }

    /// Connects. Both callbacks come on `loop`: exactly one of `connected` and an error, then
    /// `lost` when the connection takes no more requests or is gone.
    func connect(
        on loop: any EventLoop,
        lost: @escaping @Sendable (any ClientTransport) -> Void
    ) -> EventLoopFuture<any ClientTransport>
}
