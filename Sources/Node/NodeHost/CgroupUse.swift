// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// What a group of processes uses.
package struct CgroupUse: Sendable, Equatable {
    /// Nanoseconds since the group was made.
    package var cpuNanoseconds: UInt64 = 0
    package var memoryBytes: UInt64 = 0
    /// Without file cache that could be given back.
    package var workingSetBytes: UInt64 = 0
    package var rssBytes: UInt64 = 0
    package var pageFaults: UInt64 = 0
    package var majorPageFaults: UInt64 = 0
    package var processes: UInt64 = 0
    /// Times that the kernel killed for want of memory.
    package var oomKills: UInt64 = 0

    package init() {}
}

extension Cgroups {
    /// What the group at `path`, from the root of the tree, uses.
    package func use(ofPath path: String) -> CgroupUse? {
        switch self.version {
        case .v1: self.useV1(path)
        case .v2: self.useV2(path)
        }
    }

    /// What one of the kubelet's groups uses.
    package func use(_ name: String) -> CgroupUse? { self.use(ofPath: self.path(name)) }

    private func useV1(_ path: String) -> CgroupUse? {
        let memory = "\(self.mountPoint)/memory\(path)"
        guard let usage = Self.number("\(memory)/memory.usage_in_bytes") else { return nil }
        var use = CgroupUse()
        use.cpuNanoseconds =
            Self.number("\(self.mountPoint)/cpuacct\(path)/cpuacct.usage") ?? 0
        let stat = Self.table("\(memory)/memory.stat")
        use.memoryBytes = usage
        let inactive = stat["total_inactive_file"] ?? 0
        use.workingSetBytes = usage > inactive ? usage - inactive : 0
        use.rssBytes = stat["total_rss"] ?? 0
        use.pageFaults = stat["total_pgfault"] ?? 0
        use.majorPageFaults = stat["total_pgmajfault"] ?? 0
        use.processes = Self.number("\(self.mountPoint)/pids\(path)/pids.current") ?? 0
        use.oomKills = Self.table("\(memory)/memory.oom_control")["oom_kill"] ?? 0
        return use
    }

    private func useV2(_ path: String) -> CgroupUse? {
        let folder = self.mountPoint + path
        let cpu = Self.table("\(folder)/cpu.stat")
        guard let microseconds = cpu["usage_usec"] else { return nil }
        var use = CgroupUse()
        use.cpuNanoseconds = microseconds &* 1000
        let stat = Self.table("\(folder)/memory.stat")
        use.memoryBytes = Self.number("\(folder)/memory.current") ?? 0
        let inactive = stat["inactive_file"] ?? 0
        use.workingSetBytes = use.memoryBytes > inactive ? use.memoryBytes - inactive : 0
        use.rssBytes = stat["anon"] ?? 0
        use.pageFaults = stat["pgfault"] ?? 0
        use.majorPageFaults = stat["pgmajfault"] ?? 0
        use.processes = Self.number("\(folder)/pids.current") ?? 0
        use.oomKills = Self.table("\(folder)/memory.events")["oom_kill"] ?? 0
        return use
    }

    private static func number(_ path: String) -> UInt64? {
        HostFiles.text(path).flatMap { UInt64($0) }
    }

    private static func table(_ path: String) -> [String: UInt64] {
        var result: [String: UInt64] = [:]
        for line in (HostFiles.text(path) ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2, let value = UInt64(fields[1]) {
                result[String(fields[0])] = value
            }
        }
        return result
    }
}
