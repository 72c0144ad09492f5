// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import LocalCluster

@Suite("HostChecks")
struct HostChecksTests {
    /// A machine on which everything is well.
    private static func healthy() -> HostFacts {
        var facts = HostFacts()
        facts.hostName = "node-1"
        for name in HostFacts.programNames { facts.programs[name] = "/usr/bin/\(name)" }
        facts.pluginFolder = "/usr/lib/cni"
        facts.fileSystems = ["ext4", "overlay"]
        facts.controllers = ["cpu", "cpuset", "memory", "pids"]
        facts.now = 1_800_000_000
        return facts
    }

    private static func findings(_ facts: HostFacts) -> [Finding] {
        HostChecks(facts: facts, layout: ClusterLayout(dataDirectory: "/data")).findings
    }

    @Test("finds nothing wrong with a machine that has everything")
    func healthy() {
        #expect(Self.findings(Self.healthy()).filter { $0.severity != .ok } == [])
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var subject: String
        var severity: Finding.Severity
        var fix: String
        var change: @Sendable (inout HostFacts) -> Void
        var testDescription: String { "\(self.subject): \(self.fix)" }

        init(
            _ subject: String,
            _ severity: Finding.Severity,
            _ fix: String,
            _ change: @escaping @Sendable (inout HostFacts) -> Void
        ) {
            self.subject = subject
            self.severity = severity
            self.fix = fix
            self.change = change
        }
    }

    @Test(
        "names each fault, and what mends it",
        arguments: [
            Fault("user", .failure, "--control-plane-only") { $0.isRoot = false },
            Fault("host name", .failure, "--node-name") { $0.hostName = "My_Host" },
            Fault("runc", .failure, "apt-get install runc") { $0.programs["runc"] = nil },
            Fault("ip", .failure, "apt-get install iproute2") { $0.programs["ip"] = nil },
            Fault("CNI plugins", .failure, "containernetworking-plugins") {
                $0.missingPlugins = ["bridge"]
            },
            Fault("cgroups", .failure, "cgroup_enable=memory") { $0.controllers.remove("memory") },
            Fault("overlayfs", .failure, "modprobe overlay") { $0.fileSystems = ["ext4"] },
            Fault("nftables", .failure, "modprobe nf_tables") {
                $0.packetFilterProblem = "no such device"
            },
            Fault("ports", .failure, "--port-offset") { $0.takenPorts = [6443] },
            Fault("inotify instances", .warning, "max_user_instances=512") {
                $0.inotifyInstances = 511
            },
            Fault("inotify watches", .warning, "max_user_watches=65536") {
                $0.inotifyWatches = 65_535
            },
            Fault("open files", .warning, "ulimit -Hn 65536") { $0.openFiles = 65_535 },
            Fault("disk space", .warning, "--data-dir") { $0.freeBytes = (2 << 30) - 1 },
            Fault("disk space", .warning, "--data-dir") { $0.freeInodes = 99_999 },
            Fault("memory", .warning, "more") { $0.memoryBytes = (1 << 30) - 1 },
            Fault("disk", .warning, "faster disk") { $0.syncTime = .microseconds(10_001) },
            Fault("clock", .failure, "date -s") { $0.now = 1_700_000_000 },
            Fault("clock", .failure, "date -s") { $0.authorityBegins = $0.now + 1 },
        ]
    )
    func faults(fault: Fault) throws {
        var facts = Self.healthy()
        fault.change(&facts)
        let wrong = Self.findings(facts).filter { $0.severity != .ok }
        let finding = try #require(wrong.first)
        #expect(wrong.count == 1)
        #expect(finding.subject == fault.subject)
        #expect(finding.severity == fault.severity)
        #expect(finding.fix.contains(fault.fix))
        #expect(finding.text.contains("fix: "))
    }

    @Test("what is exactly enough is enough")
    func limits() {
        var facts = Self.healthy()
        facts.inotifyInstances = 512
        facts.inotifyWatches = 65_536
        facts.openFiles = 65_536
        facts.freeBytes = 2 << 30
        facts.freeInodes = 100_000
        facts.memoryBytes = 1 << 30
        facts.syncTime = .milliseconds(10)
        facts.authorityBegins = facts.now
        #expect(Self.findings(facts).allSatisfy { $0.severity == .ok })
    }
}
