// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc
internal import Synchronization

/// The log of a store: frames in a handful of files that are written in turn, over and over.
///
/// A file is filled with zeros when it is made. Writing a frame then changes neither its size nor
/// where its blocks are, and flushing it writes the frame and nothing else. A file is used again
/// once all its frames are in the table; frames of its last turn may follow the new ones in it, and
/// are told apart by their lower numbers.
///
/// `append` and `prepare` belong to the writer thread; `release` may be called by another.
final class LogFiles: Sendable {
    /// The size of a file that is not made for one big frame.
    static let standardFileBytes = 8 << 20
    /// Unused files kept for later; more are removed.
    static let spareFiles = 3

    private struct State {
        /// The file being written.
        var current: LogFile?
        /// Files with frames that are not in the table, oldest first.
        var full: [LogFile] = []
        /// Files without any.
        var free: [LogFile] = []
        var nextNumber: UInt64 = 1
        var released: UInt64 = 0
    }

    private let directory: String
    private let fileBytes: Int
    private let writesDirectly: Bool
    private let state: Mutex<State>
    private let stage = LogStage()

    private init(
        directory: String,
        fileBytes: Int,
        writesDirectly: Bool,
        state: consuming State
    ) {
        self.directory = directory
        self.fileBytes = LogStage.wholeBlocks(fileBytes)
        self.writesDirectly = writesDirectly
        self.state = Mutex(state)
    }

    deinit {
        self.state.withLock { state in
            let files = state.free + state.full + (state.current.map { [$0] } ?? [])
            for file in files { Glibc.close(file.descriptor) }
            state = State()
        }
    }

    /// The bytes of all files.
    var allocatedBytes: Int64 {
        self.state.withLock { state in
            let files = state.free + state.full
            let total = files.reduce(0) { $0 + $1.capacity } + (state.current?.capacity ?? 0)
            return Int64(total)
        }
    }

    // MARK: - Writing

    /// Makes sure that `bytes` can be appended without making a file.
    func prepare(bytes: Int) throws(BackendError) {
        let needed = Frame.padded(bytes)
        let newNumber: UInt64? = self.state.withLock { state in
            if let file = state.current, file.capacity - file.end >= needed { return nil }
            if state.free.contains(where: { $0.capacity >= needed }) { return nil }
            state.nextNumber += 1
            return state.nextNumber - 1
        }
        guard let number = newNumber else { return }
        let file = try self.makeFile(number: number, capacity: max(needed, self.fileBytes))
        self.state.withLock { $0.free.append(file) }
    }

    /// Appends a frame; on return it is durable. After an error the log must not be used again.
    func append(_ frame: UnsafeRawBufferPointer, sequence: UInt64) throws(BackendError) {
        var file = try self.room(for: frame.count)
        do throws(SystemError) {
            try file.append(frame, self.stage)
        } catch {
            throw .failed(error.text)
        }
        file.lastSequence = sequence
        let written = file
        self.state.withLock { $0.current = written }
    }

    /// The file the next frame goes to.
    private func room(for bytes: Int) throws(BackendError) -> LogFile {
        try self.prepare(bytes: bytes)
        let file: LogFile? = self.state.withLock { state in
            if let file = state.current {
                if file.capacity - file.end >= bytes { return file }
                if file.lastSequence > state.released {
                    state.full.append(file)
                } else {
                    state.free.append(file)
                }
                state.current = nil
            }
            guard let index = state.free.firstIndex(where: { $0.capacity >= bytes }) else {
                return nil
            }
            var next = state.free.remove(at: index)
            next.end = 0
            next.lastSequence = 0
            state.current = next
            return next
        }
        guard let file else {
            // Only the current file was big enough, and it is not free any more.
            let number = self.state.withLock { state in
                state.nextNumber += 1
                return state.nextNumber - 1
            }
            let made = try self.makeFile(number: number, capacity: max(bytes, self.fileBytes))
            self.state.withLock { $0.current = made }
            return made
        }
        return file
    }

    /// Lets files be used again whose frames are all in the table.
    func release(through sequence: UInt64) {
        let removed: [LogFile] = self.state.withLock { state in
            state.released = max(state.released, sequence)
            while let file = state.full.first, file.lastSequence <= sequence {
                state.full.removeFirst()
                state.free.append(file)
            }
            var removed: [LogFile] = []
            // Files made for one big frame go first, then those beyond the spare ones.
            state.free.removeAll { file in
                if file.capacity <= self.fileBytes { return false }
                removed.append(file)
                return true
            }
            while state.free.count > Self.spareFiles { removed.append(state.free.removeLast()) }
            return removed
        }
        for file in removed {
            Glibc.close(file.descriptor)
            // A file that cannot be removed is found again and used when the store is opened.
            unlink(file.path)
        }
    }

    private func makeFile(number: UInt64, capacity: Int) throws(BackendError) -> LogFile {
        let path = "\(self.directory)/\(Self.name(number))"
        let capacity = LogStage.wholeBlocks(capacity)
        do throws(SystemError) {
            var file = try LogFile(creating: path, capacity: capacity)
            do throws(SystemError) {
                try DataDirectory.sync(self.directory)
            } catch {
                Glibc.close(file.descriptor)
                unlink(path)
                throw error
            }
            if self.writesDirectly { file.openDirectly() }
            return file
        } catch {
            throw error.unwritten
        }
    }

    private static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".log"
    }

    // MARK: - Opening

    /// A frame found in the log, in memory of its own.
    struct FoundFrame {
        var header: Frame.Header
        var bytes: [UInt8]
    }

    /// Opens the log in `directory`, making it if needed.
    ///
    /// - Parameters:
    ///   - writesDirectly: Whether frames go past the page cache where the file system can do that.
    ///   - state: What the table has. Its clean mark is false if the log must be there.
    ///   - recover: Called, in order, with the frames the table does not have.
    /// - Throws: `damaged` if a frame is missing or damaged that has another one after it, since
    ///   that other one was only written after the first was durable.
    static func open(
        directory: String,
        fileBytes: Int = LogFiles.standardFileBytes,
        writesDirectly: Bool = true,
        state table: TableState,
        recover: (FoundFrame) throws(BackendError) -> Void
    ) throws(BackendError) -> LogFiles {
        if mkdir(directory, 0o700) == 0 {
            if !table.isClean {
                rmdir(directory)
                throw .damaged("\(directory) is missing, and with it writes not in the table yet")
            }
        } else if errno != EEXIST {
            throw SystemError("create", directory).unwritten
        }
        var names = try self.names(in: directory)
        names.sort()
        if names.isEmpty, !table.isClean {
            throw .damaged("\(directory) is empty, and with it writes not in the table yet")
        }
        var state = State()
        state.released = table.sequence
        var found: [(frame: FoundFrame, path: String)] = []
        var strays: [(sequence: UInt64, place: String)] = []
        for name in names {
            let path = "\(directory)/\(name)"
            let number = UInt64(name.dropLast(4)) ?? 0
            state.nextNumber = max(state.nextNumber, number + 1)
            let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
            guard descriptor >= 0 else { throw .failed(SystemError("open", path).text) }
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try self.readAll(descriptor, path)
            } catch {
                Glibc.close(descriptor)
                throw .failed(error.text)
            }
            var file = LogFile(path: path, descriptor: descriptor, capacity: bytes.count)
            if writesDirectly { file.openDirectly() }
            state.free.append(file)
            bytes.withUnsafeBytes { buffer in
                let end = self.collectRun(buffer, after: table.sequence) { header, offset in
                    let frame = [UInt8](buffer[offset..<(offset + header.totalBytes)])
                    found.append((FoundFrame(header: header, bytes: frame), path))
                }
                self.collectStrays(buffer, from: end) { header, offset in
                    strays.append((header.sequence, "\(path) at \(offset)"))
                }
            }
        }
        found.sort { $0.frame.header.sequence < $1.frame.header.sequence }
        var sequence = table.sequence
        var checksum = table.frameChecksum
        for (frame, path) in found {
            guard frame.header.sequence == sequence + 1 else {
                throw .damaged(
                    "\(directory): frame \(sequence + 1) is missing before frame "
                        + "\(frame.header.sequence) in \(path)"
                )
            }
            guard sequence == 0 || frame.header.previousChecksum == checksum else {
                throw .damaged("\(path): frame \(sequence + 1) does not follow the one before it")
            }
            sequence += 1
            checksum = frame.header.checksum
        }
        if let stray = strays.first(where: { $0.sequence > sequence }) {
            throw .damaged(
                "\(directory): frame \(sequence + 1) is damaged or missing; frame "
                    + "\(stray.sequence) is in \(stray.place)"
            )
        }
        for (frame, _) in found { try recover(frame) }
        state.released = sequence
        return LogFiles(
            directory: directory,
            fileBytes: fileBytes,
            writesDirectly: writesDirectly,
            state: state
        )
    }

    private static func names(in directory: String) throws(BackendError) -> [String] {
        guard let handle = opendir(directory) else {
            throw .failed(SystemError("open", directory).text)
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { buffer in
                String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".log"), UInt64(name.dropLast(4)) != nil { names.append(name) }
        }
        return names
    }

    private static func readAll(
        _ descriptor: Int32,
        _ path: String
    ) throws(SystemError) -> [UInt8] {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw SystemError("stat", path) }
        var bytes = [UInt8](repeating: 0, count: Int(info.st_size))
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                return pread(descriptor, rest.baseAddress, rest.count, off_t(done))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", path)
            }
            if count == 0 { break }
            done += count
        }
        return bytes
    }

    /// Walks the frames from the start of a file as long as each follows the one before it, and
    /// gives those after `sequence`. Answers where the walk ended.
    private static func collectRun(
        _ file: UnsafeRawBufferPointer,
        after sequence: UInt64,
        _ body: (Frame.Header, Int) -> Void
    ) -> Int {
        var offset = 0
        var last: Frame.Header?
        while offset < file.count {
            let rest = UnsafeRawBufferPointer(rebasing: file[offset...])
            guard let header = Frame.open(rest), header.totalBytes <= rest.count else { break }
            if let last {
                guard header.sequence == last.sequence + 1,
                    header.previousChecksum == last.checksum
                else { break }
            }
            if header.sequence > sequence { body(header, offset) }
            last = header
            offset += header.totalBytes
        }
        return offset
    }

    /// Finds sound frames anywhere behind the run.
    private static func collectStrays(
        _ file: UnsafeRawBufferPointer,
        from start: Int,
        _ body: (Frame.Header, Int) -> Void
    ) {
        var offset = start
        while offset + Frame.headerBytes <= file.count {
            if Frame.load(file, offset, as: UInt32.self) == Frame.magic {
                let rest = UnsafeRawBufferPointer(rebasing: file[offset...])
                if let header = Frame.open(rest) { body(header, offset) }
            }
            offset += Frame.alignment
        }
    }
}

/// `posix_fallocate` with its result in `errno`. A file system that cannot do it is fine: what
/// follows writes the blocks anyway.
func allocateBlocks(_ descriptor: Int32, _ offset: Int, _ count: Int) -> Bool {
    while true {
        let code = posix_fallocate(descriptor, off_t(offset), off_t(count))
        if code == EINTR { continue }
        if code == 0 || code == EOPNOTSUPP || code == EINVAL { return true }
        errno = code
        return false
    }
}
