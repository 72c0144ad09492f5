// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import NameRules
package import ObjectModel
import Protobuf

extension ServiceAllocator {
    /// Gives a Service its ports on nodes.
    ///
    /// - Returns: those that are new.
    func takePorts(
        _ service: inout CoreV1.Service,
        _ before: CoreV1.Service?,
        _ isDryRun: Bool
    ) async throws(StatusError) -> [Int32] {
        let own = Set(before.map(ServiceFields.nodePorts) ?? [])
        guard Self.lacksPorts(service, own) else { return [] }
        let asked = service
        let (found, taken) = try await self.nodePorts.change(isDryRun: isDryRun) {
            (allocations) throws(StatusError) -> (CoreV1.Service, [Int32]) in
            var service = asked
            let taken = try Self.assign(
                &service,
                own: own,
                isNew: before == nil,
                from: &allocations
            )
            return (service, taken)
        }
        service = found
        return taken
    }

    /// Whether there are ports to be had for a Service.
    private static func lacksPorts(_ service: CoreV1.Service, _ own: Set<Int32>) -> Bool {
        guard ServiceFields.hasNodePorts(service) else { return false }
        let isNeeded = ServiceFields.needsNodePorts(service)
        if service.spec.ports.contains(where: {
            $0.nodePort == 0 ? isNeeded : !own.contains($0.nodePort)
        }) {
            return true
        }
        return ServiceFields.needsHealthPort(service)
            && (service.spec.healthCheckNodePort == 0
                || !own.contains(service.spec.healthCheckNodePort))
    }

    /// Fills in the ports of a Service.
    ///
    /// - Parameters:
    ///   - own: those that it had before.
    ///   - isNew: whether it is created: then one port over two protocols is one port on nodes.
    /// - Returns: those that are new.
    package static func assign(
        _ service: inout CoreV1.Service,
        own: Set<Int32>,
        isNew: Bool,
        from allocations: inout PortAllocations
    ) throws(StatusError) -> [Int32] {
        var taken: [Int32] = []
        var byNumber: [Int32: Int32] = [:]
        for port in service.spec.ports
        where isNew && port.nodePort != 0 && byNumber[port.port] == nil {
            byNumber[port.port] = port.nodePort
        }
        for index in service.spec.ports.indices {
            let port = service.spec.ports[index]
            if port.nodePort != 0 {
                if own.contains(port.nodePort) || taken.contains(port.nodePort) { continue }
                if let fault = allocations.take(port.nodePort) {
                    throw Self.refused(port.nodePort, fault, service, index)
                }
                taken.append(port.nodePort)
                continue
            }
            guard ServiceFields.needsNodePorts(service) else { continue }
            if let shared = byNumber[port.port],
                !Self.uses(service, shared, protocol: port.protocol)
            {
                service.spec.ports[index].nodePort = shared
                if !own.contains(shared), !taken.contains(shared) {
                    if let fault = allocations.take(shared) {
                        throw Self.refused(shared, fault, service, index)
                    }
                    taken.append(shared)
                }
                continue
            }
            guard let free = allocations.takeNext() else {
                throw .internalError("failed to allocate a nodePort: range is full")
            }
            service.spec.ports[index].nodePort = free
            if isNew { byNumber[port.port] = free }
            taken.append(free)
        }
        try self.assignHealthPort(&service, own, &taken, &allocations)
        return taken
    }

    private static func assignHealthPort(
        _ service: inout CoreV1.Service,
        _ own: Set<Int32>,
        _ taken: inout [Int32],
        _ allocations: inout PortAllocations
    ) throws(StatusError) {
        guard ServiceFields.needsHealthPort(service) else { return }
        let wanted = service.spec.healthCheckNodePort
        if wanted == 0 {
            guard let free = allocations.takeNext() else {
                throw .internalError(
                    "failed to allocate a HealthCheck NodePort 0: range is full"
                )
            }
            service.spec.healthCheckNodePort = free
            taken.append(free)
        } else if !own.contains(wanted) {
            if let fault = allocations.take(wanted) {
                throw .internalError(
                    "failed to allocate requested HealthCheck NodePort \(wanted): "
                        + fault.description
                )
            }
            taken.append(wanted)
        }
    }

    private static func uses(
        _ service: CoreV1.Service,
        _ port: Int32,
        protocol name: String
    ) -> Bool {
        service.spec.ports.contains { $0.nodePort == port && $0.protocol == name }
    }

    private static func refused(
        _ port: Int32,
        _ fault: PortAllocations.Fault,
        _ service: CoreV1.Service,
        _ index: Int
    ) -> StatusError {
        var errors = FieldErrors()
        errors.within("spec") { errors in
            errors.within("ports", index: index) { errors in
                errors.invalid(
                    at: "nodePort",
                    .init(integerLiteral: Int64(port)),
                    fault.description
                )
            }
        }
        return self.invalid(service, errors)
    }
}
