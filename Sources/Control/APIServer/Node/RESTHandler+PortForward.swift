// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import HTTP
import KubernetesAPI
import NodeStreams
import ObjectModel
import Protobuf
import RequestInfo

extension RESTHandler {
    /// Carries connections to ports of a pod.
    func portForward(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let pod = try await self.pod(call)
        guard !pod.spec.nodeName.isEmpty else {
            throw .badRequest("pod \(call.name) does not have a host assigned")
        }
        let ports = try Self.ports(exchange.target.query)
        try await self.checkConnect(exchange, call)
        let client = try self.core.nodes.client(node: pod.spec.nodeName)
        try await StreamExchange(exchange.request, exchange.response).forwardPorts(
            client,
            PodTarget.message(pod),
            ports: ports
        )
    }

    /// The ports of a query: several parameters, or several in one.
    private static func ports(_ query: QueryParameters) throws(StatusError) -> [UInt32] {
        var ports: [UInt32] = []
        for text in query.all("ports").flatMap({ $0.split(separator: ",") }) {
            guard let port = UInt32(text), (1...65_535).contains(port) else {
                throw .badRequest("unable to parse \"\(text)\" as a port")
            }
            ports.append(port)
        }
        return ports
    }
}
