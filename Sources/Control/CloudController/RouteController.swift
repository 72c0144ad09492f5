// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Clocks
import EventRecording
public import Informers
import JSON
import KubernetesAPI
public import Logging
import NameRules
import ObjectModel
import Protobuf
public import RPCInterface
import ResourceClient
import Scalars

/// Makes the cloud's network know which node has which pods: a route for each range of each Node,
/// within the cluster's range; and says in the Node's condition `NetworkUnavailable` whether it does.
///
/// Upstream: `cloud-provider/controllers/route/route_controller.go`.
public final class RouteController: Sendable {
    private let routes: any CloudRoutes
    private let nodes: Informer<CoreV1.Node>
    private let client: Client<CoreV1.Node>
    private let events: EventRecorder
    private let cluster: String
    private let clusterRanges: [IPPrefix]
    private let period: Duration
    private let clock: any ComponentClock
    private let logger: Logger

    /// - Parameters:
    ///   - cluster: the name that tells routes of several clusters of one cloud apart.
    ///   - clusterRanges: routes outside of them are left alone.
    ///   - period: after which the cloud is asked again, should somebody have changed its routes:
    ///     upstream's `--route-reconciliation-period`.
    public init(
        _ routes: any CloudRoutes,
        factory: InformerFactory,
        channel: any RPCChannel,
        cluster: String,
        clusterRanges: [String],
        period: Duration = .seconds(10),
        logger: Logger
    ) {
        self.routes = routes
        self.nodes = factory.informer(of: CoreV1.Node.self)
        self.client = Client(channel)
        self.events = EventRecorder(component: "route_controller", channel: channel)
        self.cluster = cluster
        self.clusterRanges = clusterRanges.compactMap { IPPrefix(parsing: $0) }
        self.period = period
        self.clock = factory.clock
        self.logger = logger
    }

    /// Runs until the task is cancelled; the factory has to run beside it.
    public func run() async {
        await self.nodes.waitForSync()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.events.run() }
            group.addTask {
                repeat {
                    do {
                        try await self.reconcile()
                    } catch {
                        self.logger.warning(
                            "Couldn't reconcile node routes",
                            metadata: ["err": "\(error)"]
                        )
                    }
                } while await self.clock.sleep(for: self.period)
            }
        }
    }

    /// What is to be done with a cloud's routes. Pure.
    struct Plan: Equatable {
        var created: [CloudRoute] = []
        var deleted: [CloudRoute] = []
    }

    static func plan(
        _ nodes: [CoreV1.Node],
        _ present: [CloudRoute],
        _ clusterRanges: [IPPrefix]
    ) -> Plan {
        var wanted: [String: CloudRoute] = [:]
        for node in nodes {
            for range in Self.ranges(node) {
                let route = CloudRoute(node: node.metadata.name, destination: range)
                wanted["\(route.node) \(range)"] = route
            }
        }
        var plan = Plan()
        for route in present {
            guard let range = IPPrefix(parsing: route.destination),
                clusterRanges.contains(where: { $0.contains(range.network) })
            else { continue }
            let key = "\(route.node) \(route.destination)"
            if !route.isBlackhole, wanted.removeValue(forKey: key) != nil { continue }
            plan.deleted.append(route)
        }
        plan.created = wanted.values.sorted {
            ($0.node, $0.destination) < ($1.node, $1.destination)
        }
        return plan
    }

    private static func ranges(_ node: CoreV1.Node) -> [String] {
        let ranges = Array(node.spec.podCIDRs)
        if ranges.isEmpty, !node.spec.podCIDR.isEmpty { return [node.spec.podCIDR] }
        return ranges
    }

    private func reconcile() async throws {
        let nodes = self.nodes.list()
        let plan = Self.plan(
            nodes,
            try await self.routes.list(cluster: self.cluster),
            self.clusterRanges
        )
        for route in plan.deleted { try await self.routes.delete(route, cluster: self.cluster) }
        var failed: Set<String> = []
        for route in plan.created {
            do {
                try await self.routes.create(route, cluster: self.cluster)
            } catch {
                failed.insert(route.node)
                guard let node = nodes.first(where: { $0.metadata.name == route.node }) else {
                    continue
                }
                self.events.record(
                    .warning,
                    "FailedToCreateRoute",
                    "Could not create route \(route.name) \(route.destination) for node "
                        + "\(route.node): \(error)",
                    about: node
                )
            }
        }
        for node in nodes where !Self.ranges(node).isEmpty {
            try await self.tell(node, isUnavailable: failed.contains(node.metadata.name))
        }
    }

    /// Brings the condition up to date.
    private func tell(_ node: CoreV1.Node, isUnavailable: Bool) async throws {
        let status = isUnavailable ? "True" : "False"
        let type = "NetworkUnavailable"
        if node.status.conditions.contains(where: { $0.type == type && $0.status == status }) {
            return
        }
        let now = DynamicValue(self.clock.now.text(as: .time))
        _ = try await self.client.patch(
            node.metadata.name,
            in: "",
            .strategic,
            [
                "status": [
                    "conditions": [
                        [
                            "type": DynamicValue(type),
                            "status": DynamicValue(status),
                            "reason": DynamicValue(
                                isUnavailable ? "NoRouteCreated" : "RouteCreated"
                            ),
                            "message": DynamicValue(
                                isUnavailable
                                    ? "RouteController failed to create a route"
                                    : "RouteController created a route"
                            ),
                            "lastTransitionTime": now,
                        ]
                    ]
                ]
            ],
            subresource: "status"
        )
    }
}
