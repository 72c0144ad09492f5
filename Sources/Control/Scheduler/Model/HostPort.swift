// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// A port of the node that a container takes.
package struct HostPort: Sendable, Hashable {
    package let address: String
    package let transport: String
    package let port: Int32

    /// The address that stands for all of them.
    static let anyAddress = "0.0.0.0"

    package init(address: String, transport: String, port: Int32) {
        self.address = address.isEmpty ? Self.anyAddress : address
        self.transport = transport.isEmpty ? "TCP" : transport
        self.port = port
    }

    /// The ports of a pod: of its containers and sidecars.
    package static func ports(of spec: CoreV1.PodSpec) -> [HostPort] {
        var ports: [HostPort] = []
        func add(_ container: CoreV1.Container) {
            for port in container.ports where port.hostPort > 0 {
                ports.append(
                    HostPort(
                        address: port.hostIP,
                        transport: port.protocol,
                        port: port.hostPort
                    )
                )
            }
        }
        for container in spec.containers { add(container) }
        for container in spec.initContainers where container.restartPolicy == "Always" {
            add(container)
        }
        return ports
    }

    /// Whether both cannot be taken on one node.
    package func conflicts(with other: HostPort) -> Bool {
        self.port == other.port && self.transport == other.transport
            && (self.address == other.address || self.address == Self.anyAddress
                || other.address == Self.anyAddress)
    }
}
