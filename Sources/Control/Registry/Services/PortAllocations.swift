// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
package import KubernetesAPI
import Protobuf

/// Which ports of a range are taken.
///
/// Source: upstream `pkg/registry/core/service/portallocator`.
package struct PortAllocations: Sendable, Equatable {
    package let range: ClosedRange<Int32>
    package private(set) var ports: Set<Int32>

    /// Why a port is not to be had.
    package enum Fault: Equatable, CustomStringConvertible {
        case taken
        case outside(ClosedRange<Int32>)

        package var description: String {
            switch self {
            case .taken: "provided port is already allocated"
            case .outside(let range):
                "provided port is not in the valid range. The range of valid ports is "
                    + "\(range.lowerBound)-\(range.upperBound)"
            }
        }
    }

    /// - Parameter ports: those outside of the range are left out.
    package init(range: ClosedRange<Int32>, ports: Set<Int32> = []) {
        self.range = range
        self.ports = ports.filter(range.contains)
    }

    package mutating func take(_ port: Int32) -> Fault? {
        guard self.range.contains(port) else { return .outside(self.range) }
        return self.ports.insert(port).inserted ? nil : .taken
    }

    /// A port that nobody has: at random from those that are not kept for whoever asks by number,
    /// as long as there are any.
    package mutating func takeNext() -> Int32? {
        let first = self.range.lowerBound + self.staticCount
        let start = Int32.random(in: first...self.range.upperBound)
        let orders = [start...self.range.upperBound, first...start]
        for order in orders {
            for port in order where self.ports.insert(port).inserted { return port }
        }
        for port in self.range where self.ports.insert(port).inserted { return port }
        return nil
    }

    package mutating func release(_ port: Int32) { self.ports.remove(port) }

    /// How many ports at the start are given away only when all others are gone. Source: KEP-3668:
    /// min(max(16, size / 32), 128), nothing of a range below 16.
    private var staticCount: Int32 {
        let count = Int32(self.range.count)
        return count <= 16 ? 0 : min(max(16, count / 32), 128)
    }

    // MARK: - The stored form

    /// The range as it is written: `30000-32767`.
    private var rangeText: String { "\(self.range.lowerBound)-\(self.range.upperBound)" }

    /// What is stored; nil when it is none of ours.
    ///
    /// `data` is a number in network order without leading zeros, whose bit `i` stands for the
    /// range's port `i`: Go's `big.Int`.
    package init?(_ message: CoreV1.RangeAllocation) {
        let bounds = message.range.split(separator: "-").compactMap { Int32($0) }
        guard bounds.count == 2, bounds[0] >= 0, bounds[0] <= bounds[1], bounds[1] <= 65_535 else {
            return nil
        }
        let range = bounds[0]...bounds[1]
        var ports: Set<Int32> = []
        for (index, byte) in [UInt8](message.data ?? Bytes()).reversed().enumerated() {
            for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 {
                guard index < 8_192 else { return nil }
                ports.insert(bounds[0] + Int32(index * 8 + bit))
            }
        }
        self.init(range: range, ports: ports)
    }

    package var message: CoreV1.RangeAllocation {
        var bits: [UInt8] = []
        if let last = self.ports.max() {
            bits = [UInt8](repeating: 0, count: Int(last - self.range.lowerBound) / 8 + 1)
            for port in self.ports {
                let offset = Int(port - self.range.lowerBound)
                bits[offset / 8] |= 1 << UInt8(offset % 8)
            }
        }
        let data = Bytes(bits.reversed())
        return CoreV1.RangeAllocation.with {
            $0.range = self.rangeText
            $0.data = data
        }
    }
}
