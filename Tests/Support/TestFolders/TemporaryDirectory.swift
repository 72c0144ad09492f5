// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// A directory of its own for a test, removed with the value.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() {
        // mkdtemp(3) puts a name of its own in the place of the last six.
        let pattern = "/tmp/apus-test-" + String(repeating: "X", count: 6)
        var template = Array(pattern.utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) } != nil
        }
        precondition(made, "no temporary directory: \(errno)")
        self.path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    deinit {
        Self.remove(self.path)
    }

    /// Removes a directory tree.
    public static func remove(_ path: String) {
        if let handle = opendir(path) {
            while let entry = readdir(handle) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { buffer in
                    String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name == "." || name == ".." { continue }
                let child = "\(path)/\(name)"
                if unlink(child) != 0 { self.remove(child) }
            }
            closedir(handle)
        }
        rmdir(path)
    }
}
