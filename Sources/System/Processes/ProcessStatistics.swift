// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// What `/proc` says about a process (proc(5)).
public struct ProcessStatistics: Sendable, Hashable {
    /// When it was started, in clock ticks since the machine was; with the process' number it names
    /// one process for ever.
    public let startTicks: UInt64
    /// Time on processors, user and system.
    public let processorTime: Duration
    /// Memory in RAM, shared pages included, in bytes.
    public let residentBytes: Int
    /// Whether it has ended and waits for its parent to notice.
    public let isZombie: Bool

    /// The figures of a process; nil when there is none.
    public init?(processID: Int32) {
        guard let text = Self.read("/proc/\(processID)/stat") else { return nil }
        self.init(stat: text, ticksPerSecond: sysconf(Int32(_SC_CLK_TCK)), pageBytes: getpagesize())
    }

    /// - Parameter stat: the content of `/proc/PID/stat`; the name of the program in it may hold
    ///   anything, so fields are counted from its last parenthesis.
    init?(stat: String, ticksPerSecond: Int, pageBytes: Int32) {
        guard let close = stat.utf8.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = stat[stat.utf8.index(after: close)...].split(separator: " ")
        // The first of these is field 3 of proc(5).
        guard fields.count > 21, let user = Int64(fields[11]), let system = Int64(fields[12]),
            let start = UInt64(fields[19]), let pages = Int(fields[21]), ticksPerSecond > 0
        else { return nil }
        self.startTicks = start
        self.processorTime = .milliseconds((user + system) * 1000 / Int64(ticksPerSecond))
        self.residentBytes = pages * Int(pageBytes)
        self.isZombie = fields[0] == "Z"
    }

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
