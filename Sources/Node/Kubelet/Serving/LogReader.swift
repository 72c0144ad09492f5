// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import NodeHost

/// Reads a container's log in CRI's format: `TIME STREAM TAGS CONTENT`, where the tag `P` says that
/// the line goes on.
///
/// Source: upstream `pkg/kubelet/kuberuntime/logs/logs.go`.
struct LogReader: Sendable {
    struct Options: Sendable {
        var follows = false
        /// Lines before this time are left out; nanoseconds since 1970.
        var since: Int64?
        var tail: Int64?
        var limitBytes: Int64?
        var showsTimestamps = false
        /// `stdout`, `stderr`, or nil for both.
        var stream: String?
    }

    /// Bytes that are read and sent at once.
    private static let chunkBytes = 64 << 10
    /// Between looks at a file that nothing told about.
    private static let pollInterval: Duration = .seconds(1)

    let path: String
    let options: Options

    /// Sends the log.
    ///
    /// - Parameter isRunning: whether the container may still write.
    func run(
        isRunning: @escaping @Sendable () async -> Bool,
        _ send: ([UInt8]) async throws -> Void
    ) async throws {
        let path = self.path
        var file = try await HostThreads.run { () throws(HostError) in try OpenFile(path) }
        if let tail = self.options.tail {
            let opened = file
            await HostThreads.run { opened.seek(toLast: Int(clamping: max(0, tail))) }
        }
        let wakeup = Wakeup()
        var watch: FolderWatch?
        if self.options.follows {
            let folder = path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
            watch = await FolderWatch.start(folder, writes: true) { wakeup.wake() }
        }
        defer { watch?.stop() }
        var parser = Parser(options: self.options)
        var next: OpenFile?
        while !Task.isCancelled {
            let current = file
            let wasRunning = self.options.follows ? await isRunning() : false
            let bytes = try await HostThreads.run { () throws(HostError) in
                try current.read(Self.chunkBytes)
            }
            if !bytes.isEmpty {
                let output = parser.take(bytes)
                if !output.isEmpty { try await send(output) }
                if parser.isFull { return }
                continue
            }
            guard self.options.follows else { return }
            // What was written before the log was rotated is read to its end first.
            if let following = next {
                file = following
                next = nil
                continue
            }
            next = await HostThreads.run { current.replacement() }
            if next != nil { continue }
            if !wasRunning { return }
            await wakeup.wait(for: Self.pollInterval)
        }
    }

    /// Turns lines of the file into what is asked for.
    struct Parser {
        let options: Options
        private var partial: [UInt8] = []
        private var left: Int64
        /// Whether as many bytes were given as were asked for.
        private(set) var isFull: Bool

        init(options: Options) {
            self.options = options
            self.left = options.limitBytes ?? .max
            self.isFull = self.left <= 0
        }

        /// The output of more bytes of the file.
        mutating func take(_ bytes: [UInt8]) -> [UInt8] {
            self.partial += bytes
            var output: [UInt8] = []
            var start = 0
            while let end = self.partial[start...].firstIndex(of: 0x0a) {
                self.line(self.partial[start..<end], &output)
                start = end + 1
                if self.isFull { break }
            }
            self.partial.removeFirst(start)
            return output
        }

        private mutating func line(_ line: ArraySlice<UInt8>, _ output: inout [UInt8]) {
            let fields = line.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count == 4 else { return }
            if let stream = self.options.stream, !fields[1].elementsEqual(stream.utf8) { return }
            if let since = self.options.since {
                let text = String(decoding: fields[0], as: UTF8.self)
                if let time = LogTime.nanoseconds(text), time < since { return }
            }
            var text: [UInt8] = []
            if self.options.showsTimestamps { text += LogTime.fixed(fields[0]) + [0x20] }
            text += fields[3]
            let isPartial = fields[2].first == UInt8(ascii: "P")
            if !isPartial { text.append(0x0a) }
            if Int64(text.count) >= self.left {
                text = Array(text.prefix(Int(self.left)))
                self.isFull = true
            }
            self.left -= Int64(text.count)
            output += text
        }
    }
}

/// A file that is read to its present end, again and again.
final class OpenFile: Sendable {
    private let path: String
    private let descriptor: Int32

    init(_ path: String) throws(HostError) {
        self.path = path
        self.descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else { throw HostError("open", path) }
    }

    deinit { close(self.descriptor) }

    func read(_ count: Int) throws(HostError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let done = Glibc.read(self.descriptor, &buffer, count)
        guard done >= 0 else { throw HostError("read", self.path) }
        return Array(buffer[..<done])
    }

    /// Goes to where the last so many lines begin.
    func seek(toLast lines: Int) {
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else { return }
        var offset = Int(status.st_size)
        var found = 0
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        search: while offset > 0 {
            let count = min(buffer.count, offset)
            offset -= count
            guard pread(self.descriptor, &buffer, count, offset) == count else { break }
            for index in stride(from: count - 1, through: 0, by: -1) where buffer[index] == 0x0a {
                // The last line's own end does not begin another.
                if offset + index == Int(status.st_size) - 1 {
                    if lines == 0 {
                        offset = Int(status.st_size)
                        break search
                    }
                    continue
                }
                found += 1
                if found == lines {
                    offset += index + 1
                    break search
                }
            }
        }
        lseek(self.descriptor, lines == 0 ? Int(status.st_size) : offset, SEEK_SET)
    }

    /// The file that stands at the path now, when it is another: the log was rotated.
    func replacement() -> OpenFile? {
        var own = stat()
        guard fstat(self.descriptor, &own) == 0, let there = HostFiles.status(self.path),
            there.st_ino != own.st_ino
        else { return nil }
        return try? OpenFile(self.path)
    }
}
