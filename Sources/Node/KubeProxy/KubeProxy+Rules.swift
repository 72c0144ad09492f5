// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import Informers
import KubernetesAPI
import Logging
import Metrics
import NFTables
import NameRules
import Netlink
import Protobuf
import ResourceClient
import Scalars
import ServiceRules
import Synchronization

/// The kernel's rules.
extension KubeProxy {
    private static let firstPause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(30)

    func keepRules(_ sources: Sources) async throws {
        let kernel = try NFTables()
        if let limits = self.configuration.connections { limits.apply(self.logger) }
        var tables = self.configuration.families.map { RuleTable($0, self.options($0, nil)) }
        var connections = StaleConnections()
        var zone = ""
        var pause = Self.firstPause
        self.rules()
        for await _ in self.rules.stream {
            var work = self.takePending()
            if work.nodeChanged, let node = work.node {
                self.writeNetwork(node)
                let newZone = node.metadata.labels[Self.zoneLabel] ?? ""
                // Another zone means other endpoints for every Service.
                work.isWhole = work.isWhole || newZone != zone
                zone = newZone
                for index in tables.indices {
                    let options = self.options(tables[index].family, node)
                    guard options != tables[index].options else { continue }
                    tables[index].options = options
                    work.isWhole = true
                }
            }
            let begin = self.clock.uptime
            var views = Views()
            let script = self.script(&tables, work, zone, sources, &views)
            guard !script.isEmpty else {
                await self.finish(work, views, tables)
                continue
            }
            do throws(NFTables.Failure) {
                try kernel.run(script)
                pause = Self.firstPause
                self.metrics.synced(
                    self.configuration.families,
                    isWhole: work.isWhole,
                    took: self.clock.uptime - begin,
                    at: self.clock.now
                )
                await self.finish(work, views, tables)
                if work.isWhole || StaleConnections.isNeeded(script) {
                    self.forget(&connections, tables)
                }
            } catch {
                self.metrics.failed(self.configuration.families)
                self.logger.error(
                    "Failed to change the rules",
                    metadata: ["err": "\(error.message.prefix(2000))"]
                )
                // The kernel has what it had before; it gets all of it next time.
                self.pending.withLock { pending in
                    pending.isWhole = true
                    pending.triggers.merge(work.triggers) { min($0, $1) }
                }
                await self.clock.sleep(for: pause)
                pause = min(pause * 2, Self.longestPause)
                self.rules()
            }
        }
    }

    private func takePending() -> Pending {
        self.pending.withLock { pending in
            defer {
                pending.services = []
                pending.serviceChanges = 0
                pending.endpointChanges = 0
                self.metrics.pending(0, 0)
                pending.triggers = [:]
                pending.isWhole = false
                pending.nodeChanged = false
            }
            return pending
        }
    }

    /// What is of interest of Services beside their rules.
    struct Views {
        /// By Service: where its health on this node is asked for, and how many endpoints it has.
        var healthPorts: [String: (port: UInt16, count: Int)] = [:]
        /// The Services that were looked at.
        var names: Set<String> = []
    }

    /// Brings the tables up to date; the script that does the same to the kernel.
    private func script(
        _ tables: inout [RuleTable],
        _ work: Pending,
        _ zone: String,
        _ sources: Sources,
        _ views: inout Views
    ) -> String {
        views.names = work.services
        if work.isWhole {
            views.names.formUnion(sources.services.list().map(\.objectKey.description))
            views.names.formUnion(tables.flatMap(\.fragments.keys))
        }
        var parts: [String] = []
        for name in views.names.sorted() {
            let words = name.split(separator: "/", maxSplits: 1).map(String.init)
            let service = words.count == 2 ? sources.services.get(words[1], in: words[0]) : nil
            let slices = service == nil ? [] : sources.slices.list(index: "service", name)
            for index in tables.indices {
                let family = tables[index].family
                let view = service.flatMap { service in
                    ServiceView(
                        service,
                        slices,
                        family,
                        nodeName: self.configuration.nodeName
                    )
                }
                if let view, view.healthCheckPort != 0 {
                    let count = max(
                        view.localEndpointCount,
                        views.healthPorts[name]?.count ?? 0
                    )
                    views.healthPorts[name] = (view.healthCheckPort, count)
                }
                let context = RuleContext(
                    family: family,
                    clusterRange: tables[index].options.podRange,
                    zone: zone
                )
                parts.append(
                    tables[index].replace(name, by: view.map { RuleFragment($0, context) })
                )
            }
        }
        guard work.isWhole || tables.contains(where: { $0.lacksChains }) else {
            return parts.joined()
        }
        return tables.indices.map { tables[$0].takeWhole() }.joined()
    }

    /// What is to be done when the kernel has the rules.
    private func finish(_ work: Pending, _ views: Views, _ tables: [RuleTable]) async {
        let now = self.clock.now
        for trigger in work.triggers.values {
            self.metrics.programmed(self.configuration.families, now.since(trigger))
        }
        self.metrics.withoutLocalEndpoints(tables)
        self.health.updated()
        await self.healthPorts.update(views.names, views.healthPorts)
    }

    private func forget(_ connections: inout StaleConnections, _ tables: [RuleTable]) {
        let begin = self.clock.uptime
        do throws(NetlinkError) {
            for (family, count) in try connections.forget(tables) {
                self.metrics.forgot(family, count, took: self.clock.uptime - begin)
            }
        } catch {
            self.logger.error(
                "Failed to forget connections",
                metadata: ["err": "\(error)"]
            )
        }
    }

    /// What the rules of every Service depend on.
    private func options(_ family: AddressFamily, _ node: CoreV1.Node?) -> RuleTable.Options {
        var options = RuleTable.Options()
        options.podRange = self.configuration.clusterRange(family)
        options.masqueradesAll = self.configuration.masqueradesAll
        options.masqueradeBit = self.configuration.masqueradeBit
        let ports = self.configuration.nodePortAddresses
        switch ports {
        case .primary:
            let addresses = node.map { NodeRoutes.internalAddresses($0) } ?? []
            options.nodePortAddresses = Array(
                addresses.filter { family.canonical($0) != nil }.prefix(1)
            )
        case .ranges(let ranges):
            guard !ports.isEverything(family) else { break }
            let prefixes = ranges.compactMap { IPPrefix(parsing: $0) }
            let own = (try? RouteTable().addresses()) ?? []
            options.nodePortAddresses = own.compactMap { IPAddress(bytes: $0.address) }.filter {
                address in prefixes.contains { $0.contains(address) }
            }.map(\.description).filter { family.canonical($0) != nil }
        }
        return options
    }
}
