// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import NIOCore

/// One exchange on an HTTP/1.1 server connection; after an upgrade, the connection's bytes.
package final class HTTP1Stream: HTTPStream {
    /// How the end of the response body is found.
    enum Framing {
        /// The head has not been written yet.
        case undecided
        /// There is no body.
        case none
        /// `content-length` said how many bytes; this many are left.
        case length(Int)
        case chunked
        /// The connection's end.
        case close
        /// The connection was upgraded.
        case raw
    }

    /// Nil when the exchange is over.
    unowned(unsafe) var owner: (any HTTP1Transport)?
    private let number: Int
    let request: HTTPRequestHead
    let isHEAD: Bool
    let isHTTP10: Bool

    /// A head that was sent and waits to see what follows it.
    var pendingHead: HTTPResponseHead?
    var headSent = false
    var localEnded = false
    var remoteEnded = false
    var framing = Framing.undecided
    var unconsumed = 0
    /// The end of the request is no longer the end of what the peer sends.
    var isUpgraded = false
    let wantsUpgrade: Bool
    let wantsContinue: Bool

    init(
        owner: any HTTP1Transport,
        connection: HTTPConnection,
        number: Int,
        request: HTTPRequestHead,
        isHTTP10: Bool,
        wantsUpgrade: Bool,
    ) {
        self.owner = owner
        self.number = number
        self.request = request
        self.isHEAD = request.methodIs("HEAD")
        self.isHTTP10 = isHTTP10
        self.wantsUpgrade = wantsUpgrade
        self.wantsContinue = !isHTTP10 && request.fields.list(.expect, has: "100-continue")
        super.init(connection: connection)
    }

    package override var id: Int { self.number }

    package override var isWritable: Bool { self.owner?.isWritable ?? false }

    package override var queuedByteCount: Int { self.owner?.queuedByteCount ?? 0 }

    package override var requestsUpgrade: Bool { self.wantsUpgrade && !self.headSent }

    package override func send(_ head: HTTPResponseHead, endStream: Bool) {
        self.eventLoop.assertInEventLoop()
        guard let owner = self.owner, !self.headSent else { return }
        if head.status.isInformational {
            // 1xx is unknown to HTTP/1.0.
            if !self.isHTTP10 && head.status != .switchingProtocols {
                owner.write(HTTP1Writer.interim(head))
            }
            return
        }
        self.headSent = true
        if endStream {
            self.localEnded = true
            self.writeHead(head, bodyBytes: 0)
            owner.responseEnded(self)
        } else {
            self.pendingHead = head
            owner.flushSoon()
        }
    }

    package override func send(_ data: ByteBuffer, endStream: Bool) {
        self.eventLoop.assertInEventLoop()
        guard self.owner != nil, self.headSent, !self.localEnded else { return }
        if let head = self.pendingHead {
            self.pendingHead = nil
            self.writeHead(head, bodyBytes: endStream ? data.readableBytes : nil)
        }
        if endStream { self.localEnded = true }
        self.writeBody(data)
        if endStream { self.finish(trailers: nil) }
    }

    package override func send(trailers: HeaderFields) {
        self.eventLoop.assertInEventLoop()
        guard self.owner != nil, self.headSent, !self.localEnded else { return }
        if let head = self.pendingHead {
            self.pendingHead = nil
            self.writeHead(head, bodyBytes: trailers.isEmpty ? 0 : nil)
        }
        self.localEnded = true
        self.finish(trailers: trailers)
    }

    package override func end() {
        self.send(trailers: HeaderFields())
    }

    package override func reset(_ code: HTTP2ErrorCode) {
        self.eventLoop.assertInEventLoop()
        self.owner?.resetByApplication(self, code: code)
    }

    package override func consume(_ byteCount: Int) {
        self.eventLoop.assertInEventLoop()
        let count = min(max(byteCount, 0), self.unconsumed)
        guard count > 0 else { return }
        self.unconsumed -= count
        self.owner?.consumed(self)
    }

    package override func upgrade(to protocolName: String, fields: HeaderFields) -> Bool {
        self.eventLoop.assertInEventLoop()
        guard let owner = self.owner, self.requestsUpgrade else { return false }
        self.headSent = true
        self.framing = .raw
        self.remoteEnded = false
        self.isUpgraded = true
        owner.upgrade(self, HTTP1Writer.switching(to: protocolName, fields: fields), handOver: nil)
        return true
    }

    package override func takeOver(
        protocolName: String,
        fields: HeaderFields,
        handOver: @escaping (any Channel) -> Void,
    ) -> Bool {
        self.eventLoop.assertInEventLoop()
        guard let owner = self.owner, self.requestsUpgrade else { return false }
        self.headSent = true
        self.localEnded = true
        self.isUpgraded = true
        owner.upgrade(
            self,
            HTTP1Writer.switching(to: protocolName, fields: fields),
            handOver: handOver,
        )
        return true
    }

    // MARK: - Writing

    /// Writes a head that waited, because nothing followed it in the same tick.
    func flushPendingHead() {
        guard let head = self.pendingHead else { return }
        self.pendingHead = nil
        self.writeHead(head, bodyBytes: nil)
    }

    /// - Parameter bodyBytes: the whole body's size when it is known.
    private func writeHead(_ head: HTTPResponseHead, bodyBytes: Int?) {
        guard let owner = self.owner else { return }
        let status = head.status.rawValue
        var extra = HTTP1Writer.Framing.none
        if status == 204 || status == 304 || self.isHEAD {
            self.framing = .none
        } else if let declared = HTTP1Writer.contentLength(head.fields) {
            self.framing = .length(declared)
        } else if let bodyBytes {
            self.framing = .length(bodyBytes)
            extra = .length(bodyBytes)
        } else if self.isHTTP10 {
            self.framing = .close
            owner.closesAfterResponse = true
        } else {
            self.framing = .chunked
            extra = .chunked
        }
        if !self.remoteEnded && !owner.mayDiscardBody { owner.closesAfterResponse = true }
        owner.write(
            HTTP1Writer.head(
                head,
                framing: extra,
                closes: owner.closesAfterResponse,
                isHTTP10: self.isHTTP10,
            )
        )
    }

    private func writeBody(_ data: ByteBuffer) {
        guard let owner = self.owner else { return }
        let count = data.readableBytes
        switch self.framing {
        case .undecided, .none: break
        case .length(let left):
            // More than was declared would be read as the next response.
            var data = data
            if count > left {
                owner.closesAfterResponse = true
                data = data.getSlice(at: data.readerIndex, length: left) ?? ByteBuffer()
            }
            self.framing = .length(left - data.readableBytes)
            owner.write(data)
        case .chunked:
            if count > 0 { owner.writeChunk(data) }
        case .close, .raw:
            owner.write(data)
        }
    }

    private func finish(trailers: HeaderFields?) {
        guard let owner = self.owner else { return }
        switch self.framing {
        case .chunked:
            owner.write(HTTP1Writer.lastChunk(trailers))
        case .length(let left) where left > 0:
            // Less than was declared: the peer must not take the next response for the rest.
            owner.abort(self)
            return
        case .raw:
            owner.endRaw(self)
            return
        case .undecided, .none, .length, .close: break
        }
        owner.responseEnded(self)
    }
}

/// What a stream asks of the connection under it.
package protocol HTTP1Transport: AnyObject {
    var isWritable: Bool { get }
    var queuedByteCount: Int { get }
    var closesAfterResponse: Bool { get set }
    /// Whether what is left of a request body may be read and dropped to keep the connection.
    var mayDiscardBody: Bool { get }
    func write(_ bytes: ByteBuffer)
    func writeChunk(_ bytes: ByteBuffer)
    func flushSoon()
    func responseEnded(_ stream: HTTP1Stream)
    func resetByApplication(_ stream: HTTP1Stream, code: HTTP2ErrorCode)
    func abort(_ stream: HTTP1Stream)
    func consumed(_ stream: HTTP1Stream)
    func endRaw(_ stream: HTTP1Stream)
    func upgrade(
        _ stream: HTTP1Stream,
        _ head: ByteBuffer,
        handOver: ((any Channel) -> Void)?,
    )
}
