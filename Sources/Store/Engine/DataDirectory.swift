// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// A system call that failed.
struct SystemError: Error {
    let call: String
    let path: String
    let code: Int32

    /// Takes the code from `errno`.
    init(_ call: String, _ path: String) {
        self.call = call
        self.path = path
        self.code = errno
    }

    var text: String {
        "\(self.call) \(self.path): \(String(cString: strerror(self.code)))"
    }

    /// Whether it is for lack of space: blocks, inodes or quota.
    var isNoSpace: Bool { self.code == ENOSPC || self.code == EDQUOT }

    /// The error as a backend reports it where nothing has been written yet.
    var unwritten: BackendError { self.isNoSpace ? .noSpace(self.text) : .failed(self.text) }
}

/// The directory of a store, held by one process.
///
/// The directory must belong to the user and nobody else may have any right on it. A lock on the
/// file `lock` in it keeps other processes out; the kernel lets go of it when the process ends.
package struct DataDirectory: ~Copyable {
    /// Where it is.
    package let path: String
    private let lockDescriptor: Int32

    /// The name of the lock file.
    static let lockName = "lock"

    /// Creates the directory if it is missing, checks it and takes the lock.
    ///
    /// - Throws: `unusable` with one line that says what to do, or `noSpace`.
    package init(opening path: String) throws(BackendError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw Self.unusable("create data directory", path)
        }
        var info = stat()
        guard stat(path, &info) == 0 else { throw Self.unusable("open data directory", path) }
        guard info.st_mode & S_IFMT == S_IFDIR else {
            throw .unusable("data directory \(path) is not a directory")
        }
        guard info.st_uid == geteuid() else {
            throw .unusable(
                "data directory \(path) belongs to user \(info.st_uid), not to \(geteuid())"
            )
        }
        let mode = info.st_mode & 0o777
        guard mode & 0o077 == 0 else {
            throw .unusable(
                "data directory \(path) has permissions \(String(mode, radix: 8)), which let "
                    + "others in; it needs 700 (chmod 700 \(path))"
            )
        }
        if access(path + "/member", F_OK) == 0 {
            throw .unusable(
                "data directory \(path) holds the data of an etcd; restore its snapshot into an "
                    + "empty directory instead"
            )
        }
        let lockPath = path + "/" + Self.lockName
        let descriptor = Glibc.open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.unusable("open", lockPath) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            let holder = Self.holder(descriptor)
            Glibc.close(descriptor)
            if code == EWOULDBLOCK {
                throw .unusable("data directory \(path) is in use by another process\(holder)")
            }
            throw .unusable("lock \(lockPath): \(String(cString: strerror(code)))")
        }
        self.path = path
        self.lockDescriptor = descriptor
        let text = "\(getpid())\n"
        if ftruncate(descriptor, 0) == 0 {
            // Only a hint for the message above: a failure changes nothing.
            _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
        }
    }

    deinit {
        // Closing lets go of the lock. The file stays: removing it would race with another process.
        Glibc.close(self.lockDescriptor)
    }

    private static func unusable(_ what: String, _ path: String) -> BackendError {
        let error = SystemError(what, path)
        return error.isNoSpace ? .noSpace(error.text) : .unusable(error.text)
    }

    private static func holder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        let digits = bytes.prefix(max(count, 0)).prefix { $0 >= 48 && $0 <= 57 }
        return digits.isEmpty ? "" : " (pid \(String(decoding: digits, as: UTF8.self)))"
    }

    /// Flushes the entries of directory `path`, so that files made in it stay.
    static func sync(_ path: String) throws(SystemError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open", path) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError("fsync", path) }
    }
}
