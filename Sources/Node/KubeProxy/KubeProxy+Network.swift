// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import Glibc
import Informers
import KubernetesAPI
import Logging
import NameRules
import Netlink
import Protobuf
import ResourceClient
import ServiceRules
import Synchronization

/// The pod network: the CNI configuration, routes to other nodes, addresses that this node announces.
extension KubeProxy {
    /// After a failure, such as a link that is down.
    private static let retryPause = Duration.seconds(5)
    /// Between two looks: a burst of changes is one.
    private static let restPause = Duration.milliseconds(100)

    func keepNetwork(_ sources: Sources) async throws {
        let network = try NodeNetwork()
        let monitor = try NetworkMonitor.start { self.network() }
        defer { monitor.end() }
        var known: [NetlinkError] = []
        self.network()
        for await _ in self.network.stream {
            let again = self.pending.withLock { pending in
                defer { pending.announcesAgain = false }
                return pending.announcesAgain
            }
            let nodes = sources.nodes.list()
            let own = self.configuration.nodeName
            var failures: [NetlinkError] = []
            if self.configuration.networkDirectory != nil {
                failures += network.keep(routes: NodeRoutes.wanted(nodes, on: own))
            }
            let here = nodes.first { $0.metadata.name == own }
            failures += network.keep(
                addresses: Announcements.wanted(sources.services.list(), nodes, on: own),
                node: here.map(NodeRoutes.internalAddresses)?.compactMap {
                    IPAddress(parsing: $0)?.bytes
                } ?? [],
                again: again
            )
            for failure in failures where !known.contains(failure) {
                self.logger.error(
                    "Failed to change the network",
                    metadata: ["err": "\(failure)"]
                )
            }
            known = failures
            if !failures.isEmpty {
                _ = self.clock.schedule(at: self.clock.uptime + Self.retryPause) { self.network() }
            }
            await self.clock.sleep(for: Self.restPause)
        }
    }

    /// Writes the CNI configuration, which makes the runtime's network ready.
    func writeNetwork(_ node: CoreV1.Node) {
        guard let folder = self.configuration.networkDirectory else { return }
        let ranges = NodeRoutes.ranges(node).map(\.description)
        guard !ranges.isEmpty else { return }
        for setting in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] {
            HostSetting(setting).set("1", self.logger)
        }
        var network = PodNetworkConfiguration(
            ranges: ranges,
            bridge: self.configuration.bridge,
            dataDirectory: self.configuration.networkData
        )
        network.largestPacket = self.largestPacket(node)
        let path = "\(folder)/10-apus.conflist"
        let temporary = "\(path).tmp"
        let bytes = Array(network.json.utf8)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        let isWritten =
            descriptor >= 0
            && bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == bytes.count
        if descriptor >= 0 { close(descriptor) }
        guard isWritten, rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            self.logger.error(
                "Failed to write the network",
                metadata: ["path": "\(path)", "err": "\(reason)"]
            )
            return
        }
        self.logger.info("Wrote the pod network", metadata: ["ranges": "\(ranges)"])
    }

    /// Of the interface that has the node's first address; nil when none has it.
    private func largestPacket(_ node: CoreV1.Node) -> UInt32? {
        let own = NodeRoutes.internalAddresses(node).lazy.compactMap {
            IPAddress(parsing: $0)?.bytes
        }.first
        do throws(NetlinkError) {
            let table = try RouteTable()
            let interface = try table.addresses().first { $0.address == own }?.interface
            guard let interface else { return nil }
            return try table.largestPacket(of: interface)
        } catch {
            self.logger.warning(
                "Failed to learn the largest packet between nodes",
                metadata: ["err": "\(error)"]
            )
            return nil
        }
    }
}
