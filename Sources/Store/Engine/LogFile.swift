// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// One file of the log.
struct LogFile: Sendable {
    let path: String
    private(set) var descriptor: Int32
    let capacity: Int
    /// Where the next frame goes.
    var end = 0
    /// The last frame in it.
    var lastSequence: UInt64 = 0
    /// Whether it is written past the page cache, in whole blocks.
    private(set) var isDirect = false

    /// `O_DIRECT`, which Glibc's header says in a way that Swift cannot read.
    ///
    /// Source: Linux `arch/*/include/uapi/asm/fcntl.h`.
    #if arch(arm64)
        private static let direct: Int32 = 0o200000
    #else
        private static let direct: Int32 = 0o40000
    #endif

    /// A file that is there.
    init(path: String, descriptor: Int32, capacity: Int) {
        self.path = path
        self.descriptor = descriptor
        self.capacity = capacity
    }

    /// Makes a file of zeros. On return it is durable, but for its name in the directory.
    init(creating path: String, capacity: Int) throws(SystemError) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("create", path) }
        self.init(path: path, descriptor: descriptor, capacity: capacity)
        do throws(SystemError) {
            guard allocateBlocks(descriptor, 0, capacity) else {
                throw SystemError("allocate", path)
            }
            let zeros = [UInt8](repeating: 0, count: 1 << 20)
            var offset = 0
            while offset < capacity {
                let count = min(zeros.count, capacity - offset)
                try zeros.span.withUnsafeBytes { buffer throws(SystemError) in
                    try self.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: offset)
                }
                offset += count
            }
            guard fsync(descriptor) == 0 else { throw SystemError("fsync", path) }
        } catch {
            Glibc.close(descriptor)
            unlink(path)
            throw error
        }
    }

    /// Has frames written past the page cache from now on, if the file system can do that with
    /// `LogStage`'s blocks.
    ///
    /// The disk then gets a frame as soon as it is written, not when it is flushed, and the frame is
    /// not copied to pages that are never read.
    mutating func openDirectly() {
        guard self.capacity > 0, self.capacity == LogStage.wholeBlocks(self.capacity) else {
            return
        }
        let direct = Glibc.open(self.path, O_RDWR | Self.direct | O_CLOEXEC)
        guard direct >= 0 else { return }
        // Some file systems take the flag and then refuse to read and write.
        guard LogStage.canRead(direct) else {
            Glibc.close(direct)
            return
        }
        // What making or reading the file has left in the page cache is of no use any more.
        posix_fadvise(self.descriptor, 0, 0, POSIX_FADV_DONTNEED)
        Glibc.close(self.descriptor)
        self.descriptor = direct
        self.isDirect = true
    }

    /// Appends a frame; on return it is durable.
    ///
    /// - Parameter stage: Used for no other file between the first and the last frame of this one.
    mutating func append(
        _ frame: UnsafeRawBufferPointer,
        _ stage: LogStage
    ) throws(SystemError) {
        if self.isDirect {
            let start = self.end - self.end % LogStage.blockBytes
            try self.write(stage.place(frame, behind: self.end - start), at: start)
        } else {
            try self.write(frame, at: self.end)
        }
        guard fdatasync(self.descriptor) == 0 else { throw SystemError("fdatasync", self.path) }
        self.end += frame.count
        if self.isDirect { stage.keep(self.end % LogStage.blockBytes) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(self.descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("write", self.path)
            }
            if count == 0 {
                errno = EIO
                throw SystemError("write", self.path)
            }
            done += count
        }
    }
}
