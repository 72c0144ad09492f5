// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface
import Synchronization
import Testing

@testable import RPC

@Suite("StreamCall limits")
struct StreamCallLimitTests {
    @Test("a writer has room until the buffer's limit", arguments: [-1, 0, 1])
    func highWater(_ delta: Int) async throws {
        var options = RPCClientOptions()
        options.limits.outboundBufferBytes = 1000
        options.waitForReady = true
        try await MemoryConnection.with([TestEcho()], client: options) { client, connector in
            // Nothing leaves, because nobody can be reached.
            connector.faults.state.withLock { $0.connectFailures = 1_000_000 }
            let call = try await client.start(EchoMethods.upload, options: CallOptions())
            let payload = [UInt8](repeating: 1, count: 1000 + delta - 5 - 8)
            let hasRoom = try call.append { sink in
                try EchoRequest(payload: payload).encodeRPC(to: &sink)
            }
            #expect(hasRoom == (delta < 0))
            call.cancel()
        }
    }
}
