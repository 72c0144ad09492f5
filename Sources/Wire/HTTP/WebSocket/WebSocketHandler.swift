// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore
import NIOWebSocket

/// Turns the frames of a channel into messages.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = Never
    typealias OutboundOut = WebSocketFrame

    private let maximumMessageBytes: Int
    private var context: ChannelHandlerContext?

    private var messages = CircularBuffer<WebSocket.Message>(initialCapacity: 1)
    private var waitingBytes = 0
    private var reader: EventLoopPromise<WebSocket.Message?>?
    private var writers: [EventLoopPromise<Void>] = []
    private var readPending = false

    /// The message whose fragments are coming, and whether it is text.
    private var partial: ByteBuffer?
    private var partialIsText = false

    private var closeSent = false
    private var isOver = false
    private var failure: HTTPConnectionError?

    /// Bytes of messages that wait for a reader, from which nothing more is read.
    private static let waitingLimit = 1 << 20

    init(maximumMessageBytes: Int) {
        self.maximumMessageBytes = maximumMessageBytes
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.end(.closed("the handler was removed"))
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(.closed("the peer closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isTooLarge = (error as? NIOWebSocketError) == .invalidFrameLength
        self.fail(isTooLarge ? 1009 : 1002, String(describing: error))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(ChannelEvent.inputClosed) = event as? ChannelEvent {
            self.end(.closed("the peer closed the connection"))
            context.close(promise: nil)
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: - Reading

    func read(context: ChannelHandlerContext) {
        if self.waitingBytes < Self.waitingLimit { context.read() } else { self.readPending = true }
    }

    func receive(_ promise: EventLoopPromise<WebSocket.Message?>) {
        if let message = self.messages.popFirst() {
            self.waitingBytes -= Self.size(message)
            if self.readPending, self.waitingBytes < Self.waitingLimit {
                self.readPending = false
                self.context?.read()
            }
            promise.succeed(message)
        } else if let failure = self.failure {
            promise.fail(failure)
        } else if self.isOver {
            promise.succeed(nil)
        } else if self.reader != nil {
            promise.fail(HTTPBodyHasReader())
        } else {
            self.reader = promise
        }
    }

    private static func size(_ message: WebSocket.Message) -> Int {
        switch message {
        case .text(let text): text.utf8.count + 64
        case .binary(let bytes): bytes.readableBytes + 64
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = self.unwrapInboundIn(data)
        guard !self.isOver else { return }
        // RFC 6455 section 5.1: a client masks every frame.
        guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            return self.fail(1002, "a frame without mask, or with reserved bits")
        }
        let payload = frame.unmaskedData
        switch frame.opcode {
        case .text, .binary:
            guard self.partial == nil else { return self.fail(1002, "a message in a message") }
            self.partialIsText = frame.opcode == .text
            self.gather(payload, isLast: frame.fin)
        case .continuation:
            guard self.partial != nil else { return self.fail(1002, "nothing to continue") }
            self.gather(payload, isLast: frame.fin)
        case .ping:
            self.write(.pong, payload)
        case .pong: break
        case .connectionClose:
            let code = payload.getInteger(at: payload.readerIndex, as: UInt16.self) ?? 1000
            self.close(code: code)
            self.end(nil)
        default: self.fail(1002, "an unknown opcode")
        }
    }

    private func gather(_ payload: ByteBuffer, isLast: Bool) {
        var whole = self.partial ?? ByteBuffer()
        guard payload.readableBytes <= self.maximumMessageBytes - whole.readableBytes else {
            return self.fail(1009, "a message that is too large")
        }
        whole.writeImmutableBuffer(payload)
        guard isLast else {
            self.partial = whole
            return
        }
        self.partial = nil
        if self.partialIsText {
            guard let text = String(validating: whole.readableBytesView, as: UTF8.self) else {
                return self.fail(1007, "text that is not UTF-8")
            }
            self.deliver(.text(text))
        } else {
            self.deliver(.binary(whole))
        }
    }

    private func deliver(_ message: WebSocket.Message) {
        if let reader = self.reader {
            self.reader = nil
            reader.succeed(message)
        } else {
            self.messages.append(message)
            self.waitingBytes += Self.size(message)
        }
    }

    // MARK: - Writing

    func send(_ message: WebSocket.Message, _ promise: EventLoopPromise<Void>) {
        guard let context = self.context, !self.isOver, !self.closeSent else {
            return promise.fail(self.failure ?? HTTPConnectionError.closed("the socket is closed"))
        }
        switch message {
        case .text(let text): self.write(.text, ByteBuffer(string: text))
        case .binary(let bytes): self.write(.binary, bytes)
        }
        if context.channel.isWritable { promise.succeed() } else { self.writers.append(promise) }
    }

    private func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer) {
        guard let context = self.context, !self.closeSent else { return }
        let frame = WebSocketFrame(fin: true, opcode: opcode, data: data)
        context.writeAndFlush(self.wrapOutboundOut(frame), promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            let writers = self.writers
            self.writers = []
            for writer in writers { writer.succeed() }
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: - The end

    func close(code: UInt16) {
        guard let context = self.context, !self.closeSent else { return }
        self.write(.connectionClose, ByteBuffer(integer: code))
        self.closeSent = true
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        // The peer answers with a close of its own, or has a second for it.
        context.eventLoop.scheduleTask(in: .seconds(1)) { bound.value.close(promise: nil) }
    }

    private func fail(_ code: UInt16, _ reason: String) {
        self.failure = .protocolViolation(.protocolError, reason)
        self.close(code: code)
        self.end(nil)
    }

    private func end(_ error: HTTPConnectionError?) {
        guard !self.isOver else { return }
        self.isOver = true
        if let error, !self.closeSent { self.failure = self.failure ?? error }
        if let failure = self.failure {
            self.reader?.fail(failure)
        } else {
            self.reader?.succeed(nil)
        }
        self.reader = nil
        let writers = self.writers
        self.writers = []
        for writer in writers {
            writer.fail(self.failure ?? HTTPConnectionError.closed("the socket is closed"))
        }
        if self.closeSent {
            self.context?.close(promise: nil)
        }
    }
}
