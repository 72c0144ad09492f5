// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// The same services as rpc-server's, by grpc-swift-2 with its NIO transport, on one event loop.
//
// Messages are bytes as they are: no codec is measured, and the call that rpc-server decodes and
// encodes with generated code is answered with a constant here.

import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Glibc
import NIOPosix

struct BytesCodec: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        Bytes(message)
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}

struct Service: RegistrableRPCService {
    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: MethodDescriptor(
                fullyQualifiedService: "grpc.health.v1.Health",
                method: "Check"
            ),
            deserializer: BytesCodec(),
            serializer: BytesCodec()
        ) { request, _ in
            let message = try await ServerRequest(stream: request).message
            precondition(message.count == 100)
            // {"status": "SERVING"}
            return StreamingServerResponse(single: ServerResponse(message: [8, 1]))
        }
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: "bench.Stream", method: "Download"),
            deserializer: BytesCodec(),
            serializer: BytesCodec()
        ) { request, _ in
            let message = try await ServerRequest(stream: request).message
            let count = message.reduce(0) { $0 << 8 | Int($1) }
            return StreamingServerResponse { writer in
                let response = [UInt8](repeating: 7, count: 100)
                for _ in 0..<count { try await writer.write(response) }
                return [:]
            }
        }
    }
}

let server = GRPCServer(
    transport: .http2NIOPosix(
        address: .ipv4(host: "127.0.0.1", port: 0),
        transportSecurity: .plaintext,
        eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1)
    ),
    services: [Service()]
)
try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await server.serve() }
    if let address = try await server.listeningAddress?.ipv4 {
        print(address.port)
        fflush(nil)
    }
    while readLine() != nil {}
    server.beginGracefulShutdown()
    group.cancelAll()
}
