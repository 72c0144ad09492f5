// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import HTTP
import KubernetesAPI
import ObjectModel
import Protobuf
import RequestInfo
import ResourceTable
import Scalars
import Selectors

/// `metrics.k8s.io/v1beta1`: what `kubectl top` and autoscalers read.
extension RESTHandler {
    static let usageGroup = "metrics.k8s.io"

    /// Answers a request for what nodes or pods use.
    func usage(_ exchange: RESTExchange) async throws(StatusError) {
        let info = exchange.info
        guard info.apiVersion == "v1beta1", info.subresource.isEmpty,
            info.resource == "pods" || info.resource == "nodes" && info.namespace.isEmpty
        else { throw ServerCore.pageNotFound }
        guard info.verb == "get" || info.verb == "list", info.name.isEmpty == (info.verb == "list")
        else { throw .methodNotSupportedAtAll }
        let writer = try PlainWriter(exchange)
        var options = ListOptions()
        if info.verb == "list" {
            switch info.listOptions {
            case .success(let read): options = read
            case .failure(let error): throw StatusError(parameter: error)
            case nil: break
            }
        }
        let answer =
            info.resource == "nodes"
            ? try await self.nodeUsage(info, options) : try await self.podUsage(info, options)
        try await writer.send(.ok, answer)
    }

    /// The objects of the registry that are asked for.
    private func objects(_ info: RequestInfo, _ options: ListOptions) -> [APIObject] {
        let reader = RegistryReader(registry: self.core.registry)
        let resource = GroupResource(group: "", resource: info.resource)
        if !info.name.isEmpty {
            let one = reader.get(resource, namespace: info.namespace, name: info.name)
            return one.map { [$0] } ?? []
        }
        let namespace = info.namespace.isEmpty ? nil : info.namespace
        let name = options.fieldSelector.requiredValue(of: "metadata.name")
        return reader.list(resource, namespace: namespace).filter { object in
            let labels = object.metadata.labels
            return options.labelSelector.matches(lookup: { labels[$0] })
                && (name == nil || name == object.metadata.name)
        }
    }

    private func nodeUsage(
        _ info: RequestInfo,
        _ options: ListOptions
    ) async throws(StatusError) -> APIObject {
        let nodes = self.objects(info, options).sorted { $0.metadata.name < $1.metadata.name }
        let windows = await self.core.usage.windows(of: Set(nodes.map(\.metadata.name)))
        let items = nodes.compactMap { node -> MetricsV1beta1.NodeMetrics? in
            guard let window = windows[node.metadata.name], let rate = window.node else {
                return nil
            }
            return MetricsV1beta1.NodeMetrics.with {
                $0.metadata = Self.metadata(of: node, window)
                $0.timestamp = MetaV1.Time(window.end)
                $0.window = Self.length(window)
                $0.usage = Self.quantities(rate)
            }
        }
        if info.verb == "list" {
            return APIObject(
                MetricsV1beta1.NodeMetricsList.with {
                    // A list also when it is empty, where clients take no null.
                    $0.items.reserveCapacity(items.count)
                    $0.items.append(contentsOf: items)
                }
            )
        }
        guard let item = items.first else {
            throw .notFound(GroupResource(group: Self.usageGroup, resource: "nodes"), info.name)
        }
        return APIObject(item)
    }

    private func podUsage(
        _ info: RequestInfo,
        _ options: ListOptions
    ) async throws(StatusError) -> APIObject {
        let pods = self.objects(info, options).compactMap { object -> CoreV1.Pod? in
            guard let pod: CoreV1.Pod = object.message(), pod.status.phase == "Running",
                !pod.spec.nodeName.isEmpty
            else { return nil }
            return pod
        }.sorted {
            ($0.metadata.namespace, $0.metadata.name) < ($1.metadata.namespace, $1.metadata.name)
        }
        let windows = await self.core.usage.windows(of: Set(pods.map(\.spec.nodeName)))
        let items = pods.compactMap { pod -> MetricsV1beta1.PodMetrics? in
            guard let window = windows[pod.spec.nodeName],
                let rates = window.pods["\(pod.metadata.namespace)/\(pod.metadata.name)"]
            else { return nil }
            return MetricsV1beta1.PodMetrics.with {
                $0.metadata = Self.metadata(of: APIObject(pod), window)
                $0.timestamp = MetaV1.Time(window.end)
                $0.window = Self.length(window)
                $0.containers = RepeatedField(
                    rates.sorted { $0.key < $1.key }.map { name, rate in
                        MetricsV1beta1.ContainerMetrics.with {
                            $0.name = name
                            $0.usage = Self.quantities(rate)
                        }
                    }
                )
            }
        }
        if info.verb == "list" {
            return APIObject(
                MetricsV1beta1.PodMetricsList.with {
                    // A list also when it is empty, where clients take no null.
                    $0.items.reserveCapacity(items.count)
                    $0.items.append(contentsOf: items)
                }
            )
        }
        guard let item = items.first else {
            throw .notFound(
                GroupResource(group: Self.usageGroup, resource: "pods"),
                "\(info.namespace)/\(info.name)"
            )
        }
        return APIObject(item)
    }

    private static func metadata(of object: APIObject, _ window: UsageWindow) -> MetaV1.ObjectMeta {
        MetaV1.ObjectMeta.with {
            $0.name = object.metadata.name
            $0.namespace = object.metadata.namespace
            $0.labels = object.metadata.labels
            $0.creationTimestamp = MetaV1.Time(window.end)
        }
    }

    private static func length(_ window: UsageWindow) -> MetaV1.Duration {
        let (seconds, attoseconds) = window.length.components
        return MetaV1.Duration(
            GoDuration(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        )
    }

    private static func quantities(
        _ rate: UsageWindow.Rate
    ) -> MapField<String, Resource.Quantity> {
        [
            "cpu": Resource.Quantity(Quantity(rate.nanocores, scale: .nano)),
            "memory": Resource.Quantity(
                Quantity(rate.memoryBytes / 1024 * 1024, format: .binarySI)
            ),
        ]
    }
}
