// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPC
import Testing

/// The fuzzer's invariants on messages that are nearly right.
@Suite("RPC fuzzing")
struct FuzzingTests {
    static let seeds: [[UInt8]] = [
        [0, 0, 0, 0, 0], [0, 0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 1, 9], [1, 0, 0, 0, 3, 1, 2, 3],
        [0, 0xFF, 0xFF, 0xFF, 0xFF], [2, 0, 0, 0, 0], Array("100m".utf8), Array("a%41%4".utf8),
        Array("a: b\nx-bin: AAEC,AA==\n".utf8),
        // "hello" by gzip, and by zlib.
        [
            1, 0, 0, 0, 25, 31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 203, 72, 205, 201, 201, 7, 0, 134, 166,
            16, 54, 5, 0, 0, 0,
        ],
        [1, 0, 0, 0, 13, 120, 156, 203, 72, 205, 201, 201, 7, 0, 6, 44, 2, 21],
    ]

    /// The invariants are preconditions, as fuzzers want them, so that a process of its own tells
    /// whether they hold.
    @Test("mutated messages, timeouts and metadata keep the invariants")
    func mutations() async {
        await #expect(processExitsWith: .success) { Self.runMutations() }
    }

    private static func runMutations() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = Self.seeds.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                default: bytes += Self.seeds.randomElement(using: &generator) ?? []
                }
            }
            let choices = (0..<2).map { _ in UInt8.random(in: 0...255, using: &generator) }
            (choices + bytes).withUnsafeBytes { fuzzRPC($0) }
        }
    }
}
