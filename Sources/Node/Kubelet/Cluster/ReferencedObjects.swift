// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Informers
import KubernetesAPI
import Protobuf
import RPCInterface
import ResourceClient
import Selectors
import Synchronization

/// Follows the ConfigMaps and Secrets that pods of the node mount, each with a watch of its own on
/// its metadata alone: a node may read no others, and what is in them is read when it is written.
///
/// Source: upstream `pkg/kubelet/util/manager/watch_based_manager.go`.
final class ReferencedObjects: Sendable {
    /// An object that a pod takes files from.
    struct Reference: Hashable, Sendable {
        enum Kind: Sendable { case configMap, secret }

        var kind: Kind
        var namespace: String
        var name: String
    }

    private struct Followed {
        var task: Task<Void, Never>
        var pods: Set<String>
        /// The version that was read last, which is no news any more.
        var version = ""
    }

    private struct State {
        var followed: [Reference: Followed] = [:]
        var byPod: [String: Set<Reference>] = [:]
    }

    private let channel: any RPCChannel
    private let onChange: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameter onChange: called with the UID of a pod of which an object has changed.
    init(channel: any RPCChannel, onChange: @escaping @Sendable (String) -> Void) {
        self.channel = channel
        self.onChange = onChange
    }

    deinit {
        for followed in self.state.withLock({ $0.followed.values }) { followed.task.cancel() }
    }

    /// Follows exactly these objects for a pod.
    func follow(_ references: Set<Reference>, for uid: String) {
        self.state.withLock { state in
            let before = state.byPod[uid] ?? []
            if before == references { return }
            state.byPod[uid] = references.isEmpty ? nil : references
            for reference in before.subtracting(references) {
                state.followed[reference]?.pods.remove(uid)
                guard state.followed[reference]?.pods.isEmpty == true else { continue }
                state.followed.removeValue(forKey: reference)?.task.cancel()
            }
            for reference in references.subtracting(before) {
                if state.followed[reference] != nil {
                    state.followed[reference]?.pods.insert(uid)
                } else {
                    state.followed[reference] = Followed(task: self.start(reference), pods: [uid])
                }
            }
        }
    }

    /// A pod is gone.
    func forget(uid: String) { self.follow([], for: uid) }

    /// An object was read.
    func note(_ reference: Reference, version: String) {
        self.state.withLock { $0.followed[reference]?.version = version }
    }

    private func start(_ reference: Reference) -> Task<Void, Never> {
        let resource: ResourceName =
            switch reference.kind {
            case .configMap: Client<CoreV1.ConfigMap>(self.channel).resource
            case .secret: Client<CoreV1.Secret>(self.channel).resource
            }
        let informer = Informer(
            Client<MetaV1.PartialObjectMetadata>(self.channel, resource: resource),
            scope: InformerScope(
                namespace: reference.namespace,
                fields: FieldSelector([FieldSelector.Term("metadata.name", reference.name)])
            )
        )
        informer.addHandler { [weak self] event in
            switch event {
            case .added(let object), .updated(_, let object):
                self?.changed(reference, version: object.metadata.resourceVersion)
            case .deleted: self?.changed(reference, version: nil)
            }
        }
        return Task { await informer.run() }
    }

    /// - Parameter version: nil when the object is gone.
    private func changed(_ reference: Reference, version: String?) {
        let pods = self.state.withLock { state -> Set<String> in
            guard let followed = state.followed[reference], followed.version != version else {
                return []
            }
            state.followed[reference]?.version = version ?? ""
            return followed.pods
        }
        for uid in pods { self.onChange(uid) }
    }
}

extension ReferencedObjects.Reference {
    /// What the volumes of a pod take files from.
    static func all(of pod: CoreV1.Pod) -> Set<Self> {
        var result: Set<Self> = []
        let add = { (kind: Kind, name: String) in
            _ = result.insert(Self(kind: kind, namespace: pod.metadata.namespace, name: name))
        }
        for volume in pod.spec.volumes {
            let source = volume.volumeSource
            if let map = source.configMap { add(.configMap, map.localObjectReference.name) }
            if let secret = source.secret { add(.secret, secret.secretName) }
            for part in source.projected?.sources ?? [] {
                if let map = part.configMap { add(.configMap, map.localObjectReference.name) }
                if let secret = part.secret { add(.secret, secret.localObjectReference.name) }
            }
        }
        return result
    }
}
