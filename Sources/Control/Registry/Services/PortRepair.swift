// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// Compares the register of node ports with the Services: a core without a store.
///
/// Source: upstream `pkg/registry/core/service/portallocator/controller/repair.go`.
package struct PortRepair: Sendable {
    /// How many more rounds a port stays taken that no Service has: somebody may be about to store
    /// the Service that it was taken for.
    private var leaks: [Int32: Int] = [:]

    /// In how many rounds a leak is met before it is cleaned up.
    package static let rounds = 3

    package init() {}

    /// Whether another round is needed although nothing changes.
    package var isPending: Bool { !self.leaks.isEmpty }

    /// What the register should be, and what was found.
    package mutating func step(
        _ stored: PortAllocations,
        _ services: [CoreV1.Service]
    ) -> (allocations: PortAllocations, findings: [RepairFinding]) {
        var rest = stored.ports
        var rebuilt = PortAllocations(range: stored.range)
        var findings: [RepairFinding] = []
        for service in services {
            for port in ServiceFields.nodePorts(of: service) {
                switch rebuilt.take(port) {
                case nil:
                    if rest.remove(port) == nil {
                        findings.append(
                            .warning(
                                .repair,
                                "PortNotAllocated",
                                "Port \(port) is not allocated; repairing",
                                service
                            )
                        )
                    }
                    self.leaks[port] = nil
                case .taken:
                    findings.append(
                        .warning(
                            .duplicate,
                            "PortAlreadyAllocated",
                            "Port \(port) was assigned to multiple services; please recreate "
                                + "service",
                            service
                        )
                    )
                case .outside(let range):
                    findings.append(
                        .warning(
                            .outOfRange,
                            "PortOutOfRange",
                            "Port \(port) is not within the port range "
                                + "\(range.lowerBound)-\(range.upperBound); please recreate "
                                + "service",
                            service
                        )
                    )
                }
            }
        }
        for port in rest.sorted() {
            let left = self.leaks[port] ?? Self.rounds - 1
            if left > 0 {
                self.leaks[port] = left - 1
                _ = rebuilt.take(port)
            } else {
                self.leaks[port] = nil
                findings.append(
                    RepairFinding(
                        .leak,
                        "the node port \(port) appears to have leaked: cleaning up"
                    )
                )
            }
        }
        self.leaks = self.leaks.filter { rest.contains($0.key) }
        return (rebuilt, findings)
    }
}
