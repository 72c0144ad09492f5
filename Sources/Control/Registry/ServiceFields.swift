// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// What the fields of a Service follow from.
///
/// Source: upstream `pkg/registry/core/service/strategy.go`, `storage/alloc.go`.
enum ServiceFields {
    static func isHeadless(_ service: CoreV1.Service) -> Bool {
        service.spec.clusterIP == "None"
            || (service.spec.clusterIP.isEmpty && service.spec.clusterIPs.first == "None")
    }

    static func needsAddress(_ service: CoreV1.Service) -> Bool {
        service.spec.type != "ExternalName" && !self.isHeadless(service)
    }

    static func needsNodePorts(_ service: CoreV1.Service) -> Bool {
        switch service.spec.type {
        case "NodePort": true
        case "LoadBalancer": service.spec.allocateLoadBalancerNodePorts ?? true
        default: false
        }
    }

    /// Fills in addresses, families and what an update leaves out.
    static func complete(_ service: inout CoreV1.Service, _ before: CoreV1.Service?) {
        if let before { self.keepAllocated(&service, before) }
        if service.spec.type == "ExternalName" {
            if before?.spec.type != "ExternalName" {
                service.spec.clusterIP = ""
                service.spec.clusterIPs = []
                service.spec.ipFamilies = []
                service.spec.ipFamilyPolicy = nil
            }
            return
        }
        if service.spec.clusterIP.isEmpty, let first = service.spec.clusterIPs.first {
            service.spec.clusterIP = first
        }
        if !service.spec.clusterIP.isEmpty, service.spec.clusterIPs.isEmpty {
            service.spec.clusterIPs = [service.spec.clusterIP]
        }
        let isHeadlessWithoutSelector =
            self.isHeadless(service) && service.spec.selector.isEmpty
        if service.spec.ipFamilyPolicy == nil {
            service.spec.ipFamilyPolicy =
                isHeadlessWithoutSelector && service.spec.ipFamilies.isEmpty
                ? "RequireDualStack" : "SingleStack"
        }
        if service.spec.ipFamilies.isEmpty {
            service.spec.ipFamilies.append("IPv4")
            if isHeadlessWithoutSelector, service.spec.ipFamilyPolicy != "SingleStack" {
                service.spec.ipFamilies.append("IPv6")
            }
        }
    }

    /// What was given to the Service and is left out of an update stays.
    private static func keepAllocated(
        _ service: inout CoreV1.Service,
        _ before: CoreV1.Service
    ) {
        if self.needsAddress(before), service.spec.type != "ExternalName" {
            if service.spec.clusterIP.isEmpty, service.spec.clusterIPs.isEmpty {
                service.spec.clusterIP = before.spec.clusterIP
                service.spec.clusterIPs = before.spec.clusterIPs
            }
            if service.spec.ipFamilies.isEmpty {
                service.spec.ipFamilies = before.spec.ipFamilies
            }
            if service.spec.ipFamilyPolicy == nil {
                service.spec.ipFamilyPolicy = before.spec.ipFamilyPolicy
            }
        }
        guard self.needsNodePorts(before), self.needsNodePorts(service) else { return }
        for index in service.spec.ports.indices where service.spec.ports[index].nodePort == 0 {
            let port = service.spec.ports[index]
            let old = before.spec.ports.first {
                $0.port == port.port && $0.protocol == port.protocol
            }
            if let old { service.spec.ports[index].nodePort = old.nodePort }
        }
        if service.spec.healthCheckNodePort == 0 {
            service.spec.healthCheckNodePort = before.spec.healthCheckNodePort
        }
    }
}
