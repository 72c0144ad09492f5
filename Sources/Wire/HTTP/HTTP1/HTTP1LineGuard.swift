// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import NIOCore

/// Looks at the bytes of an HTTP/1.1 connection before the decoder does.
///
/// It tells the handler that a head has begun, and bounds what the decoder gathers without giving
/// anything out: a head, a line of a chunk, trailers.
package final class HTTP1LineGuard: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer

    private unowned let handler: HTTP1ServerHandler

    init(handler: HTTP1ServerHandler, limits: HTTPLimits) {
        self.handler = handler
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.handler.sawPartialHead()
        context.fireChannelRead(data)
    }
}
