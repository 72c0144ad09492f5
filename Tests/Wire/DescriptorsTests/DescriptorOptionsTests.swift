// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
import Testing

@Suite("Descriptor options")
struct DescriptorOptionsTests {
    private let options = DescriptorOptions(bytes: [
        0x08, 0x01,  // 1: 1
        0x12, 0x02, 0x68, 0x69,  // 2: "hi"
        0x08, 0x96, 0x01,  // 1: 150
        0x1a, 0x02, 0x08, 0x05,  // 3: { 1: 5 }
        0x1a, 0x02, 0x10, 0x06,  // 3: { 2: 6 }
        0x22, 0x03, 0x01, 0x80, 0x01,  // 4: [1, 128]
        0x20, 0x03,  // 4: 3
        0x29, 1, 0, 0, 0, 0, 0, 0, 0x80,  // 5: fixed64
        0x35, 2, 0, 0, 0x80,  // 6: fixed32
        0x12, 0x01, 0xff,  // 2: not UTF-8
        0x38, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,  // 7: -1
        0x43, 0x08, 0x01, 0x44,  // 8: a group
    ])

    @Test("give the last value of a field")
    func lastWins() {
        #expect(self.options.varint(1) == 150)
        #expect(self.options.bytes(2) == [0xff])
        #expect(self.options.int32(7) == -1)
        #expect(self.options.fixed64(5) == 0x8000_0000_0000_0001)
        #expect(self.options.fixed32(6) == 0x8000_0002)
        #expect(self.options.bool(1))
    }

    @Test("give all values of a repeated field, packed or not")
    func repeated() {
        #expect(self.options.varints(1) == [1, 150])
        #expect(self.options.varints(4) == [1, 128, 3])
        #expect(self.options.allBytes(2) == [[0x68, 0x69], [0xff]])
        #expect(self.options.messages(3).map(\.bytes) == [[0x08, 0x05], [0x10, 0x06]])
    }

    @Test("merge the parts of a message")
    func merged() {
        let message = self.options.message(3)
        #expect(message?.varint(1) == 5)
        #expect(message?.varint(2) == 6)
    }

    @Test("leave out strings that are not UTF-8")
    func strings() {
        #expect(self.options.strings(2) == ["hi"])
        #expect(self.options.string(2) == nil)
        #expect(DescriptorOptions(bytes: [0x12, 0x02, 0x68, 0x69]).string(2) == "hi")
    }

    @Test("give nothing for fields that are not there or of another type")
    func missing() {
        #expect(self.options.varint(99) == nil)
        #expect(self.options.bytes(1) == nil)
        #expect(self.options.message(99) == nil)
        #expect(self.options.fixed64(1) == nil)
        #expect(self.options.fixed32(1) == nil)
        #expect(!self.options.bool(99))
        #expect(DescriptorOptions().varint(1) == nil)
        #expect(self.options.varints(8) == [])
    }

    @Test("list the fields that are set")
    func numbers() {
        #expect(self.options.fieldNumbers == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test("stop at the first byte that is malformed")
    func malformed() {
        #expect(DescriptorOptions(bytes: [0x08, 0x01, 0x08]).varint(1) == 1)
        #expect(DescriptorOptions(bytes: [0x08]).varint(1) == nil)
        #expect(DescriptorOptions(bytes: [0x12, 0x05, 0x00]).bytes(2) == nil)
    }
}
