// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf

/// What a pod offers to a Service. Pure.
///
/// Source: upstream `pkg/controller/util/endpoint/controller_utils.go`,
/// `staging/src/k8s.io/endpointslice/utils.go`.
package enum PodEndpoints {
    /// Whether a pod can be an endpoint at all.
    package static func isCandidate(_ pod: CoreV1.Pod, includesTerminating: Bool) -> Bool {
        if pod.isTerminal || pod.addresses.isEmpty { return false }
        return includesTerminating || pod.metadata.deletionTimestamp == nil
    }

    /// The number that a Service's port has at a pod; nil when the pod has no port of the name.
    package static func number(of port: CoreV1.ServicePort, at pod: CoreV1.Pod) -> Int32? {
        switch port.targetPort.value {
        case .int(let number): return number == 0 ? port.port : number
        case .string(let name):
            let sidecars = pod.spec.initContainers.filter { $0.restartPolicy == "Always" }
            for container in Array(pod.spec.containers) + sidecars {
                for candidate in container.ports
                where candidate.name == name
                    && Self.protocolName(candidate.protocol) == Self.protocolName(port.protocol)
                {
                    return candidate.containerPort
                }
            }
            return nil
        }
    }

    static func protocolName(_ name: String) -> String { name.isEmpty ? "TCP" : name }

    /// Whether the pod has a name of its own in the Service's domain.
    package static func hostname(of pod: CoreV1.Pod, in service: CoreV1.Service) -> String? {
        guard !pod.spec.hostname.isEmpty, pod.spec.subdomain == service.metadata.name,
            pod.metadata.namespace == service.metadata.namespace
        else { return nil }
        return pod.spec.hostname
    }

    /// Whether a change of a pod can change the endpoints of a Service that selects it.
    package static func isChanged(_ old: CoreV1.Pod, _ new: CoreV1.Pod) -> Bool {
        old.isReady != new.isReady
            || (old.metadata.deletionTimestamp == nil) != (new.metadata.deletionTimestamp == nil)
            || old.isTerminal != new.isTerminal || old.addresses != new.addresses
            || old.spec.nodeName != new.spec.nodeName
            || old.metadata.uid != new.metadata.uid
    }
}

extension CoreV1.Pod {
    /// All addresses of the pod.
    var addresses: [String] {
        let all = self.status.podIPs.map(\.ip).filter { !$0.isEmpty }
        if !all.isEmpty { return all }
        return self.status.podIP.isEmpty ? [] : [self.status.podIP]
    }
}

extension CoreV1.Service {
    var isHeadless: Bool { self.spec.clusterIP == "None" }

    /// The types of EndpointSlices that the Service has.
    var addressTypes: [String] {
        let families = self.spec.ipFamilies.map(\.self)
        if !families.isEmpty { return families }
        return self.spec.clusterIP.utf8.contains(UInt8(ascii: ":")) ? ["IPv6"] : ["IPv4"]
    }
}
