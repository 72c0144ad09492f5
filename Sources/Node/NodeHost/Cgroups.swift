// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CLinux
import Glibc

/// The kubelet's own part of the cgroup tree: a folder for each QoS class and each pod.
///
/// Names and places are upstream's with the `cgroupfs` driver: `/kubepods`, `/kubepods/burstable`,
/// `/kubepods/besteffort`, and in them `pod<uid>`. With cgroup v1 a group exists in each
/// controller's hierarchy, with v2 once.
package struct Cgroups: Sendable {
    package enum Version: Sendable, Equatable { case v1, v2 }

    /// Settings of one group; nil leaves the kernel's.
    package struct Settings: Sendable, Equatable {
        package var cpuShares: Int64?
        /// Microseconds in each period; -1 without limit.
        package var cpuQuota: Int64?
        package var cpuPeriod: Int64?
        package var memoryLimit: Int64?
        package var pidsLimit: Int64?

        package init() {}
    }

    package let version: Version
    /// Where cgroups are mounted.
    package let mountPoint: String
    /// The group above `kubepods`, such as `/` or `/apus`.
    package let root: String

    /// Hierarchies of v1 that a pod's group is made in: of controllers, and the one of v2 beside
    /// them, in which the runtime makes groups too.
    static let controllers = [
        "cpu", "cpuacct", "cpuset", "memory", "pids", "blkio", "devices",
        "freezer", "systemd", "hugetlb", "net_cls", "net_prio", "perf_event", "unified",
    ]

    package init(mountPoint: String = "/sys/fs/cgroup", root: String = "/") {
        self.mountPoint = mountPoint
        self.root = root == "/" ? "" : root
        let hasControllers = HostFiles.exists(mountPoint + "/cgroup.controllers")
        self.version = hasControllers ? .v2 : .v1
    }

    /// The path of a group as the runtime takes it: `/kubepods/burstable/pod…`.
    package func path(_ name: String) -> String { self.root + "/" + name }

    /// The folders of a group.
    package func folders(_ name: String) -> [String] {
        let path = self.path(name)
        switch self.version {
        case .v2: return [self.mountPoint + path]
        case .v1:
            return Self.controllers.map { self.mountPoint + "/" + $0 }
                .filter { HostFiles.isDirectory($0) }
                .map { $0 + path }
        }
    }

    private func folder(_ controller: String, _ name: String) -> String {
        self.version == .v2
            ? self.mountPoint + self.path(name)
            : "\(self.mountPoint)/\(controller)\(self.path(name))"
    }

    /// Makes a group and sets what `settings` says.
    package func ensure(_ name: String, _ settings: Settings) throws(HostError) {
        for folder in self.folders(name) { try HostFiles.makeDirectory(folder) }
        switch self.version {
        case .v1:
            self.inheritCPUSets(name)
        case .v2:
            self.enableControllers(name)
        }
        try self.apply(name, settings)
    }

    /// A new cpuset group of v1 has no processors until it is told some.
    private func inheritCPUSets(_ name: String) {
        var parent = self.mountPoint + "/cpuset"
        for part in self.path(name).split(separator: "/") {
            let folder = parent + "/" + part
            for file in ["cpuset.cpus", "cpuset.mems"] {
                guard HostFiles.text("\(folder)/\(file)") == "",
                    let value = HostFiles.text("\(parent)/\(file)")
                else { continue }
                try? HostFiles.set("\(folder)/\(file)", value)
            }
            parent = folder
        }
    }

    private func enableControllers(_ name: String) {
        let wanted = HostFiles.text(self.mountPoint + "/cgroup.controllers") ?? ""
        let line = wanted.split(separator: " ").map { "+\($0)" }.joined(separator: " ")
        var folder = self.mountPoint
        for part in self.path(name).split(separator: "/") {
            try? HostFiles.set(folder + "/cgroup.subtree_control", line)
            folder += "/" + part
        }
        try? HostFiles.set(folder + "/cgroup.subtree_control", line)
    }

    private func apply(_ name: String, _ settings: Settings) throws(HostError) {
        let cpu = self.folder("cpu", name)
        if let shares = settings.cpuShares {
            switch self.version {
            case .v1: try HostFiles.set(cpu + "/cpu.shares", "\(shares)")
            case .v2:
                let weight = 1 + (max(shares, 2) - 2) * 9999 / 262_142
                try HostFiles.set(cpu + "/cpu.weight", "\(weight)")
            }
        }
        if let quota = settings.cpuQuota {
            let period = settings.cpuPeriod ?? 100_000
            switch self.version {
            case .v1:
                try HostFiles.set(cpu + "/cpu.cfs_period_us", "\(period)")
                try HostFiles.set(cpu + "/cpu.cfs_quota_us", "\(quota > 0 ? quota : -1)")
            case .v2:
                let value = quota > 0 ? "\(quota)" : "max"
                try HostFiles.set(cpu + "/cpu.max", "\(value) \(period)")
            }
        }
        if let limit = settings.memoryLimit {
            let memory = self.folder("memory", name)
            let file = self.version == .v1 ? "memory.limit_in_bytes" : "memory.max"
            let none = self.version == .v1 ? "-1" : "max"
            try HostFiles.set("\(memory)/\(file)", limit > 0 ? "\(limit)" : none)
        }
        if let limit = settings.pidsLimit {
            let pids = self.folder("pids", name)
            if HostFiles.exists(pids + "/pids.max") {
                try HostFiles.set(pids + "/pids.max", limit > 0 ? "\(limit)" : "max")
            }
        }
    }

    package func exists(_ name: String) -> Bool {
        HostFiles.isDirectory(self.folder("memory", name))
    }

    /// Names of groups directly in a group.
    package func children(_ name: String) -> [String] {
        let folder = self.folder("memory", name)
        return HostFiles.list(folder).filter { HostFiles.isDirectory("\(folder)/\($0)") }
    }

    /// Processes in a group and those below it.
    package func processes(_ name: String) -> [Int32] {
        var result: Set<Int32> = []
        for folder in self.folders(name) { Self.collect(folder, &result) }
        return result.sorted()
    }

    private static func collect(_ folder: String, _ result: inout Set<Int32>) {
        for line in (HostFiles.text(folder + "/cgroup.procs") ?? "").split(separator: "\n") {
            if let process = Int32(line) { result.insert(process) }
        }
        for name in HostFiles.list(folder) where HostFiles.isDirectory("\(folder)/\(name)") {
            Self.collect("\(folder)/\(name)", &result)
        }
    }

    /// Ends what still runs in a group and removes it with those below it.
    ///
    /// - Returns: whether it is gone; a group whose processes are not over yet is not.
    @discardableResult
    package func remove(_ name: String) -> Bool {
        for process in self.processes(name) { kill(process, SIGKILL) }
        var isGone = true
        for folder in self.folders(name) where HostFiles.isDirectory(folder) {
            isGone = Self.removeGroup(folder) && isGone
        }
        return isGone
    }

    private static func removeGroup(_ folder: String) -> Bool {
        for name in HostFiles.list(folder) where HostFiles.isDirectory("\(folder)/\(name)") {
            _ = Self.removeGroup("\(folder)/\(name)")
        }
        return rmdir(folder) == 0 || errno == ENOENT
    }
}
