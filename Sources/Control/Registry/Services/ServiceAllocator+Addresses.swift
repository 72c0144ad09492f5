// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import NameRules
package import ObjectModel
import Protobuf
import RequestInfo
package import ResourceTable
import WatchCache

extension ServiceAllocator {
    /// How many addresses are looked at before a range counts as full. Only one that nobody is
    /// known to have costs a request.
    private static let attempts = 1 << 20

    /// What upstream's allocator is called in the labels of its objects.
    package static let manager = "ipallocator.k8s.io"
    package static let familyLabel = "ipaddress.kubernetes.io/ip-family"
    package static let managerLabel = "ipaddress.kubernetes.io/managed-by"

    package static let resource = GroupResource(
        group: "networking.k8s.io",
        resource: "ipaddresses"
    )

    private var addresses: ResourceStore? { self.registry.store(Self.resource) }

    /// Gives a Service an address of each of its families.
    ///
    /// - Parameter taken: those that are new, also when a later one cannot be had.
    func takeAddresses(
        _ service: inout CoreV1.Service,
        _ before: CoreV1.Service?,
        _ taken: inout [String],
        _ isDryRun: Bool
    ) async throws(StatusError) {
        guard ServiceFields.needsAddresses(service) else { return }
        let own = before.map(Self.addresses) ?? []
        for (index, family) in service.spec.ipFamilies.enumerated() {
            let wanted =
                index < service.spec.clusterIPs.count ? service.spec.clusterIPs[index] : ""
            if !wanted.isEmpty {
                if own.contains(wanted) { continue }
                try await self.take(wanted, family, for: service, isDryRun)
                if !isDryRun { taken.append(wanted) }
                continue
            }
            let address = try await self.takeAny(family, for: service, isDryRun)
            if !isDryRun { taken.append(address) }
            if index < service.spec.clusterIPs.count {
                service.spec.clusterIPs[index] = address
            } else {
                service.spec.clusterIPs.append(address)
            }
            if index == 0 { service.spec.clusterIP = address }
        }
    }

    private func takeAny(
        _ family: String,
        for service: CoreV1.Service,
        _ isDryRun: Bool
    ) async throws(StatusError) -> String {
        let range = self.ranges.first { $0.family == family }
        let found = try await range?.visit(
            limit: Self.attempts
        ) { (address) throws(StatusError) -> Bool in
            if let store = self.addresses, store.cache.object(store.key("", address)) != nil {
                return false
            }
            return try await self.isTaken(address, service, isDryRun)
        }
        guard let found else {
            throw .internalError("failed to allocate a serviceIP: range is full")
        }
        return found
    }

    /// Takes an address unless somebody has it.
    private func isTaken(
        _ address: String,
        _ service: CoreV1.Service,
        _ isDryRun: Bool
    ) async throws(StatusError) -> Bool {
        do throws(StatusError) {
            try await self.reserve(address, for: service, isDryRun)
            return true
        } catch {
            guard error.reason == .alreadyExists else { throw error }
            return try await self.isHeld(address, by: service)
        }
    }

    /// Whether an address was taken for this very Service, by a server that has not come to store
    /// it.
    private func isHeld(
        _ address: String,
        by service: CoreV1.Service
    ) async throws(StatusError) -> Bool {
        guard let store = self.addresses else { return false }
        let held = try store.decode(try await store.get("", address))
        let parent = held.message(as: NetworkingV1.IPAddress.self)?.spec.parentRef
        return parent?.namespace == service.metadata.namespace
            && parent?.name == service.metadata.name
    }

    /// Takes the address that a Service asks for.
    private func take(
        _ address: String,
        _ family: String,
        for service: CoreV1.Service,
        _ isDryRun: Bool
    ) async throws(StatusError) {
        let range = self.ranges.first { $0.family == family }
        guard let range, range.contains(address) else {
            throw Self.invalid(
                service,
                "failed to allocate IP \(address): the provided IP (\(address)) is not in the "
                    + "valid range. The range of valid IPs is \(range?.text ?? "")"
            )
        }
        guard try await self.isTaken(address, service, isDryRun) else {
            throw Self.invalid(
                service,
                "failed to allocate IP \(address): provided IP is already allocated"
            )
        }
    }

    private static func invalid(_ service: CoreV1.Service, _ why: String) -> StatusError {
        var errors = FieldErrors()
        errors.within("spec") { errors in
            errors.invalid(at: "clusterIPs", .init(Array(service.spec.clusterIPs)), why)
        }
        return self.invalid(service, errors)
    }

    /// Creates the object that stands for an address.
    package func reserve(
        _ address: String,
        for service: CoreV1.Service,
        _ isDryRun: Bool = false
    ) async throws(StatusError) {
        let object = NetworkingV1.IPAddress.with {
            $0.metadata.name = address
            $0.metadata.labels = [
                Self.familyLabel: ServiceFields.family(of: address),
                Self.managerLabel: Self.manager,
            ]
            $0.spec.parentRef = NetworkingV1.ParentReference.with {
                $0.resource = "services"
                $0.namespace = service.metadata.namespace
                $0.name = service.metadata.name
            }
        }
        _ = try await self.addresses?.create(
            APIObject(object),
            WriteContext(isDryRun: isDryRun)
        )
    }

    /// Removes the object that stands for an address.
    package func giveBack(_ address: String) async {
        // An address that is gone already is free; one that stays is found by the repair.
        _ = try? await self.addresses?.delete("", address, .init(), WriteContext())
    }
}
