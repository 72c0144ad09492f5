// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Reads and holds the small files of a configuration. Blocks.
enum ConfigFile {
    /// More than any kubeconfig, token or bundle of certificates.
    static let maximumBytes = 4 << 20

    static func read(_ path: String) throws(KubeconfigError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .file(path: path, reason: Self.reason(errno)) }
        defer { _ = close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .file(path: path, reason: Self.reason(errno)) }
            if count == 0 { return content }
            content.append(contentsOf: buffer[..<count])
            guard content.count <= Self.maximumBytes else {
                throw .file(path: path, reason: "larger than \(Self.maximumBytes) bytes")
            }
        }
    }

    static func reason(_ number: Int32) -> String {
        strerror(number).map { String(cString: $0) } ?? "error \(number)"
    }
}

/// Bytes of the configuration as a file that exists in memory only, for those who want a path.
///
/// Embedded keys are never written to a disk.
package final class MemoryFile: Sendable {
    private let descriptor: Int32

    /// Valid as long as the file is referenced.
    package let path: String

    package init(_ content: [UInt8], name: String) throws(KubeconfigError) {
        // A name for a moment; shm_open sets close-on-exec (shm_open(3)).
        let object = "/apus-\(getpid())-\(UInt64.random(in: .min ... .max))"
        let descriptor = shm_open(object, O_RDWR | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else {
            throw .file(path: name, reason: ConfigFile.reason(errno))
        }
        shm_unlink(object)
        self.descriptor = descriptor
        self.path = "/proc/self/fd/\(descriptor)"
        var rest = content[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .file(path: name, reason: ConfigFile.reason(errno)) }
            rest = rest.dropFirst(count)
        }
    }

    deinit { close(self.descriptor) }
}
