// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

// Source: upstream `pkg/apis/{networking,discovery,core}/validation/validation.go`.

extension KindRules {
    static var network: [String: KindRules] {
        Dictionary(uniqueKeysWithValues: [
            self.of(NetworkingV1.Ingress.self) { errors, ingress in
                errors.validateIngress(ingress)
            },
            self.of(NetworkingV1.IngressClass.self) { errors, `class` in
                errors.validateIngressClass(`class`)
            } update: { errors, new, old, _ in
                errors.within("spec") { errors in
                    errors.immutable(at: "controller", new.spec.controller, old.spec.controller)
                }
                errors.validateIngressClass(new)
            },
            self.ofSpec(NetworkingV1.NetworkPolicy.self, spec: { $0.validatePolicy($1.spec) }),
            self.of(DiscoveryV1.EndpointSlice.self) { errors, slice in
                errors.validateSlice(slice)
            } update: { errors, new, old, _ in
                errors.validateSlice(new)
                errors.immutable(at: "addressType", new.addressType, old.addressType)
            },
            self.of(CoreV1.Endpoints.self) { $0.validateEndpoints($1) },
        ])
    }
}

extension FieldErrors {
    // MARK: - Network policies

    mutating func validatePolicy(_ spec: NetworkingV1.NetworkPolicySpec) {
        self.within("podSelector") { $0.validateSelector(spec.podSelector) }
        self.forEach("ingress", in: spec.ingress) { errors, rule in
            errors.forEach("ports", in: rule.ports) { $0.validatePolicyPort($1) }
            errors.forEach("from", in: rule.from) { $0.validatePeer($1) }
        }
        self.forEach("egress", in: spec.egress) { errors, rule in
            errors.forEach("ports", in: rule.ports) { $0.validatePolicyPort($1) }
            errors.forEach("to", in: rule.to) { $0.validatePeer($1) }
        }
        if spec.policyTypes.count > 2 {
            self.invalid(
                at: "policyTypes",
                .init(spec.policyTypes),
                "may not specify more than two policyTypes"
            )
            return
        }
        self.forEach("policyTypes", in: spec.policyTypes) { errors, type in
            if type != "Ingress" && type != "Egress" {
                errors.notSupported(.string(type), supported: ["Ingress", "Egress"])
            }
        }
    }

    private mutating func validatePolicyPort(_ port: NetworkingV1.NetworkPolicyPort) {
        if let name = port.protocol {
            self.oneOf("protocol", name, ifPresent: ["SCTP", "TCP", "UDP"])
        }
        guard let first = port.port else {
            if let last = port.endPort {
                self.invalid(
                    at: "endPort",
                    .number(last),
                    "may not be specified when `port` is not specified"
                )
            }
            return
        }
        switch first.value {
        case .int(let number):
            self.invalid(
                at: "port",
                .number(number),
                Formats.portNumber(Int64(number))
            )
            guard let last = port.endPort else { return }
            if last < number {
                self.invalid(
                    at: "endPort",
                    .number(last),
                    "must be greater than or equal to `port`"
                )
            }
            self.invalid(at: "endPort", .number(last), Formats.portNumber(Int64(last)))
        case .string(let name):
            if let last = port.endPort {
                self.invalid(
                    at: "endPort",
                    .number(last),
                    "may not be specified when `port` is non-numeric"
                )
            }
            self.invalid(at: "port", .string(name), Formats.portName(name))
        }
    }

    private mutating func validatePeer(_ peer: NetworkingV1.NetworkPolicyPeer) {
        self.ifPresent("podSelector", peer.podSelector) { $0.validateSelector($1) }
        self.ifPresent("namespaceSelector", peer.namespaceSelector) { $0.validateSelector($1) }
        self.ifPresent("ipBlock", peer.ipBlock) { errors, block in
            guard errors.mustHave("cidr", block.cidr) else { return }
            errors.add(Formats.cidrInLegacyField(errors.path.child("cidr"), block.cidr))
            guard let range = IPPrefix(parsing: block.cidr, .sloppy) else { return }
            errors.forEach("except", in: block.except) { errors, text in
                let faults = Formats.cidrInLegacyField(errors.path, text)
                errors.add(faults)
                guard faults.isEmpty, let part = IPPrefix(parsing: text, .sloppy) else { return }
                let isPart =
                    range.network.isIPv4 == part.network.isIPv4
                    && range.contains(part.network) && part.length > range.length
                if !isPart {
                    errors.invalid(.string(text), "must be a strict subset of `cidr`")
                }
            }
        }
        let hasSelector = peer.podSelector != nil || peer.namespaceSelector != nil
        if !hasSelector && peer.ipBlock == nil {
            self.required("must specify a peer")
        } else if hasSelector && peer.ipBlock != nil {
            self.forbidden("may not specify both ipBlock and another peer")
        }
    }

    // MARK: - Endpoints

    mutating func validateSlice(_ slice: DiscoveryV1.EndpointSlice) {
        self.oneOf("addressType", slice.addressType, ["FQDN", "IPv4", "IPv6"])
        if slice.endpoints.count > APILimits.endpointSliceEndpointsMax {
            self.tooMany(
                at: "endpoints",
                count: slice.endpoints.count,
                limit: APILimits.endpointSliceEndpointsMax
            )
            return
        }
        self.forEach("endpoints", in: slice.endpoints) { errors, endpoint in
            errors.validateEndpoint(endpoint, slice.addressType)
        }
        if slice.ports.count > APILimits.endpointSlicePortsMax {
            self.tooMany(
                at: "ports",
                count: slice.ports.count,
                limit: APILimits.endpointSlicePortsMax
            )
            return
        }
        var names: Set<String> = []
        self.forEach("ports", in: slice.ports) { errors, port in
            let name = port.name ?? ""
            errors.mayHave("name", name) { Formats.dns1123Label($0) }
            if !names.insert(name).inserted { errors.duplicate(at: "name", .string(name)) }
            if let name = port.protocol {
                errors.oneOf("protocol", name, ["SCTP", "TCP", "UDP"])
            } else {
                errors.required(at: "protocol")
            }
            if let name = port.appProtocol {
                errors.invalid(at: "appProtocol", .string(name), Formats.labelKey(name))
            }
        }
    }

    private mutating func validateEndpoint(
        _ endpoint: DiscoveryV1.Endpoint,
        _ type: String
    ) {
        if endpoint.addresses.isEmpty {
            self.required(at: "addresses", "must contain at least 1 address")
        } else if endpoint.addresses.count > APILimits.endpointSliceAddressesMax {
            self.tooMany(
                at: "addresses",
                count: endpoint.addresses.count,
                limit: APILimits.endpointSliceAddressesMax
            )
            return
        }
        self.forEach("addresses", in: endpoint.addresses) { errors, address in
            switch type {
            case "IPv4", "IPv6":
                let faults = Formats.ipInLegacyField(errors.path, address)
                errors.add(faults)
                guard faults.isEmpty, let parsed = IPAddress(parsing: address, .sloppy) else {
                    return
                }
                if parsed.isIPv4 != (type == "IPv4") {
                    errors.invalid(.string(address), "must be an \(type) address")
                }
                errors.validateNotSpecialEndpoint(parsed, address)
            case "FQDN":
                errors.add(Formats.fullyQualifiedName(errors.path, address))
            default: return
            }
        }
        if let name = endpoint.nodeName {
            self.invalid(at: "nodeName", .string(name), Formats.dns1123Subdomain(name))
        }
        if let name = endpoint.hostname {
            self.invalid(at: "hostname", .string(name), Formats.dns1123Label(name))
        }
        self.ifPresent("hints", endpoint.hints) { errors, hints in
            if hints.forZones.count > APILimits.endpointSliceZoneHintsMax {
                errors.tooMany(
                    at: "forZones",
                    count: hints.forZones.count,
                    limit: APILimits.endpointSliceZoneHintsMax
                )
            }
            errors.forEach("forZones", in: hints.forZones) { errors, zone in
                errors.invalid(at: "name", .string(zone.name), Formats.labelValue(zone.name))
            }
        }
    }

    private mutating func validateNotSpecialEndpoint(_ address: IPAddress, _ text: String) {
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

    mutating func validateEndpoints(_ endpoints: CoreV1.Endpoints) {
        self.forEach("subsets", in: endpoints.subsets) { errors, subset in
            if subset.addresses.isEmpty && subset.notReadyAddresses.isEmpty {
                errors.required("must specify `addresses` or `notReadyAddresses`")
            }
            for (name, list) in [
                ("addresses", subset.addresses), ("notReadyAddresses", subset.notReadyAddresses),
            ] {
                errors.forEach(name, in: list) { errors, address in
                    let faults = Formats.ipInLegacyField(errors.path.child("ip"), address.ip)
                    errors.add(faults)
                    errors.mayHave("hostname", address.hostname) { Formats.dns1123Label($0) }
                    if faults.isEmpty, let parsed = IPAddress(parsing: address.ip, .sloppy) {
                        errors.within("ip") {
                            $0.validateNotSpecialEndpoint(parsed, address.ip)
                        }
                    }
                }
            }
            let mustHaveNames = subset.ports.count > 1
            errors.forEach("ports", in: subset.ports) { errors, port in
                if port.name.isEmpty {
                    if mustHaveNames { errors.required(at: "name") }
                } else {
                    errors.invalid(
                        at: "name",
                        .string(port.name),
                        Formats.dns1123Label(port.name)
                    )
                }
                errors.invalid(
                    at: "port",
                    .number(port.port),
                    Formats.portNumber(Int64(port.port))
                )
                errors.oneOf("protocol", port.protocol, ["SCTP", "TCP", "UDP"])
            }
        }
    }
}
