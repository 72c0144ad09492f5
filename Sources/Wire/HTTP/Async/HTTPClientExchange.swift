// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import NIOCore

/// The client's side of an exchange, for a transport to build its async face on.
package struct HTTPClientExchange: Sendable {
    private let exchange: HTTPExchange
    private let keeper: Keeper

    package init(eventLoop: any EventLoop) {
        self.exchange = HTTPExchange(eventLoop: eventLoop)
        self.keeper = Keeper(self.exchange)
    }

    /// Who hears of the stream.
    package var receiver: any HTTPStreamReceiver { self.exchange }

    /// Says which stream was started. On the event loop.
    package func attach(_ stream: HTTPStream) { self.exchange.attach(stream) }

    /// Waits for the response's final head; cancelling the task gives the request up.
    package func responseHead() async throws -> HTTPResponseHead {
        try await self.exchange.waitForHead()
    }

    /// The response's body.
    package func body() -> HTTPBody { HTTPBody(exchange: self.exchange, keeper: self.keeper) }

    /// Lives as long as somebody can still ask for the response.
    private final class Keeper: Sendable {
        private let exchange: HTTPExchange

        init(_ exchange: HTTPExchange) {
            self.exchange = exchange
        }

        deinit { self.exchange.cancel() }
    }
}
