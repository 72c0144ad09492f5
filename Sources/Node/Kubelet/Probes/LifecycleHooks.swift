// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import PodLifecycle
import Protobuf

/// What a container wants to be done after its start and before its end.
///
/// Source: upstream `pkg/kubelet/lifecycle/handlers.go`.
struct LifecycleHooks: Sendable {
    /// The most that a request may take.
    private static let requestTimeout: Duration = .seconds(60)

    let prober: Prober

    /// Runs a hook to its end.
    ///
    /// - Returns: what went wrong; nil when nothing did.
    func run(
        _ handler: CoreV1.LifecycleHandler,
        _ spec: ContainerSpec,
        id: String,
        address: String
    ) async -> String? {
        if let exec = handler.exec {
            let answer = await self.prober.exec(Array(exec.command), id, .zero)
            if answer.isHealthy { return nil }
            return "Exec lifecycle hook (\(Array(exec.command))) for Container "
                + "\"\(spec.name)\" failed - error: \(answer.output)"
        }
        if let sleep = handler.sleep {
            try? await Task.sleep(for: .seconds(sleep.seconds))
            return nil
        }
        if let get = handler.httpGet {
            let port = Prober.port(get.port, spec) ?? 80
            let answer = await Prober.get(get, port, address, Self.requestTimeout)
            return answer.isHealthy ? nil : answer.output
        }
        if let socket = handler.tcpSocket, let port = Prober.port(socket.port, spec) {
            let answer = await Prober.connect(
                socket.host.isEmpty ? address : socket.host,
                port,
                Self.requestTimeout
            )
            return answer.isHealthy ? nil : answer.output
        }
        return nil
    }
}
