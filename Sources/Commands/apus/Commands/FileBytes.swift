// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
import Glibc

/// Small files that the command line names.
enum FileBytes {
    /// More than any configuration.
    static let maximumBytes = 4 << 20

    /// The content of a file.
    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw UsageError("open \(path): \(self.reason)") }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw UsageError("read \(path): \(self.reason)") }
            if count == 0 { return content }
            content += buffer[..<count]
            guard content.count <= self.maximumBytes else {
                throw UsageError("\(path) is larger than \(self.maximumBytes) bytes")
            }
        }
    }

    private static var reason: String {
        strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
    }
}
