// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface
import Testing

@testable import RPC

@Suite("Messages in parts")
struct MessagePartsTests {
    /// What the handler does after the first part of a message with `payload`.
    enum Ending: CaseIterable {
        case whole
        case unfinished
        case tooLong
        case otherMessage
        case failed
    }

    /// A service whose one response is sent in parts of `partBytes`.
    struct Service: RPCService {
        static let rpcServiceName = "test.v1.Echo"
        var payload: [UInt8]
        var partBytes: Int
        var ending = Ending.whole

        var rpcMethods: [RPCServerMethod] {
            [
                RPCServerMethod(
                    method: EchoMethods.unary,
                    start: .onRequest { _, call in
                        guard let call = call as? any RPCPartsCall else {
                            preconditionFailure("the transport of the tests has no parts")
                        }
                        call.run { try await self.answer(call) }
                    }
                )
            ]
        }

        private func answer(_ call: any RPCPartsCall) async throws {
            var encoded = RPCByteSink()
            try EchoRequest(payload: self.payload).encodeRPC(to: &encoded)
            let bytes = encoded.withBytes { Array($0) }
            var rest = bytes[...]
            #expect(call.takesParts)
            var hasRoom = try call.appendStart { sink in
                sink.append(contentsOf: Array(rest.prefix(self.partBytes)))
                rest = rest.dropFirst(self.partBytes)
                return rest.count
            }
            while !rest.isEmpty {
                if !hasRoom { try await call.waitForRoom() }
                if rest.count <= self.partBytes {
                    switch self.ending {
                    case .whole: break
                    case .unfinished: return
                    case .tooLong: rest.append(0)
                    case .otherMessage:
                        _ = try call.append { sink in sink.append(0) }
                    case .failed: throw RPCError(code: .dataLoss, message: "gone")
                    }
                }
                hasRoom = try call.appendPart { sink in
                    sink.append(contentsOf: Array(rest.prefix(self.partBytes)))
                    rest = rest.dropFirst(self.partBytes)
                }
            }
        }
    }

    @Test(
        "arrive as one message",
        arguments: [(0, 10), (5, 100), (300, 1), (100_000, 1000), (400_000, 65_536)]
    )
    func whole(_ count: Int, _ partBytes: Int) async throws {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let service = Service(payload: payload, partBytes: partBytes)
        try await MemoryConnection.with([service]) { client, _ in
            let response = try await EchoClient(channel: client).unary(EchoRequest())
            #expect(response.payload == payload)
        }
        try await NetworkConnection.with([service]) { client in
            let response = try await EchoClient(channel: client).unary(EchoRequest())
            #expect(response.payload == payload)
        }
    }

    @Test(
        "end the call with an error when they do not become a message",
        arguments: [
            (Ending.unfinished, RPCStatusCode.internalError), (.tooLong, .internalError),
            (.otherMessage, .internalError), (.failed, .dataLoss),
        ]
    )
    func broken(_ ending: Ending, _ code: RPCStatusCode) async throws {
        let service = Service(
            payload: [UInt8](repeating: 1, count: 200_000),
            partBytes: 1000,
            ending: ending
        )
        try await MemoryConnection.with([service]) { client, _ in
            var found: RPCStatusCode?
            do {
                _ = try await EchoClient(channel: client).unary(EchoRequest())
            } catch let error as RPCError {
                found = error.code
            }
            #expect(found == code)
        }
    }

    @Test("keep the limit of messages", arguments: [-1, 0, 1])
    func limit(_ delta: Int) async throws {
        var options = RPCServerOptions()
        // The number before the payload takes eight bytes.
        options.limits.maxOutboundMessageBytes = 10_008
        let service = Service(
            payload: [UInt8](repeating: 1, count: 10_000 + delta),
            partBytes: 1000
        )
        try await MemoryConnection.with([service], server: options) { client, _ in
            var count: Int?
            var code: RPCStatusCode?
            do {
                count = try await EchoClient(channel: client).unary(EchoRequest()).payload.count
            } catch let error as RPCError {
                code = error.code
            }
            #expect(count == (delta <= 0 ? 10_000 + delta : nil))
            #expect(code == (delta <= 0 ? nil : .resourceExhausted))
        }
    }
}
