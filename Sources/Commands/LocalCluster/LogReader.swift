// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import NodeHost

/// The log files of a cluster's processes.
public struct LogReader: Sendable {
    private let layout: ClusterLayout

    public init(_ layout: ClusterLayout) {
        self.layout = layout
    }

    /// How often a file is looked at for more.
    private static let pause = Duration.milliseconds(200)
    private static let suffix = ".log"

    /// The processes that have a log, sorted.
    public var names: [String] {
        HostFiles.list(self.layout.logs)
            .filter { $0.hasSuffix(Self.suffix) }
            .map { String($0.dropLast(Self.suffix.count)) }
    }

    /// Hands the last lines of the logs over, each whole and without its end, then, with
    /// `follows`, those that are added, until the task is cancelled.
    ///
    /// - Parameter count: how many lines of each at first; nil for all.
    public func read(
        _ names: [String],
        last count: Int?,
        follows: Bool,
        _ take: (_ name: String, _ line: Substring) -> Void
    ) async throws(FileError) {
        var files: [(name: String, file: LogFile)] = []
        for name in names { files.append((name, LogFile(self.layout.log(name)))) }
        for index in files.indices {
            let lines = try files[index].file.lines()
            for line in lines.suffix(count ?? lines.count) { take(files[index].name, line) }
        }
        while follows {
            guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
            for index in files.indices {
                for line in try files[index].file.lines() { take(files[index].name, line) }
            }
        }
    }
}

/// A file that grows, and may be cut off.
private struct LogFile {
    private let path: String
    private var offset: off_t = 0
    /// The beginning of a line whose end is not written yet.
    private var rest = ""

    init(_ path: String) {
        self.path = path
    }

    /// The whole lines that have come since the last call.
    mutating func lines() throws(FileError) -> [Substring] {
        let descriptor = open(self.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return [] }
            throw .last("open", self.path)
        }
        defer { _ = close(descriptor) }
        if lseek(descriptor, 0, SEEK_END) < self.offset { (self.offset, self.rest) = (0, "") }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, self.offset)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read", self.path) }
            if count == 0 { break }
            content += buffer[..<count]
            self.offset += off_t(count)
        }
        let text = self.rest + String(decoding: content, as: UTF8.self)
        guard let end = text.lastIndex(of: "\n") else {
            self.rest = text
            return []
        }
        self.rest = String(text[text.index(after: end)...])
        return text[..<end].split(separator: "\n", omittingEmptySubsequences: false)
    }
}
