// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import NIOCore

/// Sees the bytes of an HTTP/1.1 connection before the decoder does.
///
/// It tells the handler that a head has begun, of which the decoder gives nothing out before it is
/// whole; and it bounds the bytes out of which nothing comes, however long: empty lines, the digits
/// of a chunk's size, its extensions. Of a connection that is being closed the decoder gets nothing
/// more.
package final class HTTP1LineGuard: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer

    private unowned let handler: HTTP1ServerHandler

    /// Bytes since the decoder last gave something out.
    private var fruitlessBytes = 0
    private let limit: Int

    init(handler: HTTP1ServerHandler, limits: HTTPLimits) {
        self.handler = handler
        // A head, with its target, may come in many reads.
        self.limit = 2 * limits.headerListBytes + PathSyntax.maximumByteCount
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let count = self.unwrapInboundIn(data).readableBytes
        guard !self.handler.isOver else { return self.handler.dropped(count) }
        self.handler.sawPartialHead()
        let partCount = self.handler.partCount
        context.fireChannelRead(data)
        self.fruitlessBytes = partCount == self.handler.partCount ? self.fruitlessBytes + count : 0
        if self.fruitlessBytes > self.limit { self.handler.sawTooManyFruitlessBytes() }
    }
}
