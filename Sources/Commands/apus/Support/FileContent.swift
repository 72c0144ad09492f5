// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Glibc

/// Files that flags name.
enum FileContent {
    /// The most that is read of one, in bytes.
    static let maximumBytes = 16 << 20

    /// All of a file.
    static func read(_ path: String) throws(UsageError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw UsageError("\(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while content.count <= Self.maximumBytes {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw UsageError("\(path): \(String(cString: strerror(errno)))")
            }
            if count == 0 { return content }
            content += buffer[..<count]
        }
        throw UsageError("\(path): larger than \(Self.maximumBytes) bytes")
    }
}
