// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// The server that benchmarks/rpc puts load on: rpc-server [CERTIFICATE KEY].
//
// grpc.health.v1.Health through its generated stubs, and bench.Stream: Download answers a request of
// four big-endian bytes with that many messages of 100 bytes, Body with that many of 64 KiB. Prints its
// port; one event loop, so that the figures are those of one thread.

import GRPCServices
import Glibc
import HTTP2Transport
import NIOCore
import NIOPosix
import RPC
import RPCInterface
import RPCServices
import TLS

/// Bytes as they are.
struct Raw: RPCMessage {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
    init(rpcBytes bytes: UnsafeRawBufferPointer) throws { self.bytes = Array(bytes) }
    func encodeRPC(to sink: inout RPCByteSink) throws { sink.append(contentsOf: self.bytes) }
}

struct Streams: RPCService {
    static let rpcServiceName = "bench.Stream"

    var rpcMethods: [RPCServerMethod] {
        [Self.method("Download", messageBytes: 100), Self.method("Body", messageBytes: 64 << 10)]
    }

    private static func method(_ name: String, messageBytes: Int) -> RPCServerMethod {
        let method = RPCMethod(service: self.rpcServiceName, name: name, kind: .serverStreaming)
        return .serverStreaming(method) { (request: Raw, responses: RPCWriter<Raw>, _) in
            let count = request.bytes.reduce(0) { $0 << 8 | Int($1) }
            let message = Raw([UInt8](repeating: 7, count: messageBytes))
            for _ in 0..<count { try await responses.write(message) }
        }
    }
}

let health = HealthStatusService()
// A request of 100 bytes asks for it.
health.set(.serving, for: String(repeating: "s", count: 98))
var tls: TLSContextSource?
if CommandLine.arguments.count == 3 {
    let identity = TLSServerConfiguration.Identity(
        certificatePath: CommandLine.arguments[1],
        privateKeyPath: CommandLine.arguments[2]
    )
    tls = try TLSContextSource(server: TLSServerConfiguration(identity: identity))
}
let server = try await RPCServer.start(
    on: .tcp(host: "127.0.0.1", port: 0),
    services: [health, Streams()],
    tls: tls,
    group: MultiThreadedEventLoopGroup(numberOfThreads: 1)
)
print(server.localAddress?.port ?? 0)
fflush(nil)
while readLine() != nil {}
await server.shutdown(drain: .zero)
