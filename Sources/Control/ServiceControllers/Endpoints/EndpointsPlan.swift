// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf

/// The Endpoints of a Service: addresses by the ports that they have. Pure.
///
/// Source: upstream `pkg/controller/endpoint/endpoints_controller.go`,
/// `pkg/api/v1/endpoints/util.go`.
package enum EndpointsPlan {
    /// Addresses at most; EndpointSlices have no such limit.
    package static let maximumAddresses = 1000
    package static let overCapacity = "endpoints.kubernetes.io/over-capacity"
    package static let managedByLabel = "endpoints.kubernetes.io/managed-by"
    package static let managedBy = "endpoint-controller"

    /// The object that a Service shall have.
    package static func endpoints(
        _ service: CoreV1.Service,
        pods: [CoreV1.Pod],
        current: CoreV1.Endpoints?
    ) -> CoreV1.Endpoints {
        var endpoints = current ?? CoreV1.Endpoints()
        endpoints.metadata.name = service.metadata.name
        endpoints.metadata.namespace = service.metadata.namespace
        endpoints.metadata.labels = service.metadata.labels
        endpoints.metadata.labels[self.managedByLabel] = self.managedBy
        let headless = EndpointSlicePlan.headlessLabel
        endpoints.metadata.labels[headless] = service.isHeadless ? "" : nil
        let (subsets, isTruncated) = self.subsets(service, pods)
        endpoints.subsets = RepeatedField(subsets)
        endpoints.metadata.annotations[self.overCapacity] = isTruncated ? "truncated" : nil
        return endpoints
    }

    private struct Group {
        var ready: [String: CoreV1.EndpointAddress] = [:]
        var notReady: [String: CoreV1.EndpointAddress] = [:]
    }

    private static func subsets(
        _ service: CoreV1.Service,
        _ pods: [CoreV1.Pod]
    ) -> (subsets: [CoreV1.EndpointSubset], isTruncated: Bool) {
        let publishes = service.spec.publishNotReadyAddresses
        let isIPv6 = service.addressTypes.first == "IPv6"
        var groups: [[CoreV1.EndpointPort]: Group] = [:]
        // Ready ones first, as they are kept when there are too many.
        let candidates =
            pods
            .filter { PodEndpoints.isCandidate($0, includesTerminating: publishes) }
            .sorted {
                ($0.isReady ? 0 : 1, $0.metadata.name) < ($1.isReady ? 0 : 1, $1.metadata.name)
            }
        for pod in candidates.prefix(self.maximumAddresses) {
            let address = pod.addresses.first { $0.utf8.contains(UInt8(ascii: ":")) == isIPv6 }
            let ports = self.ports(service, pod)
            guard let address, !ports.isEmpty || service.isHeadless else { continue }
            let entry = self.address(address, pod, service)
            if publishes || pod.isReady {
                groups[ports, default: Group()].ready[address] = entry
            } else {
                groups[ports, default: Group()].notReady[address] = entry
            }
        }
        let subsets = groups.map { ports, group in
            CoreV1.EndpointSubset.with {
                $0.addresses = RepeatedField(self.sorted(group.ready))
                $0.notReadyAddresses = RepeatedField(
                    self.sorted(group.notReady.filter { group.ready[$0.key] == nil })
                )
                $0.ports = RepeatedField(ports)
            }
        }
        let ordered = subsets.sorted {
            $0.ports.map(\.port).lexicographicallyPrecedes($1.ports.map(\.port))
        }
        return (ordered, candidates.count > self.maximumAddresses)
    }

    private static func sorted(
        _ addresses: [String: CoreV1.EndpointAddress]
    ) -> [CoreV1.EndpointAddress] {
        addresses.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func ports(
        _ service: CoreV1.Service,
        _ pod: CoreV1.Pod
    ) -> [CoreV1.EndpointPort] {
        service.spec.ports.compactMap { port in
            guard let number = PodEndpoints.number(of: port, at: pod) else { return nil }
            return CoreV1.EndpointPort.with {
                $0.name = port.name
                $0.port = number
                $0.protocol = PodEndpoints.protocolName(port.protocol)
                $0.appProtocol = port.appProtocol
            }
        }.sorted { ($0.name, $0.port) < ($1.name, $1.port) }
    }

    private static func address(
        _ ip: String,
        _ pod: CoreV1.Pod,
        _ service: CoreV1.Service
    ) -> CoreV1.EndpointAddress {
        CoreV1.EndpointAddress.with {
            $0.ip = ip
            $0.hostname = PodEndpoints.hostname(of: pod, in: service) ?? ""
            if !pod.spec.nodeName.isEmpty { $0.nodeName = pod.spec.nodeName }
            $0.targetRef = CoreV1.ObjectReference.with {
                $0.kind = "Pod"
                $0.namespace = pod.metadata.namespace
                $0.name = pod.metadata.name
                $0.uid = pod.metadata.uid
            }
        }
    }
}
