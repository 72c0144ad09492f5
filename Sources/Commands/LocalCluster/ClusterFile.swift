// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// A file operation that the system refused.
public struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
    public let call: String
    public let path: String
    public let errno: Int32

    static func last(_ call: String, _ path: String) -> FileError {
        FileError(call: call, path: path, errno: Glibc.errno)
    }

    public var description: String {
        "cannot \(self.call) \(self.path): \(String(cString: strerror(self.errno)))"
    }
}

/// The few file operations of a cluster on this machine. All block.
enum ClusterFile {
    static func makeFolder(_ path: String, mode: mode_t = 0o755) throws(FileError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .last("make folder", path)
        }
        try self.makeFolder(String(path[..<slash]))
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw .last("make folder", path) }
    }

    /// The content; nil when there is no file.
    static func read(_ path: String) throws(FileError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .last("open", path)
        }
        defer { _ = close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read", path) }
            if count == 0 { return content }
            content += buffer[..<count]
        }
    }

    /// Puts `content` at `path` so that a reader sees the old file or the new one, never a part.
    ///
    /// - Parameter durably: whether it is on the disk when this returns.
    static func write(
        _ content: [UInt8],
        to path: String,
        mode: mode_t,
        durably: Bool = true
    ) throws(FileError) {
        let temporary = "\(path).\(getpid()).tmp"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let descriptor = open(temporary, flags, mode)
        guard descriptor >= 0 else { throw .last("open", temporary) }
        do throws(FileError) {
            defer { _ = close(descriptor) }
            var rest = content[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.write(descriptor, $0.baseAddress, $0.count)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw .last("write", temporary) }
                rest = rest.dropFirst(count)
            }
            guard fchmod(descriptor, mode) == 0 else { throw .last("set the mode of", temporary) }
            guard !durably || fsync(descriptor) == 0 else { throw .last("sync", temporary) }
            guard rename(temporary, path) == 0 else { throw .last("rename to", path) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Writes only what differs, so that who watches the file is not woken for nothing.
    static func update(_ content: [UInt8], at path: String, mode: mode_t) throws(FileError) {
        if try self.read(path) == content { return }
        try self.write(content, to: path, mode: mode)
    }
}
