// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

extension FieldErrors {
    mutating func validateIngress(_ ingress: NetworkingV1.Ingress) {
        self.within("spec") { errors in
            let spec = ingress.spec
            if spec.rules.isEmpty && spec.defaultBackend == nil {
                errors.invalid(
                    .list(spec.rules),
                    "either `defaultBackend` or `rules` must be specified"
                )
            }
            errors.ifPresent("defaultBackend", spec.defaultBackend) { $0.validateBackend($1) }
            errors.forEach("rules", in: spec.rules) { errors, rule in
                if !rule.host.isEmpty { errors.validateHost(rule.host, at: "host") }
                errors.ifPresent("http", rule.ingressRuleValue.http) { errors, http in
                    if http.paths.isEmpty { errors.required(at: "paths") }
                    errors.forEach("paths", in: http.paths) { $0.validatePath($1) }
                }
            }
            errors.forEach("tls", in: spec.tls) { errors, tls in
                errors.forEach("hosts", in: tls.hosts) { errors, host in
                    errors.validateHost(host, at: nil, mayBeAddress: true)
                }
                errors.mayHave("secretName", tls.secretName) { Formats.dns1123Subdomain($0) }
            }
            if let name = spec.ingressClassName {
                errors.invalid(
                    at: "ingressClassName",
                    .string(name),
                    Formats.dns1123Subdomain(name)
                )
            }
        }
        let key = "kubernetes.io/ingress.class"
        if let name = ingress.metadata.annotations[key], ingress.spec.ingressClassName != nil {
            self.within("metadata") { errors in
                errors.within("annotations") { errors in
                    errors.within(key: key) {
                        $0.invalid(
                            .string(name),
                            "can not be set when the class field is also set"
                        )
                    }
                }
            }
        }
    }

    private mutating func validateHost(
        _ host: String,
        at name: String?,
        mayBeAddress: Bool = false
    ) {
        if !mayBeAddress && IPAddress(parsing: host, .sloppy) != nil {
            self.invalid(at: name, .string(host), "must be a DNS name, not an IP address")
        }
        if host.contains("*") {
            self.invalid(at: name, .string(host), Formats.wildcardDNS1123Subdomain(host))
        } else {
            self.invalid(at: name, .string(host), Formats.dns1123Subdomain(host))
        }
    }

    private mutating func validatePath(_ path: NetworkingV1.HTTPIngressPath) {
        switch path.pathType {
        case nil: self.required(at: "pathType", "pathType must be specified")
        case "Exact", "Prefix":
            if !path.path.hasPrefix("/") {
                self.invalid(at: "path", .string(path.path), "must be an absolute path")
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"] where path.path.contains(part) {
                self.invalid(at: "path", .string(path.path), "must not contain '\(part)'")
            }
            for end in ["/..", "/."] where path.path.hasSuffix(end) {
                self.invalid(at: "path", .string(path.path), "cannot end with '\(end)'")
            }
        case "ImplementationSpecific":
            if !path.path.isEmpty && !path.path.hasPrefix("/") {
                self.invalid(at: "path", .string(path.path), "must be an absolute path")
            }
        case let type?:
            self.notSupported(
                at: "pathType",
                .string(type),
                supported: ["Exact", "ImplementationSpecific", "Prefix"]
            )
        }
        self.within("backend") { $0.validateBackend(path.backend) }
    }

    private mutating func validateBackend(_ backend: NetworkingV1.IngressBackend) {
        switch (backend.service, backend.resource) {
        case (nil, nil):
            self.required("resource or service backend is required")
        case (_?, _?):
            self.invalid("", "cannot set both resource and service backends")
        case (nil, let resource?):
            self.within("resource") { errors in
                if let group = resource.apiGroup {
                    errors.invalid(
                        at: "apiGroup",
                        .string(group),
                        group.isEmpty ? [] : Formats.dns1123Subdomain(group)
                    )
                }
                errors.mustHave("kind", resource.kind)
                errors.mustHave("name", resource.name)
            }
        case (let service?, nil):
            self.within("service") { errors in
                errors.mustHave("name", service.name) { Formats.dns1123Label($0) }
            }
            let port = service.port
            switch (port.name.isEmpty, port.number == 0) {
            case (false, false):
                self.invalid("", "cannot set both port name & port number")
            case (false, true):
                self.within("service") { errors in
                    errors.within("port") {
                        $0.invalid(at: "name", .string(port.name), Formats.portName(port.name))
                    }
                }
            case (true, false):
                self.within("service") { errors in
                    errors.within("port") {
                        $0.invalid(
                            at: "number",
                            .number(port.number),
                            Formats.portNumber(Int64(port.number))
                        )
                    }
                }
            case (true, true):
                self.required("port name or number is required")
            }
        }
    }

    mutating func validateIngressClass(_ class: NetworkingV1.IngressClass) {
        self.within("spec") { errors in
            let name = `class`.spec.controller
            if name.utf8.count > APILimits.ingressClassControllerMaxLength {
                errors.tooLong(
                    at: "controller",
                    limit: APILimits.ingressClassControllerMaxLength
                )
            }
            errors.add(Formats.domainPrefixedPath(errors.path.child("controller"), name))
            errors.ifPresent("parameters", `class`.spec.parameters) { errors, parameters in
                errors.mustHave("kind", parameters.kind) { Formats.pathSegmentName($0) }
                errors.mustHave("name", parameters.name) { Formats.pathSegmentName($0) }
                switch parameters.scope {
                case "Namespace":
                    if (parameters.namespace ?? "").isEmpty {
                        errors.required(
                            at: "namespace",
                            "`parameters.scope` is set to 'Namespace'"
                        )
                    }
                case "Cluster":
                    if parameters.namespace != nil {
                        errors.forbidden(
                            at: "namespace",
                            "`parameters.scope` is set to 'Cluster'"
                        )
                    }
                case nil: errors.required(at: "scope")
                case let scope?:
                    errors.notSupported(
                        at: "scope",
                        .string(scope),
                        supported: ["Cluster", "Namespace"]
                    )
                }
            }
        }
    }
}
