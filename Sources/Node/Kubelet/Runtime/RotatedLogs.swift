// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import NodeHost

/// The older parts of a container's log: `N.log.20060102-150405`, all but the newest with `.gz`.
///
/// Source: upstream `pkg/kubelet/logs/container_log_manager.go`.
struct RotatedLogs: Sendable, Equatable {
    /// Names to be removed: garbage, and more than there may be.
    var removals: [String] = []
    /// Names to be compressed.
    var compressions: [String] = []

    /// What is to be done in a folder before the log is rotated once more.
    ///
    /// - Parameters:
    ///   - names: everything in the folder.
    ///   - maximum: how many files a container's log may have, the present one and the next rotated
    ///     one among them.
    init(of log: String, among names: [String], maximum: Int) {
        let all = Set(names)
        var kept: [String] = []
        for name in names.sorted() where name.hasPrefix(log + ".") {
            let isGarbage =
                name.hasSuffix(GzipFile.temporarySuffix) || all.contains(name + GzipFile.suffix)
            if isGarbage { self.removals.append(name) } else { kept.append(name) }
        }
        let excess = max(0, kept.count - max(0, maximum - 2))
        self.removals += kept.prefix(excess)
        self.compressions = kept.dropFirst(excess).filter { !$0.hasSuffix(GzipFile.suffix) }
    }

    /// All older parts of a log. Blocks.
    static func paths(of log: String) -> [String] {
        guard let slash = log.lastIndex(of: "/") else { return [] }
        let folder = String(log[..<slash])
        let name = String(log[log.index(after: slash)...])
        return HostFiles.list(folder).filter { $0.hasPrefix(name + ".") }.map { "\(folder)/\($0)" }
    }

    /// The name of the next part: the log's with a time in UTC.
    static func name(of log: String, at seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        let two = { (value: Int32) in value < 10 ? "0\(value)" : "\(value)" }
        let date = "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
        return "\(log).\(date)-\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))"
    }
}
