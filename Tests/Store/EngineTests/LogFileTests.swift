// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import StoreTestSupport
import TestFolders
import Testing

@testable import Engine

@Suite("Log file")
struct LogFileTests {
    /// Frames of every size around blocks, and some bigger than what is kept in memory.
    private static let sizes =
        [56, 64, 4040, 4096, 4104, 8, 8184, 8192, 3 << 20, 16, 4080, 1 << 20, 72]
    private static let capacity = 8 << 20

    private func bytes(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 1, count: Self.capacity + 1)
        var count = 0
        while count < bytes.count {
            let part = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            try #require(part >= 0)
            if part == 0 { break }
            count += part
        }
        return Array(bytes[..<count])
    }

    /// Appends random frames; answers them one behind the other.
    private func append(_ file: inout LogFile, _ random: inout SeededGenerator) throws -> [UInt8] {
        let stage = LogStage()
        var expected: [UInt8] = []
        for size in Self.sizes {
            let frame = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            try frame.withUnsafeBytes { try file.append($0, stage) }
            expected += frame
            #expect(file.end == expected.count)
        }
        return expected
    }

    @Test(
        "holds frames one behind the other, written past the page cache or not",
        arguments: [true, false]
    )
    func frames(_ writesDirectly: Bool) throws {
        let directory = TemporaryDirectory()
        var random = SeededGenerator(seed: 5)
        var file = try LogFile(creating: directory.path + "/1.log", capacity: Self.capacity)
        if writesDirectly { file.openDirectly() }
        defer { close(file.descriptor) }
        // The second time over the frames of the first.
        for _ in 0..<2 {
            file.end = 0
            let expected = try self.append(&file, &random)
            let found = try self.bytes(file.path)
            #expect(found.count == Self.capacity)
            #expect(found.starts(with: expected))
        }
    }

    @Test(
        "goes on through the page cache where blocks do not fit, or the file system cannot do without"
    )
    func fallback() throws {
        let directory = TemporaryDirectory()
        var random = SeededGenerator(seed: 6)
        // A capacity that is no number of blocks, as an older store may have left.
        var odd = try LogFile(creating: directory.path + "/1.log", capacity: Self.capacity - 8)
        odd.openDirectly()
        defer { close(odd.descriptor) }
        #expect(!odd.isDirect)
        let expected = try self.append(&odd, &random)
        #expect(try self.bytes(odd.path).starts(with: expected))
        // A file that is gone cannot be opened again; the descriptor goes on.
        var gone = try LogFile(creating: directory.path + "/2.log", capacity: Self.capacity)
        unlink(gone.path)
        gone.openDirectly()
        defer { close(gone.descriptor) }
        #expect(!gone.isDirect)
        _ = try self.append(&gone, &random)
    }

    @Test("fills blocks up to its very end", arguments: [true, false])
    func full(_ writesDirectly: Bool) throws {
        let directory = TemporaryDirectory()
        let capacity = 3 * LogStage.blockBytes
        var file = try LogFile(creating: directory.path + "/1.log", capacity: capacity)
        if writesDirectly { file.openDirectly() }
        defer { close(file.descriptor) }
        let stage = LogStage()
        let frame = [UInt8](repeating: 9, count: 24)
        for _ in 0..<(capacity / 24) { try frame.withUnsafeBytes { try file.append($0, stage) } }
        #expect(file.end == capacity)
        #expect(try self.bytes(file.path) == [UInt8](repeating: 9, count: capacity))
    }
}
