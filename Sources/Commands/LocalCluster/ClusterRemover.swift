// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterDNS
import Glibc
import KubeProxy
import NodeHost
import Processes

/// Takes a cluster away from this machine: pods, mounts, links, rules, cgroups and files.
///
/// Every step after the pods' end is tried, also after one that failed: what can be removed is.
public struct ClusterRemover: Sendable {
    private let options: ClusterOptions
    private let report: @Sendable (String) -> Void

    public init(_ options: ClusterOptions, report: @escaping @Sendable (String) -> Void) {
        self.options = options
        self.report = report
    }

    private var layout: ClusterLayout { self.options.layout }

    /// Whether the folder looks like a cluster's: nothing else may be deleted by mistake.
    public var isCluster: Bool {
        let folders = [self.layout.pki, self.layout.kubeconfigs, self.layout.run]
        return folders.allSatisfy { (path: String) in access(path, F_OK) == 0 }
    }

    /// Removes everything. The supervisor has to have ended.
    ///
    /// Files stay when the pods could not be ended: what is needed to try again lies in them.
    ///
    /// - Returns: what could not be removed, in words; empty when nothing is left.
    public func run() async -> [String] {
        var problems: [String] = []
        func attempt(_ what: String, _ body: () async throws -> Void) async {
            do {
                try await body()
            } catch {
                problems.append("\(what): \(error)")
            }
        }
        var pods = Set(HostFiles.list("\(self.layout.kubelet)/pods"))
        await attempt("pods") {
            let ended = try await PodRuntime(self.layout).endPods(removing: true)
            // Pods that have come to an end hold nothing but a sandbox and their logs.
            pods.formUnion(ended.uids)
            if ended.running > 0 { self.report("ended \(ended.running) pods") }
        }
        guard problems.isEmpty else { return problems }
        self.endProcesses()
        await attempt("mounts") { try Mounts.unmountAll(below: self.layout.dataDirectory) }
        if geteuid() == 0, access(self.layout.containerdConfiguration, F_OK) == 0 {
            await attempt("rules") { try KubeProxy.cleanUp() }
            await attempt("address") {
                try LocalAddress.remove(self.options.serviceRange.address(10))
            }
            await attempt("links") { try self.removeBridge() }
            self.removeGroups()
        }
        await attempt("logs") { try Self.removeLogs(of: pods) }
        await attempt("files") { try HostFiles.removeTree(self.layout.dataDirectory) }
        return problems
    }

    /// Ends processes of containers that no runtime knows any more: those whose root file system
    /// lies in our folder.
    private func endProcesses() {
        let folder = "\(self.layout.containerd)/"
        for name in HostFiles.list("/proc") {
            guard let process = Int32(name), process != getpid(),
                let mounts = try? ClusterFile.read("/proc/\(process)/mountinfo"),
                let root = String(decoding: mounts, as: UTF8.self).split(separator: "\n")
                    .first(where: { $0.split(separator: " ").dropFirst(4).first == "/" }),
                root.contains("upperdir=\(folder)")
            else { continue }
            kill(process, SIGKILL)
        }
    }

    /// The pods' logs, which lie where collectors of logs expect them.
    private static func removeLogs(of uids: Set<String>) throws(HostError) {
        func isOurs(_ folder: some StringProtocol) -> Bool {
            // NAMESPACE_NAME_UID; none of the three has an underscore.
            folder.split(separator: "_").last.map { uids.contains(String($0)) } ?? false
        }
        for folder in HostFiles.list(Self.podLogs) where isOurs(folder) {
            try HostFiles.removeTree("\(Self.podLogs)/\(folder)")
        }
        ContainerLogLinks.removeOrphans(in: Self.containerLogs)
    }

    private static let podLogs = "/var/log/pods"
    private static let containerLogs = "/var/log/containers"

    /// The bridge of the pods, unless another cluster's pods are on it.
    private func removeBridge() throws(ProcessError) {
        let bridge = KubeProxy.Configuration(nodeName: self.options.nodeName).bridge
        let folder = "/sys/class/net/\(bridge)"
        guard access(folder, F_OK) == 0, HostFiles.list("\(folder)/brif").isEmpty else {
            return
        }
        _ = try ChildProcess.start(.init("ip", ["link", "delete", bridge])).waitForExit()
    }

    /// The kubelet's groups, as far as no other cluster's pods are in them.
    private func removeGroups() {
        let groups = Cgroups()
        guard groups.exists("kubepods"), groups.processes("kubepods").isEmpty else { return }
        _ = groups.remove("kubepods")
    }
}
