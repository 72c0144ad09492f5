// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
package import NameRules
import Protobuf

/// What the fields of a Service follow from. Families are in ServiceFields+Families.swift.
///
/// Source: upstream `pkg/registry/core/service/strategy.go`, `storage/storage.go`, `alloc.go`.
package enum ServiceFields {
    static func isHeadless(_ service: CoreV1.Service) -> Bool {
        service.spec.clusterIP == "None" || service.spec.clusterIPs.first == "None"
    }

    /// Whether it has addresses of its own, or says that it has none.
    static func hasAddresses(_ service: CoreV1.Service) -> Bool {
        service.spec.type != "ExternalName"
    }

    /// Whether addresses have to be found for it.
    static func needsAddresses(_ service: CoreV1.Service) -> Bool {
        self.hasAddresses(service) && !self.isHeadless(service)
    }

    static func hasNodePorts(_ service: CoreV1.Service) -> Bool {
        service.spec.type == "NodePort" || service.spec.type == "LoadBalancer"
    }

    /// Whether ports have to be found for it; those that it asks for it has in any case.
    static func needsNodePorts(_ service: CoreV1.Service) -> Bool {
        switch service.spec.type {
        case "NodePort": true
        case "LoadBalancer": service.spec.allocateLoadBalancerNodePorts ?? true
        default: false
        }
    }

    static func needsHealthPort(_ service: CoreV1.Service) -> Bool {
        service.spec.type == "LoadBalancer" && service.spec.externalTrafficPolicy == "Local"
    }

    private static func isExternal(_ service: CoreV1.Service) -> Bool {
        self.hasNodePorts(service)
            || service.spec.type == "ClusterIP" && !service.spec.externalIPs.isEmpty
    }

    /// The ports that a Service has on nodes, each once but where one protocol has it twice: such a
    /// Service is refused today, and may be in the store all the same.
    package static func nodePorts(of service: CoreV1.Service) -> [Int32] {
        var ports: [Int32] = []
        var seen: Set<String> = []
        for port in service.spec.ports where port.nodePort != 0 {
            let isNew = !ports.contains(port.nodePort)
            let isRepeated = !seen.insert("\(port.protocol)/\(port.nodePort)").inserted
            if isNew || isRepeated { ports.append(port.nodePort) }
        }
        let health = service.spec.healthCheckNodePort
        if health != 0, !ports.contains(health) || seen.contains("TCP/\(health)") {
            ports.append(health)
        }
        return ports
    }

    /// Fills in what a write leaves out, and drops what goes with the type of the Service.
    ///
    /// - Parameter families: those of the cluster, its default first.
    /// - Returns: what cannot be filled in.
    package static func complete(
        _ service: inout CoreV1.Service,
        _ before: CoreV1.Service?,
        families: [String]
    ) -> FieldErrors {
        if let before {
            self.dropOfType(&service, before)
            self.keepAllocated(&service, before)
        }
        self.align(&service, before)
        var errors = FieldErrors()
        errors.within("spec") { errors in
            self.completeFamilies(&service, before, families, &errors)
        }
        return errors
    }

    // MARK: - Updates

    /// Takes away what the old type had and the new one has not, unless the writer has changed it:
    /// then it is his mistake to hear of.
    private static func dropOfType(_ service: inout CoreV1.Service, _ before: CoreV1.Service) {
        if self.hasAddresses(before), !self.hasAddresses(service) {
            if service.spec.clusterIP == before.spec.clusterIP,
                service.spec.clusterIPs == before.spec.clusterIPs
            {
                service.spec.clusterIP = ""
                service.spec.clusterIPs = []
            }
            if service.spec.ipFamilies == before.spec.ipFamilies { service.spec.ipFamilies = [] }
            if service.spec.ipFamilyPolicy == before.spec.ipFamilyPolicy {
                service.spec.ipFamilyPolicy = nil
            }
        }
        if self.hasNodePorts(before), !self.hasNodePorts(service) {
            let given = Set(before.spec.ports.map(\.nodePort))
            for index in service.spec.ports.indices
            where given.contains(service.spec.ports[index].nodePort) {
                service.spec.ports[index].nodePort = 0
            }
        }
        if self.needsHealthPort(before), !self.needsHealthPort(service),
            service.spec.healthCheckNodePort == before.spec.healthCheckNodePort
        {
            service.spec.healthCheckNodePort = 0
        }
        if before.spec.type == "LoadBalancer", service.spec.type != "LoadBalancer" {
            if service.spec.allocateLoadBalancerNodePorts
                == before.spec.allocateLoadBalancerNodePorts
            {
                service.spec.allocateLoadBalancerNodePorts = nil
            }
            if service.spec.loadBalancerClass == before.spec.loadBalancerClass {
                service.spec.loadBalancerClass = nil
            }
        }
        if self.isExternal(before), !self.isExternal(service),
            service.spec.externalTrafficPolicy == before.spec.externalTrafficPolicy
        {
            service.spec.externalTrafficPolicy = ""
        }
        if before.spec.type == "ExternalName", service.spec.type != "ExternalName",
            service.spec.externalName == before.spec.externalName
        {
            service.spec.externalName = ""
        }
    }

    /// What was given to the Service and is left out of an update stays.
    private static func keepAllocated(
        _ service: inout CoreV1.Service,
        _ before: CoreV1.Service
    ) {
        if self.hasAddresses(before), self.hasAddresses(service) {
            if service.spec.clusterIP.isEmpty { service.spec.clusterIP = before.spec.clusterIP }
            if service.spec.clusterIPs.isEmpty,
                service.spec.clusterIP == before.spec.clusterIP
            {
                service.spec.clusterIPs = before.spec.clusterIPs
            }
        }
        if self.hasNodePorts(before), self.hasNodePorts(service) {
            var used = Set(service.spec.ports.map(\.nodePort))
            for index in service.spec.ports.indices where service.spec.ports[index].nodePort == 0 {
                let port = service.spec.ports[index]
                let old = before.spec.ports.first {
                    $0.port == port.port && $0.protocol == port.protocol
                }
                if let old, old.nodePort != 0, used.insert(old.nodePort).inserted {
                    service.spec.ports[index].nodePort = old.nodePort
                }
            }
        }
        if self.needsHealthPort(before), self.needsHealthPort(service),
            service.spec.healthCheckNodePort == 0
        {
            service.spec.healthCheckNodePort = before.spec.healthCheckNodePort
        }
    }

    /// `clusterIP` is the first of `clusterIPs`, whichever of the two the writer knows.
    private static func align(_ service: inout CoreV1.Service, _ before: CoreV1.Service?) {
        let address = service.spec.clusterIP
        guard let before else {
            if !address.isEmpty, service.spec.clusterIPs.isEmpty {
                service.spec.clusterIPs = [address]
            }
            return
        }
        if address != before.spec.clusterIP, service.spec.clusterIPs == before.spec.clusterIPs {
            service.spec.clusterIPs = address.isEmpty ? [] : [address]
        }
    }
}
