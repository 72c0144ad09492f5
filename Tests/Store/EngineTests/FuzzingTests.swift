// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import StoreTestSupport
import TestFolders
import Testing

@testable import Engine

@Suite("Files with any bytes in them")
struct FuzzingTests {
    @Test("are sound before they are patched")
    func images() throws {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let directory = TemporaryDirectory()
        let table = directory.path + "/table"
        try Self.write(tableImage(none), to: table)
        try PageVerifier.check(table)
        let bolt = directory.path + "/bolt"
        try Self.write(boltImage(none), to: bolt)
        let status = try SnapshotFile.status(bolt)
        #expect(status.revision == 21)
        #expect(status.totalKeys == 20)
    }

    @Test("do not trap", arguments: 1...6 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for kind in UInt8(0)..<6 {
            for _ in 0..<300 {
                var bytes = [kind]
                for _ in 0..<random.below(160) {
                    bytes.append(UInt8(truncatingIfNeeded: random.next()))
                }
                // Places inside the images, which are less than 64 KiB.
                for at in stride(from: 3, to: bytes.count, by: 4) { bytes[at] = 0 }
                bytes.withUnsafeBytes(fuzzStoreFiles)
            }
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try #require(fopen(path, "w"))
        defer { fclose(file) }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }
}
