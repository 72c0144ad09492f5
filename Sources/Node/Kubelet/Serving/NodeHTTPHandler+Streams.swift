// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import HTTP
import KubernetesAPI
import NodeStreams
import ObjectModel
import PodLifecycle
import Protobuf

extension NodeHTTPHandler {
    /// Serves exec, attach and port-forward.
    func stream(
        _ route: NodeRoute,
        _ query: NodeQuery,
        _ request: HTTPRequest,
        _ response: HTTPResponseWriter
    ) async throws {
        let exchange = StreamExchange(request, response)
        do throws(StatusError) {
            switch route {
            case .exec(let target):
                let options = try Self.options(query)
                try await exchange.exec(self.node, try await self.target(target), options)
            case .attach(let target):
                let options = try Self.options(query)
                try await exchange.attach(self.node, try await self.target(target), options)
            case .portForward(let namespace, let name, let uid):
                let pod = try await self.pod(namespace, name, uid)
                try await exchange.forwardPorts(
                    self.node,
                    Self.message(pod),
                    ports: try Self.ports(query)
                )
            default: return
            }
        } catch {
            let status = HTTPStatus(rawValue: error.code)
            try await self.answer(response, status, error.message + "\n")
        }
    }

    private func pod(
        _ namespace: String,
        _ name: String,
        _ uid: String
    ) async throws(StatusError) -> CoreV1.Pod {
        guard let pod = await self.fleet.pod(namespace: namespace, name: name),
            uid.isEmpty || uid == pod.metadata.uid
        else { throw StatusError(.notFound, code: 404, "pod does not exist") }
        return pod
    }

    /// A container that runs.
    private func target(
        _ target: NodeRoute.Container
    ) async throws(StatusError) -> ApusNode.ContainerTarget {
        let pod = try await self.pod(target.namespace, target.pod, target.uid)
        let runtime = self.services.observer.known(pod.metadata.uid)
        guard pod.containerSpec(named: target.name) != nil,
            runtime.container(named: target.name)?.state == .running
        else {
            let text = "container not found (\"\(target.name)\")"
            throw StatusError(.internalError, code: 500, text)
        }
        return ApusNode.ContainerTarget.with {
            $0.pod = Self.message(pod)
            $0.container = target.name
        }
    }

    private static func message(_ pod: CoreV1.Pod) -> ApusNode.PodTarget {
        ApusNode.PodTarget.with {
            $0.namespace = pod.metadata.namespace
            $0.name = pod.metadata.name
            $0.uid = pod.metadata.uid
        }
    }

    /// The names that the kubelet has for streams are not those of the API.
    ///
    /// Source: upstream `k8s.io/kubelet/pkg/cri/streaming/remotecommand/httpstream.go`.
    private static func options(_ query: NodeQuery) throws(StatusError) -> StreamOptions {
        let wanted = StreamOptions(
            command: query.all("command"),
            stdin: query["input"] == "1",
            stdout: query["output"] == "1",
            stderr: query["error"] == "1",
            tty: query["tty"] == "1"
        )
        guard let wanted else {
            throw .badRequest("you must specify at least 1 of stdin, stdout, stderr")
        }
        return wanted
    }

    private static func ports(_ query: NodeQuery) throws(StatusError) -> [UInt32] {
        var ports: [UInt32] = []
        for text in query.all("port").flatMap({ $0.split(separator: ",") }) {
            guard let port = UInt32(text), (1...65_535).contains(port) else {
                throw .badRequest("unable to parse \"\(text)\" as a port")
            }
            ports.append(port)
        }
        return ports
    }
}
