// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// The few file operations that keys and certificates need. All block.
enum File {
    /// Largest file that is read; a bundle of all public CAs is a quarter of a megabyte.
    static let maximumBytes = 4 << 20

    /// Permissions of a private key.
    static let secretMode: mode_t = 0o600
    /// Permissions of a certificate or public key.
    static let publicMode: mode_t = 0o644
    /// Permissions of a folder that holds both.
    static let folderMode: mode_t = 0o755

    /// The content of the file at `path`, or nil when there is none.
    static func readIfPresent(_ path: String) throws(PKIError) -> [UInt8]? {
        do throws(PKIError) {
            return try self.read(path)
        } catch {
            if case .file(let cause) = error, cause.errno == ENOENT { return nil }
            throw error
        }
    }

    /// The content of the file at `path`, at most `maximumBytes`.
    static func read(_ path: String) throws(PKIError) -> [UInt8] {
        // Not blocking, in case somebody put a named pipe there.
        let descriptor = try self.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        defer { _ = close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .last("read", path) }
            if count == 0 { return content }
            content.append(contentsOf: buffer[..<count])
            guard content.count <= self.maximumBytes else {
                throw .tooLarge(bytes: content.count, limit: self.maximumBytes)
            }
        }
    }

    /// Puts `content` at `path` so that a reader, now or after a crash, sees the old file or the
    /// new one and never a part, and never with wider permissions than `mode`.
    static func write(
        _ content: some Collection<UInt8>,
        to path: String,
        mode: mode_t
    ) throws(PKIError) {
        let temporary = "\(path).\(getpid())-\(UInt32.random(in: .min ... .max)).tmp"
        let descriptor = try self.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        do throws(PKIError) {
            defer { _ = close(descriptor) }
            // The process' umask may have taken bits away.
            guard fchmod(descriptor, mode) == 0 else { throw .last("fchmod", temporary) }
            try self.writeAll([UInt8](content), to: descriptor, path: temporary)
            guard fsync(descriptor) == 0 else { throw .last("fsync", temporary) }
            guard rename(temporary, path) == 0 else { throw .last("rename", path) }
        } catch {
            unlink(temporary)
            throw error
        }
        try self.sync(folder: self.folder(of: path))
    }

    /// Makes the folder at `path` and those above it.
    static func makeFolders(_ path: String) throws(PKIError) {
        if mkdir(path, self.folderMode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, !path.isEmpty, path != "/", path != "." else {
            throw .last("mkdir", path)
        }
        try self.makeFolders(self.folder(of: path))
        guard mkdir(path, self.folderMode) == 0 || errno == EEXIST else {
            throw .last("mkdir", path)
        }
    }

    /// The folder that the file at `path` lies in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func open(
        _ path: String,
        _ flags: Int32,
        _ mode: mode_t = 0
    ) throws(PKIError) -> Int32 {
        while true {
            let descriptor = Glibc.open(path, flags, mode)
            if descriptor >= 0 { return descriptor }
            if errno != EINTR { throw .last("open", path) }
        }
    }

    private static func writeAll(
        _ content: [UInt8],
        to descriptor: Int32,
        path: String
    ) throws(PKIError) {
        var written = 0
        while written < content.count {
            let count = content[written...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .last("write", path) }
            written += count
        }
    }

    /// Makes a rename in `folder` survive a power failure.
    private static func sync(folder: String) throws(PKIError) {
        let descriptor = try self.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { _ = close(descriptor) }
        // Some file systems cannot sync a folder and say EINVAL; there is nothing to add then.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .last("fsync", folder) }
    }
}

extension PKIError {
    /// The failure that `errno` tells of.
    static func last(_ operation: String, _ path: String) -> PKIError {
        .file(FileError(operation: operation, path: path, errno: errno))
    }
}

/// The system's words for an `errno` value.
func systemErrorText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    // The POSIX form: fills the buffer and ends it with a zero.
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
