// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CLinux
package import Glibc

/// Files and folders of the node. Every function blocks.
package enum HostFiles {
    /// The most that ``read(_:limit:)`` takes unless it is told otherwise.
    package static let readLimit = 16 << 20

    /// The whole content of a file.
    package static func read(
        _ path: String,
        limit: Int = Self.readLimit
    ) throws(HostError) -> [UInt8] {
        let descriptor = apus_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw HostError("open", path) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while content.count < limit {
            let count = Glibc.read(descriptor, &buffer, min(buffer.count, limit - content.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw HostError("read", path) }
            if count == 0 { break }
            content += buffer[..<count]
        }
        return content
    }

    /// The content of a small file as text without white space at its ends; nil when it cannot be
    /// read.
    package static func text(_ path: String) -> String? {
        guard let bytes = try? Self.read(path, limit: 1 << 20) else { return nil }
        var text = String(decoding: bytes, as: UTF8.self)[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        return String(text)
    }

    /// Writes a file: replaces what is there, or makes it with `mode`.
    package static func write(
        _ bytes: [UInt8],
        to path: String,
        mode: UInt32 = 0o644
    ) throws(HostError) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let descriptor = apus_open(path, flags, mode)
        guard descriptor >= 0 else { throw HostError("open", path) }
        defer { close(descriptor) }
        try Self.write(bytes, to: descriptor, path: path)
    }

    /// Writes a file so that it is there whole or not at all, also after a power cut.
    package static func replace(
        _ path: String,
        with bytes: [UInt8],
        mode: UInt32 = 0o600
    ) throws(HostError) {
        let temporary = path + ".new"
        try Self.write(bytes, to: temporary, mode: mode)
        let descriptor = apus_open(temporary, O_RDONLY | O_CLOEXEC, 0)
        if descriptor >= 0 {
            fsync(descriptor)
            close(descriptor)
        }
        guard rename(temporary, path) == 0 else { throw HostError("rename", temporary) }
    }

    /// Writes to a file that is there, such as a knob of the kernel, in one call.
    package static func set(_ path: String, _ value: String) throws(HostError) {
        let descriptor = apus_open(path, O_WRONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw HostError("open", path) }
        defer { close(descriptor) }
        try Self.write(Array(value.utf8), to: descriptor, path: path)
    }

    package static func write(
        _ bytes: [UInt8],
        to descriptor: Int32,
        path: String
    ) throws(HostError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw HostError("write", path) }
            done += count
        }
    }

    /// Makes a folder and those above it.
    package static func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws(HostError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw HostError("mkdir", path)
        }
        try Self.makeDirectory(String(path[..<slash]))
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw HostError("mkdir", path) }
    }

    /// Names in a folder, sorted, without `.` and `..`; empty when it is not there.
    package static func list(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = Self.name(of: entry)
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
    }

    /// Status of a path; of a link itself unless `follows`.
    package static func status(_ path: String, follows: Bool = true) -> stat? {
        var result = stat()
        let code = follows ? stat(path, &result) : lstat(path, &result)
        return code == 0 ? result : nil
    }

    /// Kind and permissions of a path; of a link itself unless `follows`.
    ///
    /// Whoever imports, however far down, what has a C library of its own cannot name the fields of
    /// a `stat`: which module defines it depends on the order in which the compiler meets them.
    package static func mode(_ path: String, follows: Bool = true) -> mode_t? {
        Self.status(path, follows: follows)?.st_mode
    }

    package static func exists(_ path: String) -> Bool { Self.status(path, follows: false) != nil }

    package static func isDirectory(_ path: String) -> Bool {
        Self.status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// Where a link leads; nil when it is none.
    package static func linkTarget(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.bindMemory(to: CChar.self).baseAddress.map { readlink(path, $0, 4096) } ?? 0
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// Removes a file; it need not be there.
    package static func remove(_ path: String) {
        unlink(path)
    }

    /// Removes a folder with everything in it, without following a link and without leaving its
    /// file system: a mount that could not be undone is never emptied.
    package static func removeTree(_ path: String) throws(HostError) {
        guard let status = Self.status(path, follows: false) else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            guard unlink(path) == 0 || errno == ENOENT else { throw HostError("unlink", path) }
            return
        }
        try Self.emptyTree(path)
        guard rmdir(path) == 0 || errno == ENOENT else { throw HostError("rmdir", path) }
    }

    /// Removes everything in a folder, as ``removeTree(_:)`` does; the folder stays. It need not be
    /// there.
    package static func emptyTree(_ path: String) throws(HostError) {
        guard let status = Self.status(path, follows: false) else { return }
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let descriptor = apus_open(path, flags, 0)
        guard descriptor >= 0 else { throw HostError("open", path) }
        do throws(HostError) {
            try Self.empty(descriptor, device: status.st_dev, path: path)
        } catch {
            close(descriptor)
            throw error
        }
        close(descriptor)
    }

    /// Removes what is in the folder `descriptor`.
    private static func empty(
        _ descriptor: Int32,
        device: dev_t,
        path: String
    ) throws(HostError) {
        guard let directory = fdopendir(dup(descriptor)) else { throw HostError("opendir", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = Self.name(of: entry)
            if name != ".", name != ".." { names.append(name) }
        }
        for name in names {
            var status = stat()
            guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            if isDirectory {
                guard status.st_dev == device else {
                    throw HostError(code: EBUSY, operation: "unlink", path: "\(path)/\(name)")
                }
                let child = apus_openat(
                    descriptor,
                    name,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                    0
                )
                guard child >= 0 else { throw HostError("open", "\(path)/\(name)") }
                do throws(HostError) {
                    try Self.empty(child, device: device, path: "\(path)/\(name)")
                } catch {
                    close(child)
                    throw error
                }
                close(child)
            }
            guard unlinkat(descriptor, name, isDirectory ? AT_REMOVEDIR : 0) == 0 else {
                throw HostError("unlink", "\(path)/\(name)")
            }
        }
    }
}
