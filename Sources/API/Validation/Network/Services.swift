// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import NameRules
import Protobuf

// Source: upstream `pkg/apis/core/validation/validation.go`, ValidateService.

extension CoreV1.Service {
    var isHeadless: Bool {
        self.spec.clusterIPs.count == 1 && self.spec.clusterIPs[0] == "None"
            || self.spec.clusterIP == "None"
    }

    /// Whether it can be reached from outside of the cluster.
    var isExternal: Bool {
        self.spec.type == "LoadBalancer" || self.spec.type == "NodePort"
            || self.spec.type == "ClusterIP" && !self.spec.externalIPs.isEmpty
    }

    var hasClusterIP: Bool {
        ["ClusterIP", "NodePort", "LoadBalancer"].contains(self.spec.type)
    }
}

extension FieldErrors {
    mutating func validateService(_ service: CoreV1.Service) {
        let spec = service.spec
        self.within("spec") { errors in
            if spec.ports.isEmpty && !service.isHeadless && spec.type != "ExternalName" {
                errors.required(at: "ports")
            }
            errors.validateType(service)
            errors.validatePorts(service)
            errors.validateLabels(at: "selector", spec.selector)
            errors.validateAffinity(spec)
            errors.validateClusterIPs(service)
            errors.forEach("externalIPs", in: spec.externalIPs) { errors, address in
                let faults = Formats.ipInLegacyField(errors.path, address)
                errors.add(faults)
                if faults.isEmpty { errors.validateNotSpecial(address) }
            }
            errors.oneOf(
                "type",
                spec.type,
                ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
            )
            errors.validateNodePorts(service)
            errors.validateLoadBalancer(spec)
            errors.validateTraffic(service)
        }
    }

    private mutating func validateType(_ service: CoreV1.Service) {
        let spec = service.spec
        switch spec.type {
        case "LoadBalancer", "NodePort":
            if spec.type == "LoadBalancer" {
                for (index, port) in spec.ports.enumerated()
                where port.port == Int32(APILimits.kubeletPort) {
                    self.within("ports", index: index) {
                        $0.invalid(
                            .number(port.port),
                            "may not expose port \(APILimits.kubeletPort) externally since it is "
                                + "used by kubelet"
                        )
                    }
                }
            }
            if service.isHeadless {
                self.within("clusterIPs", index: 0) {
                    $0.invalid("None", "may not be set to 'None' for \(spec.type) services")
                }
            }
        case "ExternalName":
            let words = "may not be set for ExternalName services"
            if !spec.clusterIPs.isEmpty || !spec.clusterIP.isEmpty {
                self.forbidden(at: "clusterIPs", words)
            }
            if !spec.ipFamilies.isEmpty { self.forbidden(at: "ipFamilies", words) }
            if spec.ipFamilyPolicy != nil { self.forbidden(at: "ipFamilyPolicy", words) }
            let name =
                spec.externalName.hasSuffix(".")
                ? String(spec.externalName.dropLast()) : spec.externalName
            if name.isEmpty {
                self.required(at: "externalName")
            } else {
                self.invalid(at: "externalName", .string(name), Formats.dns1123Subdomain(name))
            }
        default:
            return
        }
    }

    private mutating func validatePorts(_ service: CoreV1.Service) {
        var names: Set<String> = []
        let mustHaveNames = service.spec.ports.count > 1
        self.forEach("ports", in: service.spec.ports) { errors, port in
            if port.name.isEmpty {
                if mustHaveNames { errors.required(at: "name") }
            } else {
                errors.invalid(at: "name", .string(port.name), Formats.dns1123Label(port.name))
                if !names.insert(port.name).inserted {
                    errors.duplicate(at: "name", .string(port.name))
                }
            }
            errors.invalid(
                at: "port",
                .number(port.port),
                Formats.portNumber(Int64(port.port))
            )
            errors.oneOf("protocol", port.protocol, ["SCTP", "TCP", "UDP"])
            errors.validatePort("targetPort", port.targetPort)
            if let name = port.appProtocol {
                errors.invalid(at: "appProtocol", .string(name), Formats.labelKey(name))
            }
        }
    }

    private mutating func validateAffinity(_ spec: CoreV1.ServiceSpec) {
        self.oneOf("sessionAffinity", spec.sessionAffinity, ["ClientIP", "None"])
        switch spec.sessionAffinity {
        case "ClientIP":
            let words = "when session affinity type is ClientIP"
            guard let config = spec.sessionAffinityConfig else {
                self.required(at: "sessionAffinityConfig", words)
                return
            }
            self.within("sessionAffinityConfig") { errors in
                guard let client = config.clientIP else {
                    errors.required(at: "clientIP", words)
                    return
                }
                errors.within("clientIP") { errors in
                    guard let seconds = client.timeoutSeconds else {
                        errors.required(at: "timeoutSeconds", words)
                        return
                    }
                    let most = APILimits.serviceAffinityTimeoutMax
                    if !(1...Int32(most)).contains(seconds) {
                        errors.invalid(
                            at: "timeoutSeconds",
                            .number(seconds),
                            "must be greater than 0 and less than \(most)"
                        )
                    }
                }
            }
        case "None":
            if spec.sessionAffinityConfig != nil {
                self.forbidden(
                    at: "sessionAffinityConfig",
                    "must not be set when session affinity is None"
                )
            }
        default: return
        }
    }

    // MARK: - Addresses

    /// What the addresses and families of a service say of each other.
    mutating func validateClusterIPs(_ service: CoreV1.Service) {
        let spec = service.spec
        guard spec.type != "ExternalName" else { return }
        if spec.clusterIP.isEmpty {
            if !spec.clusterIPs.isEmpty {
                self.invalid(
                    at: "clusterIPs",
                    .init(spec.clusterIPs),
                    "must be empty when `clusterIP` is not specified"
                )
            }
        } else if let first = spec.clusterIPs.first {
            if first != spec.clusterIP {
                self.invalid(
                    at: "clusterIPs",
                    .init(spec.clusterIPs),
                    "first value must match `clusterIP`"
                )
            }
        } else {
            self.required(at: "clusterIPs")
        }
        self.validateFamilies(spec)
        let faultCount = self.list.count
        self.forEach("clusterIPs", in: spec.clusterIPs) { errors, address in
            if address == "None" {
                if spec.clusterIPs.count > 1 {
                    errors.invalid(.string(address), "'None' must be the first and only value")
                }
                return
            }
            if !address.isEmpty { errors.add(Formats.ipInLegacyField(errors.path, address)) }
        }
        if spec.clusterIPs.count > 2 {
            self.invalid(
                at: "clusterIPs",
                .init(spec.clusterIPs),
                "may only hold up to 2 values"
            )
        }
        // Of texts that are no addresses there is nothing more to say.
        if self.list.count == faultCount { self.validateFamilies(ofAddressesIn: spec) }
    }

    private mutating func validateFamilies(_ spec: CoreV1.ServiceSpec) {
        self.oneOf(
            "ipFamilyPolicy",
            spec.ipFamilyPolicy,
            ifPresent: ["PreferDualStack", "RequireDualStack", "SingleStack"]
        )
        var families: Set<String> = []
        self.forEach("ipFamilies", in: spec.ipFamilies) { errors, family in
            if family != "IPv4" && family != "IPv6" {
                errors.notSupported(.string(family), supported: ["IPv4", "IPv6"])
            } else if !families.insert(family).inserted {
                errors.duplicate(.string(family))
            }
        }
        if spec.ipFamilies.count > 2 {
            self.invalid(
                at: "ipFamilies",
                .init(spec.ipFamilies),
                "may only hold up to 2 values"
            )
        }
    }

    private mutating func validateFamilies(ofAddressesIn spec: CoreV1.ServiceSpec) {
        let addresses = spec.clusterIPs.map { IPAddress(parsing: $0, .sloppy) }
        let found = addresses.compactMap { $0 }.map(\.isIPv4OrMapped)
        guard found.count == addresses.count else { return }
        if found.count == 2, found[0] == found[1] {
            self.invalid(
                at: "clusterIPs",
                .init(spec.clusterIPs),
                "may specify no more than one IP for each IP family"
            )
            return
        }
        for (index, isIPv4) in found.enumerated() where index < spec.ipFamilies.count {
            let family = spec.ipFamilies[index]
            guard family == (isIPv4 ? "IPv6" : "IPv4") else { continue }
            self.within("clusterIPs", index: index) {
                $0.invalid(
                    .string(spec.clusterIPs[index]),
                    "expected an \(family) value as indicated by `ipFamilies[\(index)]`"
                )
            }
        }
    }

    /// Addresses that traffic from outside cannot be sent to.
    private mutating func validateNotSpecial(_ text: String) {
        guard let address = IPAddress(parsing: text) else { return }
        if address.isUnspecified {
            self.invalid(.string(text), "may not be unspecified (0.0.0.0 or ::)")
        }
        if address.isLoopback {
            self.invalid(
                .string(text),
                "may not be in the loopback range (127.0.0.0/8, ::1/128)"
            )
        }
        if address.isLinkLocalUnicast {
            self.invalid(
                .string(text),
                "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
            )
        }
        if address.isLinkLocalMulticast {
            self.invalid(
                .string(text),
                "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
            )
        }
    }

    private mutating func validateNodePorts(_ service: CoreV1.Service) {
        let spec = service.spec
        if spec.type == "ClusterIP" {
            self.forEach("ports", in: spec.ports) { errors, port in
                if port.nodePort != 0 {
                    errors.forbidden(
                        at: "nodePort",
                        "may not be used when `type` is 'ClusterIP'"
                    )
                }
            }
        }
        var nodePorts: Set<String> = []
        self.forEach("ports", in: spec.ports) { errors, port in
            guard port.nodePort != 0 else { return }
            if !nodePorts.insert("\(port.protocol)/\(port.nodePort)").inserted {
                errors.duplicate(at: "nodePort", .number(port.nodePort))
            }
        }
        var ports: Set<String> = []
        self.forEach("ports", in: spec.ports) { errors, port in
            if !ports.insert("\(port.protocol)/\(port.port)").inserted {
                let key = CoreV1.ServicePort.with {
                    $0.protocol = port.protocol
                    $0.port = port.port
                }
                errors.duplicate(.message(key))
            }
        }
    }

    // MARK: - Traffic

    private mutating func validateLoadBalancer(_ spec: CoreV1.ServiceSpec) {
        let isBalanced = spec.type == "LoadBalancer"
        let words = "may only be used when `type` is 'LoadBalancer'"
        if !spec.loadBalancerSourceRanges.isEmpty {
            if !isBalanced { self.forbidden(at: "loadBalancerSourceRanges", words) }
            self.forEach("loadBalancerSourceRanges", in: spec.loadBalancerSourceRanges) {
                errors,
                range in
                errors.add(Formats.cidrInLegacyField(errors.path, range.trimmed))
            }
        }
        if isBalanced {
            if spec.allocateLoadBalancerNodePorts == nil {
                self.required(at: "allocateLoadBalancerNodePorts")
            }
        } else if spec.allocateLoadBalancerNodePorts != nil {
            self.forbidden(at: "allocateLoadBalancerNodePorts", words)
        }
        guard let name = spec.loadBalancerClass else { return }
        if isBalanced {
            self.invalid(at: "loadBalancerClass", .string(name), Formats.labelKey(name))
        } else {
            self.forbidden(at: "loadBalancerClass", words)
        }
    }

    private mutating func validateTraffic(_ service: CoreV1.Service) {
        let spec = service.spec
        let needsHealthPort =
            spec.type == "LoadBalancer" && spec.externalTrafficPolicy == "Local"
        if service.isExternal {
            if spec.externalTrafficPolicy.isEmpty {
                self.required(at: "externalTrafficPolicy")
            } else if !["Cluster", "Local"].contains(spec.externalTrafficPolicy) {
                self.notSupported(
                    at: "externalTrafficPolicy",
                    .string(spec.externalTrafficPolicy),
                    supported: ["Cluster", "Local"]
                )
            }
        } else if !spec.externalTrafficPolicy.isEmpty {
            self.invalid(
                at: "externalTrafficPolicy",
                .string(spec.externalTrafficPolicy),
                "may only be set for externally-accessible services"
            )
        }
        if needsHealthPort {
            if spec.healthCheckNodePort < 0 {
                self.invalid(
                    at: "healthCheckNodePort",
                    .number(spec.healthCheckNodePort),
                    Formats.portNumber(Int64(spec.healthCheckNodePort))
                )
            }
        } else if spec.healthCheckNodePort != 0 {
            self.invalid(
                at: "healthCheckNodePort",
                .number(spec.healthCheckNodePort),
                "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is "
                    + "'Local'"
            )
        }
        if service.hasClusterIP {
            if let policy = spec.internalTrafficPolicy {
                self.oneOf("internalTrafficPolicy", policy, ifPresent: ["Cluster", "Local"])
            } else {
                self.required(at: "internalTrafficPolicy")
            }
        }
        self.oneOf(
            "trafficDistribution",
            spec.trafficDistribution,
            ifPresent: ["PreferClose", "PreferSameNode", "PreferSameZone"]
        )
    }

    // MARK: - Updates

    mutating func validateServiceUpdate(_ new: CoreV1.Service, old: CoreV1.Service) {
        self.validateClusterIPsUpdate(new, old: old)
        if old.spec.type == "LoadBalancer" && new.spec.type == "LoadBalancer" {
            self.within("spec") { errors in
                if old.spec.loadBalancerClass != new.spec.loadBalancerClass {
                    errors.invalid(
                        at: "loadBalancerClass",
                        .init(new.spec.loadBalancerClass),
                        "may not change once set"
                    )
                }
            }
        }
        self.validateService(new)
    }

    /// The first address stays as long as the service has one; the second can come and go.
    private mutating func validateClusterIPsUpdate(_ new: CoreV1.Service, old: CoreV1.Service) {
        guard old.hasClusterIP, new.hasClusterIP else { return }
        let before = old.spec.clusterIPs
        let after = new.spec.clusterIPs
        guard let first = before.first else { return }
        self.within("spec") { errors in
            guard let kept = after.first else {
                errors.within("clusterIPs", index: 0) {
                    $0.invalid(.init(after), "primary clusterIP can not be unset")
                }
                return
            }
            if kept != first {
                errors.within("clusterIPs", index: 0) {
                    $0.invalid(.init(after), "may not change once set")
                }
            }
            if before.count > 1 && after.count > 1 && before[1] != after[1] {
                errors.within("clusterIPs", index: 1) {
                    $0.invalid(.init(after), "may not change once set")
                }
            }
            let isSingle = new.spec.ipFamilyPolicy == "SingleStack"
            if before.count > 1 && after.count == 1 && !isSingle {
                errors.within("clusterIPs", index: 1) {
                    $0.invalid(
                        .init(after),
                        "`ipFamilyPolicy` must be set to 'SingleStack' when releasing the "
                            + "secondary clusterIP"
                    )
                }
            }
            if let family = old.spec.ipFamilies.first, let now = new.spec.ipFamilies.first,
                family != now
            {
                errors.within("ipFamilies", index: 0) {
                    $0.invalid(.init(new.spec.ipFamilies), "may not change once set")
                }
            }
        }
    }

    mutating func validateServiceStatus(_ new: CoreV1.Service) {
        self.within("status") { errors in
            errors.within("loadBalancer") { errors in
                if new.spec.type != "LoadBalancer" && !new.status.loadBalancer.ingress.isEmpty {
                    errors.forbidden(
                        at: "ingress",
                        "may only be used when `spec.type` is LoadBalancer"
                    )
                    return
                }
                errors.forEach("ingress", in: new.status.loadBalancer.ingress) {
                    errors,
                    ingress in
                    if !ingress.ip.isEmpty {
                        errors.add(
                            Formats.ipInLegacyField(errors.path.child("ip"), ingress.ip)
                        )
                        if ingress.ipMode == nil {
                            errors.required(
                                at: "ipMode",
                                "must be specified when `ip` is set"
                            )
                        }
                    } else if ingress.ipMode != nil {
                        errors.forbidden(
                            at: "ipMode",
                            "may not be specified when `ip` is not set"
                        )
                    }
                    errors.oneOf("ipMode", ingress.ipMode, ifPresent: ["Proxy", "VIP"])
                    if !ingress.hostname.isEmpty {
                        errors.invalid(
                            at: "hostname",
                            .string(ingress.hostname),
                            Formats.dns1123Subdomain(ingress.hostname)
                        )
                        if IPAddress(parsing: ingress.hostname) != nil {
                            errors.invalid(
                                at: "hostname",
                                .string(ingress.hostname),
                                "must be a DNS name, not an IP address"
                            )
                        }
                    }
                }
            }
        }
    }
}

extension String {
    /// The text without white space at its ends.
    var trimmed: String {
        var rest = self[...]
        while let first = rest.unicodeScalars.first, first.properties.isWhitespace {
            rest.unicodeScalars.removeFirst()
        }
        while let last = rest.unicodeScalars.last, last.properties.isWhitespace {
            rest.unicodeScalars.removeLast()
        }
        return String(rest)
    }
}
