// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import RPCInterface
import Testing

@Suite("RPCByteSink")
struct RPCByteSinkTests {
    @Test("keeps what was appended while it grows")
    func growth() {
        var sink = RPCByteSink()
        var expected: [UInt8] = []
        for index in 0..<2000 {
            let byte = UInt8(truncatingIfNeeded: index)
            sink.append(byte)
            expected.append(byte)
            if index % 100 == 0 {
                sink.append(contentsOf: expected)
                expected += expected
                if expected.count > 1 << 20 { break }
            }
        }
        #expect(sink.byteCount == expected.count)
        #expect(sink.withBytes { $0.elementsEqual(expected) })
    }

    @Test("appends nothing when the initialiser throws")
    func throwing() {
        struct Wrong: Error {}
        var sink = RPCByteSink()
        sink.append(1)
        #expect(throws: Wrong.self) {
            try sink.append(byteCount: 10) { _ in throw Wrong() }
        }
        #expect(sink.byteCount == 1)
        sink.append(byteCount: 0) { #expect($0.isEmpty) }
        #expect(sink.byteCount == 1)
    }

    @Test("truncates, clears and gives memory back")
    func clearing() {
        var sink = RPCByteSink(capacity: 10_000)
        #expect(sink.capacity >= 10_000)
        sink.append(contentsOf: [1, 2, 3])
        sink.truncate(toByteCount: 2)
        #expect(sink.withBytes { [UInt8]($0) } == [1, 2])
        sink.clear(keepingAtMost: 100_000)
        #expect(sink.byteCount == 0)
        #expect(sink.capacity >= 10_000)
        sink.clear(keepingAtMost: 100)
        #expect(sink.capacity == 0)
        sink.append(5)
        #expect(sink.withBytes { [UInt8]($0) } == [5])
    }

    @Test("hands its memory over once")
    func release() throws {
        var sink = RPCByteSink()
        let nothing = sink.release()
        #expect(nothing == nil)
        sink.append(contentsOf: [1, 2, 3])
        let released = sink.release()
        let memory = try #require(released)
        #expect(memory.count >= 3)
        #expect(Array(memory.prefix(3)) == [1, 2, 3])
        free(memory.baseAddress)
        #expect(sink.byteCount == 0)
        #expect(sink.capacity == 0)
        sink.append(4)
        #expect(sink.withBytes { [UInt8]($0) } == [4])
    }
}
