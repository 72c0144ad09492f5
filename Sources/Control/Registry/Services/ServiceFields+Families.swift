// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf
import Validation

// Which families of addresses a Service has, and whether it has one or two.
//
// Source: KEP-563 "Dual-stack Services"; upstream `pkg/registry/core/service/storage/alloc.go`.

extension ServiceFields {
    private static let single = "SingleStack"
    private static let prefer = "PreferDualStack"
    private static let require = "RequireDualStack"

    /// Fills in the policy and the families.
    ///
    /// - Parameter configured: the families of the cluster, its default first.
    static func completeFamilies(
        _ service: inout CoreV1.Service,
        _ before: CoreV1.Service?,
        _ configured: [String],
        _ errors: inout FieldErrors
    ) {
        guard self.hasAddresses(service) else { return }
        // What prefers two families keeps what it has when the cluster's families change.
        if let before, self.isUntouchedPreference(service, before) { return }
        let policy = self.policy(of: service, before)
        service.spec.ipFamilyPolicy = policy
        Validator.validateServiceAddresses(service, &errors)
        guard errors.isEmpty else { return }
        if let before { self.release(&service, before, policy, &errors) }
        if policy == self.single { self.checkSingle(service, &errors) }
        self.inferFamilies(&service, configured, &errors)
        guard errors.isEmpty else { return }
        if service.spec.clusterIP == "None", service.spec.selector.isEmpty {
            // Its endpoints are its author's: they may be of families that the cluster has not.
            if service.spec.ipFamilies.isEmpty {
                service.spec.ipFamilies.append(contentsOf: configured.prefix(1))
            }
            if policy != self.single { self.addSecond(&service) }
            return
        }
        self.checkConfigured(service, policy, configured, &errors)
        guard errors.isEmpty else { return }
        if service.spec.ipFamilies.isEmpty {
            service.spec.ipFamilies.append(contentsOf: configured.prefix(1))
        }
        if policy != self.single, configured.count == 2 { self.addSecond(&service) }
    }

    private static func isUntouchedPreference(
        _ service: CoreV1.Service,
        _ before: CoreV1.Service
    ) -> Bool {
        service.spec.ipFamilyPolicy == self.prefer
            && (before.spec.ipFamilyPolicy ?? self.prefer) == self.prefer
            && service.spec.type == before.spec.type
            && service.spec.clusterIPs == before.spec.clusterIPs
            && service.spec.ipFamilies == before.spec.ipFamilies
    }

    private static func policy(of service: CoreV1.Service, _ before: CoreV1.Service?) -> String {
        if let policy = service.spec.ipFamilyPolicy ?? before?.spec.ipFamilyPolicy {
            return policy
        }
        return service.spec.clusterIP == "None" && service.spec.selector.isEmpty
            ? self.require : self.single
    }

    /// Gives up the second family, or says that it has to be asked for.
    private static func release(
        _ service: inout CoreV1.Service,
        _ before: CoreV1.Service,
        _ policy: String,
        _ errors: inout FieldErrors
    ) {
        let addresses = service.spec.clusterIPs
        let families = service.spec.ipFamilies
        if policy == self.single {
            if addresses == before.spec.clusterIPs, addresses.count > 1 {
                service.spec.clusterIPs = [addresses[0]]
            }
            if families == before.spec.ipFamilies, families.count > 1 {
                service.spec.ipFamilies = [families[0]]
            }
            return
        }
        if !addresses.isEmpty, addresses.count < before.spec.clusterIPs.count {
            errors.invalid(
                at: "ipFamilyPolicy",
                .string(policy),
                "must be 'SingleStack' to release the secondary cluster IP"
            )
        }
        if !families.isEmpty, families.count < before.spec.ipFamilies.count {
            errors.invalid(
                at: "ipFamilyPolicy",
                .string(policy),
                "must be 'SingleStack' to release the secondary IP family"
            )
        }
    }

    private static func checkSingle(_ service: CoreV1.Service, _ errors: inout FieldErrors) {
        let words = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"
        if service.spec.clusterIPs.count == 2 {
            errors.invalid(
                at: "ipFamilyPolicy",
                .string(self.single),
                "\(words) cluster IPs are specified"
            )
        }
        if service.spec.ipFamilies.count == 2 {
            errors.invalid(
                at: "ipFamilyPolicy",
                .string(self.single),
                "\(words) IP families are specified"
            )
        }
    }

    /// The families of the addresses that are asked for.
    private static func inferFamilies(
        _ service: inout CoreV1.Service,
        _ configured: [String],
        _ errors: inout FieldErrors
    ) {
        let addresses = service.spec.clusterIPs
        for (index, address) in addresses.enumerated()
        where index >= service.spec.ipFamilies.count {
            if address == "None" { return }
            let family = self.family(of: address)
            if configured.contains(family) {
                service.spec.ipFamilies.append(family)
            } else {
                errors.within("clusterIPs", index: index) {
                    $0.invalid(
                        .init(Array(addresses)),
                        "\(family) is not configured on this cluster"
                    )
                }
            }
        }
    }

    private static func checkConfigured(
        _ service: CoreV1.Service,
        _ policy: String,
        _ configured: [String],
        _ errors: inout FieldErrors
    ) {
        if policy == self.require, configured.count < 2 {
            errors.invalid(
                at: "ipFamilyPolicy",
                .string(policy),
                "this cluster is not configured for dual-stack services"
            )
        }
        for (index, family) in service.spec.ipFamilies.enumerated()
        where !configured.contains(family) {
            errors.within("ipFamilies", index: index) {
                $0.invalid(.string(family), "not configured on this cluster")
            }
        }
    }

    private static func addSecond(_ service: inout CoreV1.Service) {
        guard service.spec.ipFamilies.count == 1 else { return }
        service.spec.ipFamilies.append(service.spec.ipFamilies[0] == "IPv4" ? "IPv6" : "IPv4")
    }

    /// The family of an address.
    static func family(of address: String) -> String { address.contains(":") ? "IPv6" : "IPv4" }
}
