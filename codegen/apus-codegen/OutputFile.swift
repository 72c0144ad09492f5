// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// Writes files.
enum OutputFile {
    /// A file or directory that cannot be made.
    struct Failure: Error, CustomStringConvertible {
        var path: String
        /// The system's own words.
        var reason: String

        var description: String { "cannot write \(self.path): \(self.reason)" }

        fileprivate init(_ path: String) {
            self.path = path
            self.reason = String(cString: strerror(errno))
        }
    }

    /// Makes a directory and those above it.
    static func makeDirectory(_ path: String) throws(Failure) {
        var current = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            current += current.isEmpty || current.hasSuffix("/") ? "\(part)" : "/\(part)"
            if mkdir(current, 0o777) != 0, errno != EEXIST { throw Failure(current) }
        }
    }

    /// Writes a file whole, under another name first, so that nobody sees half of it.
    ///
    /// A file that has the content already is left alone: build tools go by its time.
    static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        if self.hasContent(bytes, path) { return }
        let temporary = "\(path).tmp\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Failure(path) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                let failure = Failure(path)
                close(descriptor)
                unlink(temporary)
                throw failure
            }
            written += count
        }
        guard close(descriptor) == 0, rename(temporary, path) == 0 else {
            let failure = Failure(path)
            unlink(temporary)
            throw failure
        }
    }

    private static func hasContent(_ bytes: [UInt8], _ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size == bytes.count else { return false }
        var offset = 0
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while offset < bytes.count {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0, offset + count <= bytes.count,
                chunk[..<count].elementsEqual(bytes[offset..<(offset + count)])
            else { return false }
            offset += count
        }
        return true
    }
}
