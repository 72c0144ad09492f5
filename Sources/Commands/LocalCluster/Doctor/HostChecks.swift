// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Judges whether a machine can run a cluster, and says how to mend what is missing.
struct HostChecks: Sendable {
    let facts: HostFacts
    let layout: ClusterLayout

    /// What is enough. Sources: etcd's and the kubelet's documentation, and the limits at which
    /// other distributions' users report failures.
    enum Least {
        static let inotifyInstances = 512
        static let inotifyWatches = 65_536
        static let openFiles = 65_536
        static let freeBytes = 2 << 30
        static let freeInodes = 100_000
        static let memoryBytes = 1 << 30
        /// etcd asks for 10 ms at the 99th percentile; a median above it is a slow disk.
        static let syncTime = Duration.milliseconds(10)
    }

    var findings: [Finding] {
        var list = [self.root, self.name] + self.programs
        list += [self.plugins, self.cgroups, self.overlay, self.packetFilter, self.ports]
        list += self.limits
        list += [self.space, self.memory, self.disk, self.clock]
        return list
    }

    private var root: Finding {
        self.facts.isRoot
            ? .ok("user", "root")
            : .failure(
                "user",
                "not root, which a node needs",
                fix: "run apus as root, or without a node: apus up --control-plane-only"
            )
    }

    private var name: Finding {
        let name = self.facts.hostName
        let isName = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
        return isName && !name.hasPrefix("-") && name.utf8.count <= 63
            ? .ok("host name", name)
            : .failure(
                "host name",
                "'\(name)' cannot be a node's name",
                fix: "apus up --node-name=NAME"
            )
    }

    private var programs: [Finding] {
        let packages = [
            "containerd": "containerd", "containerd-shim-runc-v2": "containerd", "runc": "runc",
            "ip": "iproute2",
        ]
        return HostFacts.programNames.map { name in
            if let path = self.facts.programs[name] ?? nil { return .ok(name, path) }
            return .failure(
                name,
                "not found in PATH",
                fix: "apt-get install \(packages[name] ?? name)"
            )
        }
    }

    private var plugins: Finding {
        guard let folder = self.facts.pluginFolder, self.facts.missingPlugins.isEmpty else {
            return .failure(
                "CNI plugins",
                "missing: \(self.facts.missingPlugins.joined(separator: ", "))",
                fix: "apt-get install containernetworking-plugins"
            )
        }
        return .ok("CNI plugins", folder)
    }

    private var cgroups: Finding {
        let needed = ["cpu", "cpuset", "memory", "pids"]
        let missing = needed.filter { !self.facts.controllers.contains($0) }
        guard missing.isEmpty else {
            return .failure(
                "cgroups",
                "version \(self.facts.cgroupVersion) without: \(missing.joined(separator: ", "))",
                fix: "mount them, or boot with cgroup_enable=\(missing.joined(separator: ","))"
            )
        }
        return .ok("cgroups", "version \(self.facts.cgroupVersion)")
    }

    private var overlay: Finding {
        self.facts.fileSystems.contains("overlay")
            ? .ok("overlayfs", "known to the kernel")
            : .failure("overlayfs", "unknown to the kernel", fix: "modprobe overlay")
    }

    private var packetFilter: Finding {
        guard let problem = self.facts.packetFilterProblem else {
            return .ok("nftables", self.facts.isRoot ? "answers" : "not asked without root")
        }
        return .failure("nftables", problem, fix: "modprobe nf_tables")
    }

    private var ports: Finding {
        let taken = self.facts.takenPorts
        guard !taken.isEmpty else { return .ok("ports", "free") }
        return .failure(
            "ports",
            "taken by others: \(taken.map(String.init).joined(separator: ", "))",
            fix: "end who has them (ss -ltnp), or: apus up --port-offset=10000"
        )
    }

    private var limits: [Finding] {
        [
            self.limit(
                "inotify instances",
                self.facts.inotifyInstances,
                Least.inotifyInstances,
                "sysctl -w fs.inotify.max_user_instances=\(Least.inotifyInstances)"
            ),
            self.limit(
                "inotify watches",
                self.facts.inotifyWatches,
                Least.inotifyWatches,
                "sysctl -w fs.inotify.max_user_watches=\(Least.inotifyWatches)"
            ),
            self.limit(
                "open files",
                self.facts.openFiles,
                Least.openFiles,
                "ulimit -Hn \(Least.openFiles)"
            ),
        ]
    }

    private func limit(_ subject: String, _ value: Int, _ least: Int, _ fix: String) -> Finding {
        if value == .max { return .ok(subject, "no limit is known") }
        return value >= least
            ? .ok(subject, "\(value)")
            : .warning(subject, "\(value); many pods need \(least)", fix: fix)
    }

    private var space: Finding {
        let mebibytes = self.facts.freeBytes >> 20
        let folder = self.layout.dataDirectory
        guard self.facts.freeBytes >= Least.freeBytes, self.facts.freeInodes >= Least.freeInodes
        else {
            return .warning(
                "disk space",
                "\(mebibytes) MiB and \(self.facts.freeInodes) inodes are free for \(folder)",
                fix: "make room, or put the cluster elsewhere: --data-dir"
            )
        }
        return .ok("disk space", "\(mebibytes) MiB are free for \(folder)")
    }

    private var memory: Finding {
        let mebibytes = self.facts.memoryBytes >> 20
        return self.facts.memoryBytes >= Least.memoryBytes
            ? .ok("memory", "\(mebibytes) MiB")
            : .warning("memory", "\(mebibytes) MiB is little", fix: "give the machine more")
    }

    private var disk: Finding {
        let microseconds = self.facts.syncTime / .microseconds(1)
        let text = "a durable write takes \(Int(microseconds)) µs"
        return self.facts.syncTime <= Least.syncTime
            ? .ok("disk", text)
            : .warning("disk", text, fix: "put --data-dir on a faster disk: every write waits")
    }

    /// No release is older: a clock before it has lost the time.
    private static let earliestTime: Int64 = 1_750_000_000

    private var clock: Finding {
        let begin = max(self.facts.authorityBegins ?? 0, Self.earliestTime)
        return self.facts.now >= begin
            ? .ok("clock", "plausible")
            : .failure(
                "clock",
                "before the cluster's certificates begin, or this program was made",
                fix: "set it: date -s, or chronyd"
            )
    }
}
