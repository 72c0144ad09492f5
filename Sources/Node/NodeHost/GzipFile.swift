// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CZlib
import Glibc

/// Compresses files on disk.
package enum GzipFile {
    /// What a compressed file's name ends with.
    package static let suffix = ".gz"
    /// What the name of one that is being written ends with; left behind by a crash, it is garbage.
    package static let temporarySuffix = ".tmp"

    private static let chunkBytes = 64 << 10

    /// Replaces a file by its compressed form, `PATH.gz`: there whole, or not at all. Blocks.
    package static func compress(_ path: String) throws(HostError) {
        let input = open(path, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw HostError("open", path) }
        defer { close(input) }
        let temporary = path + Self.suffix + Self.temporarySuffix
        guard let output = gzopen(temporary, "wb") else { throw HostError("open", temporary) }
        do throws(HostError) {
            try Self.copy(input, path, to: output, temporary)
        } catch {
            gzclose(output)
            unlink(temporary)
            throw error
        }
        guard gzclose(output) == Z_OK else {
            unlink(temporary)
            throw HostError("close", temporary)
        }
        guard rename(temporary, path + Self.suffix) == 0 else {
            throw HostError("rename", temporary)
        }
        guard unlink(path) == 0 else { throw HostError("unlink", path) }
    }

    private static func copy(
        _ input: Int32,
        _ path: String,
        to output: gzFile,
        _ temporary: String
    ) throws(HostError) {
        var buffer = [UInt8](repeating: 0, count: Self.chunkBytes)
        while true {
            let count = Glibc.read(input, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw HostError("read", path) }
            if count == 0 { return }
            guard gzwrite(output, buffer, UInt32(count)) == count else {
                throw HostError(code: ENOSPC, operation: "write", path: temporary)
            }
        }
    }
}
