// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KubernetesAPI
import Protobuf
import Testing

@testable import Registry

@Suite("PortAllocations")
struct PortAllocationsTests {
    @Test("gives away each port once, those for requests by number last")
    func next() {
        var allocations = PortAllocations(range: 30_000...30_063)
        var taken: [Int32] = []
        while let port = allocations.takeNext() { taken.append(port) }
        #expect(Set(taken) == Set(30_000...30_063))
        #expect(taken.count == 64)
        #expect(taken.suffix(16).allSatisfy { $0 < 30_016 })
        allocations.release(30_020)
        #expect(allocations.takeNext() == 30_020)
    }

    @Test("says why a port is not to be had")
    func faults() {
        var allocations = PortAllocations(range: 30_000...30_010)
        #expect(allocations.take(30_000) == nil)
        #expect(allocations.take(30_000)?.description == "provided port is already allocated")
        #expect(
            allocations.take(80)?.description
                == "provided port is not in the valid range. The range of valid ports is "
                + "30000-30010"
        )
    }

    @Test(
        "is stored as Go's big.Int has it",
        arguments: [
            ([], []), ([30_000], [1]), ([30_001], [2]), ([30_008], [1, 0]),
            ([30_000, 30_017], [2, 0, 1]),
        ] as [(Set<Int32>, [UInt8])]
    )
    func stored(ports: Set<Int32>, data: [UInt8]) throws {
        let allocations = PortAllocations(range: 30_000...32_767, ports: ports)
        let message = allocations.message
        #expect(message.range == "30000-32767")
        #expect([UInt8](message.data ?? Bytes()) == data)
        #expect(try #require(PortAllocations(message)) == allocations)
    }

    @Test("refuses what is no range", arguments: ["", "1", "5-1", "1-70000", "a-b"])
    func bad(text: String) {
        #expect(PortAllocations(CoreV1.RangeAllocation.with { $0.range = text }) == nil)
    }

    @Test("leaves out ports beyond its range, however many bits are stored")
    func beyond() throws {
        let message = CoreV1.RangeAllocation.with {
            $0.range = "30000-30001"
            $0.data = Bytes([UInt8](repeating: 0xFF, count: 64))
        }
        #expect(try #require(PortAllocations(message)).ports == [30_000, 30_001])
        let huge = CoreV1.RangeAllocation.with {
            $0.range = "30000-30001"
            $0.data = Bytes([UInt8](repeating: 0xFF, count: 1 << 20))
        }
        #expect(PortAllocations(huge) == nil)
    }
}
