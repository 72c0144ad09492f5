// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A TLS connection to a loopback port that carries bytes of the test's own.
final class TLSPeer: Sendable {
    private final class Gatherer: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        struct State {
            var bytes: [UInt8] = []
            var isClosed = false
        }

        let state = Mutex(State())

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = self.unwrapInboundIn(data)
            self.state.withLock { $0.bytes += bytes.readableBytesView }
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.state.withLock { $0.isClosed = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    private let channel: any Channel
    private let gatherer: Gatherer

    init(port: Int, authorityPath: String, protocols: [String]) async throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authorityPath))
        configuration.applicationProtocols = protocols
        let context = try NIOSSLContext(configuration: configuration)
        let gatherer = Gatherer()
        self.gatherer = gatherer
        self.channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLClientHandler(context: context, serverHostname: "localhost"),
                        gatherer
                    )
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    func send(_ bytes: [UInt8]) async throws {
        try await self.channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Waits until what has come fits; then takes it.
    func take(_ isEnough: ([UInt8]) -> Bool) async throws -> [UInt8]? {
        guard await poll({ isEnough(self.gatherer.state.withLock { $0.bytes }) }) else {
            return nil
        }
        return self.gatherer.state.withLock { state in
            defer { state.bytes = [] }
            return state.bytes
        }
    }

    func waitForClose() async -> Bool {
        await poll { self.gatherer.state.withLock { $0.isClosed } }
    }

    func close() async { try? await self.channel.close() }
}
