// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Testing

@Suite("Bytes")
struct BytesTests {
    @Test("shares memory with its slices")
    func slices() {
        let bytes = Bytes(utf8: "hello, world")
        let world = bytes.slice(7..<12)
        #expect(Array(world) == Array("world".utf8))
        #expect(world.slice(1..<3) == "or")
        #expect(world.slice(5..<5).isEmpty)
        let shares = bytes.withUnsafeBytes { whole in
            world.withUnsafeBytes { part in part.baseAddress == whole.baseAddress.map { $0 + 7 } }
        }
        #expect(shares)
        #expect(world.detached() == world)
    }

    @Test("compares by unsigned bytes")
    func comparison() {
        #expect(Bytes([0x7F]) < Bytes([0x80]))
        #expect(Bytes("ab") < Bytes("b"))
        #expect(Bytes("a") < Bytes("ab"))
        #expect(!(Bytes("ab") < Bytes("ab")))
        #expect(Bytes() == Bytes([]))
        #expect(Set([Bytes("a"), Bytes("a"), Bytes("b")]).count == 2)
    }

    @Test("never prints its whole content")
    func description() {
        #expect(Bytes("supersecretpassword").description == "19 bytes [7375706572736563…]")
        #expect(Bytes([1, 255]).description == "2 bytes [01ff]")
    }
}
