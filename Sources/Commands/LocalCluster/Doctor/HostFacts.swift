// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// What a machine is, as far as a cluster cares. Gathered by ``gather(_:)``, judged by
/// ``HostChecks``, which touches nothing.
struct HostFacts: Sendable {
    var isRoot = true
    var hostName = "localhost"
    /// Programs that a node runs, by name, with where they are; nil for those that are not there.
    var programs: [String: String?] = [:]
    /// The folder with the CNI plugins, and those that it lacks.
    var pluginFolder: String?
    var missingPlugins: [String] = []
    /// File systems that the kernel knows.
    var fileSystems: Set<String> = []
    /// Controllers of cgroups that can be used.
    var controllers: Set<String> = []
    var cgroupVersion = 2
    /// Whether nftables answers; nil when nobody asked it, for want of root.
    var packetFilterProblem: String?
    /// Ports that are taken by another program.
    var takenPorts: [Int] = []
    var inotifyInstances = Int.max
    var inotifyWatches = Int.max
    var openFiles = Int.max
    var freeBytes = Int.max
    var freeInodes = Int.max
    var memoryBytes = Int.max
    /// The median time that the disk takes to make a small write durable.
    var syncTime = Duration.zero
    /// Seconds since 1970.
    var now: Int64 = 0
    /// When the cluster's CA begins to hold; nil without one.
    var authorityBegins: Int64?

    static let programNames = ["containerd", "runc", "containerd-shim-runc-v2", "ip"]
    static let pluginNames = ["bridge", "host-local", "loopback", "portmap"]
}

extension HostFacts {
    /// Looks at this machine. Blocks for tenths of a second: the disk is tried.
    ///
    /// - Parameter isRunning: whether the cluster is up, and so the owner of its ports.
    static func gather(_ layout: ClusterLayout, isRunning: Bool) -> HostFacts {
        var facts = HostFacts()
        facts.isRoot = geteuid() == 0
        facts.hostName = NodeAddress.hostName()
        for name in Self.programNames { facts.programs[name] = Self.find(name) }
        facts.pluginFolder = ContainerdConfiguration.pluginFolders.first {
            access($0, R_OK) == 0
        }
        let plugins = facts.pluginFolder ?? ""
        facts.missingPlugins = Self.pluginNames.filter { access("\(plugins)/\($0)", X_OK) != 0 }
        facts.fileSystems = Set(
            Self.text("/proc/filesystems").split(separator: "\n").compactMap {
                $0.split(whereSeparator: { $0 == "\t" || $0 == " " }).last.map(String.init)
            }
        )
        facts.readCgroups()
        if !isRunning {
            facts.takenPorts = ClusterLayout.Port.allCases.map(layout.port).filter(Self.isTaken)
        }
        facts.inotifyInstances = Self.number("/proc/sys/fs/inotify/max_user_instances")
        facts.inotifyWatches = Self.number("/proc/sys/fs/inotify/max_user_watches")
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            facts.openFiles = Int(clamping: limit.rlim_max)
        }
        facts.memoryBytes = sysconf(Int32(_SC_PHYS_PAGES)) * Int(getpagesize())
        facts.readDisk(layout)
        facts.now = Int64(time(nil))
        return facts
    }

    private mutating func readCgroups() {
        let unified = Self.text("/sys/fs/cgroup/cgroup.controllers")
        if unified.isEmpty {
            self.cgroupVersion = 1
            self.controllers = Set(
                ["cpu", "cpuset", "memory", "pids"].filter {
                    access("/sys/fs/cgroup/\($0)/cgroup.procs", R_OK) == 0
                }
            )
        } else {
            self.controllers = Set(
                unified.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
            )
        }
    }

    private mutating func readDisk(_ layout: ClusterLayout) {
        var folder = layout.dataDirectory
        while access(folder, F_OK) != 0, let slash = folder.lastIndex(of: "/"), folder != "/" {
            folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
        }
        var information = statvfs()
        if statvfs(folder, &information) == 0 {
            self.freeBytes = Int(information.f_bavail) * Int(information.f_frsize)
            self.freeInodes =
                information.f_files == 0 ? .max : Int(clamping: information.f_favail)
        }
        self.syncTime = Self.syncTime(in: folder) ?? .zero
    }

    // MARK: - Ways of looking

    private static func text(_ path: String) -> String {
        guard let bytes = try? ClusterFile.read(path) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func number(_ path: String) -> Int {
        Int(self.text(path).filter(\.isNumber)) ?? .max
    }

    private static func find(_ program: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        return path.split(separator: ":").map { "\($0)/\(program)" }.first {
            access($0, X_OK) == 0
        }
    }

    /// Whether a port of loopback cannot be had.
    private static func isTaken(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) != 0
            }
        }
    }

    /// How often the disk is tried.
    private static let syncRounds = 9

    /// The median time that a write of 4 kB and its sync take.
    private static func syncTime(in folder: String) -> Duration? {
        let path = "\(folder)/.apus-doctor.\(getpid())"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        defer {
            _ = close(descriptor)
            unlink(path)
        }
        let block = [UInt8](repeating: 0x61, count: 4096)
        var times: [Duration] = []
        for _ in 0..<Self.syncRounds {
            let start = ContinuousClock.now
            guard write(descriptor, block, block.count) == block.count, fdatasync(descriptor) == 0
            else { return nil }
            times.append(ContinuousClock.now - start)
        }
        return times.sorted()[Self.syncRounds / 2]
    }
}
