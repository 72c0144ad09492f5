// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import EventRecording
import Informers
package import KubernetesAPI
package import Logging
import ObjectModel
import PodLifecycle
import Protobuf
package import RPCInterface
import ResourceClient
import Selectors

/// The API server, over its RPC services.
package final class APICluster: ClusterAccess {
    let channel: any RPCChannel
    let nodeName: String
    let pods: Informer<CoreV1.Pod>
    let allServices: Informer<CoreV1.Service>
    let recorder: EventRecorder
    private let logger: Logger

    /// - Parameter channel: to the API server, with the node's own credentials.
    package init(channel: any RPCChannel, nodeName: String, logger: Logger) {
        self.channel = channel
        self.nodeName = nodeName
        self.logger = logger
        let own = FieldSelector([FieldSelector.Term("spec.nodeName", nodeName)])
        self.pods = Informer(
            Client<CoreV1.Pod>(channel),
            scope: InformerScope(fields: own),
            transform: { pod in
                var pod = pod
                pod.metadata.managedFields = []
                return pod
            },
            failed: { error in
                logger.warning("watching pods failed", metadata: ["error": "\(error.message)"])
            }
        )
        self.allServices = Informer(Client<CoreV1.Service>(channel))
        self.recorder = EventRecorder(component: "kubelet", host: nodeName, channel: channel)
    }

    var events: any EventSink { APIEvents(recorder: self.recorder) }

    // MARK: - What pods need

    package func configMap(_ namespace: String, _ name: String) async throws -> CoreV1.ConfigMap {
        try await self.get(Client<CoreV1.ConfigMap>(self.channel), namespace, name, "configmap")
    }

    package func secret(_ namespace: String, _ name: String) async throws -> CoreV1.Secret {
        try await self.get(Client<CoreV1.Secret>(self.channel), namespace, name, "secret")
    }

    package func token(
        _ namespace: String,
        serviceAccount: String,
        _ request: AuthenticationV1.TokenRequest
    ) async throws -> AuthenticationV1.TokenRequest {
        let client = Client<CoreV1.ServiceAccount>(self.channel)
        do throws(StatusError) {
            let answer = try await client.create(
                "token",
                of: serviceAccount,
                in: namespace,
                request
            )
            guard let answer else {
                throw StatusError.internalError("the token request had no answer")
            }
            return answer
        } catch {
            throw NotInCluster("failed to fetch token: \(error.message)")
        }
    }

    package func services() -> [CoreV1.Service] { self.allServices.list() }

    package func persistentVolumeClaim(
        _ namespace: String,
        _ name: String
    ) async throws -> CoreV1.PersistentVolumeClaim {
        let client = Client<CoreV1.PersistentVolumeClaim>(self.channel)
        return try await self.get(client, namespace, name, "persistentvolumeclaim")
    }

    package func persistentVolume(_ name: String) async throws -> CoreV1.PersistentVolume {
        let client = Client<CoreV1.PersistentVolume>(self.channel)
        return try await self.get(client, "", name, "persistentvolume")
    }

    package func runtimeClassHandler(_ name: String) async throws -> String {
        let client = Client<NodeV1.RuntimeClass>(self.channel)
        return try await self.get(client, "", name, "runtimeclass").handler
    }

    package func clusterTrustBundles(
        name: String?,
        signer: String?,
        selector: MetaV1.LabelSelector?
    ) async throws -> [String] {
        let client = Client<CertificatesV1beta1.ClusterTrustBundle>(self.channel)
        if let name, !name.isEmpty {
            return [try await self.get(client, "", name, "clustertrustbundle").spec.trustBundle]
        }
        let labels = try Self.selector(selector)
        let list = try await client.list(labels: labels)
        let wanted = list.items.filter { signer == nil || $0.spec.signerName == signer }
        return Set(wanted.map(\.spec.trustBundle)).sorted()
    }

    private static func selector(
        _ selector: MetaV1.LabelSelector?
    ) throws(SelectorError) -> LabelSelector {
        guard let selector else { return .everything }
        return try LabelSelector(
            matchLabels: selector.matchLabels.map { ($0.key, $0.value) },
            matchExpressions: selector.matchExpressions.map {
                .init(key: $0.key, operator: $0.operator, values: Array($0.values))
            }
        )
    }

    private func get<Object: Message>(
        _ client: Client<Object>,
        _ namespace: String,
        _ name: String,
        _ kind: String
    ) async throws -> Object {
        do throws(StatusError) {
            return try await client.get(name, in: namespace)
        } catch {
            guard error.isNotFound else { throw error }
            throw NotInCluster(kind: kind, name: name)
        }
    }

    // MARK: - Running

    /// Follows pods and Services and sends events until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.pods.run() }
            group.addTask { await self.allServices.run() }
            group.addTask { await self.recorder.run() }
        }
    }
}

/// Events as objects of the API.
struct APIEvents: EventSink {
    let recorder: EventRecorder

    func record(
        pod: CoreV1.Pod,
        field: String,
        isWarning: Bool,
        reason: String,
        message: String
    ) {
        var reference = EventRecorder.reference(to: pod)
        reference.fieldPath = field
        self.recorder.record(isWarning ? .warning : .normal, reason, message, about: reference)
    }

    func record(node: String, isWarning: Bool, reason: String, message: String) {
        let reference = CoreV1.ObjectReference.with {
            $0.kind = "Node"
            $0.name = node
            $0.uid = node
        }
        self.recorder.record(isWarning ? .warning : .normal, reason, message, about: reference)
    }
}
