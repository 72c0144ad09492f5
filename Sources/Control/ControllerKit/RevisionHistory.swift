// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import EventRecording
import JSON
package import KubernetesAPI
package import ObjectModel
package import Protobuf
package import ResourceClient

/// The revisions of a StatefulSet or DaemonSet: its pod template as it was, for rolling back.
///
/// Source: upstream `pkg/controller/history/controller_history.go`.
package struct RevisionHistory: Sendable {
    package let client: Client<AppsV1.ControllerRevision>

    package init(_ context: ControllerContext) {
        self.client = context.client()
    }

    /// What a revision keeps of a template: a strategic merge patch that restores it.
    package static func data(
        _ template: CoreV1.PodTemplateSpec
    ) throws(StatusError) -> [UInt8] {
        var tree: DynamicValue
        do throws(JSONEncodingError) {
            tree = try DynamicValue(template)
        } catch {
            throw .internalError("a pod template cannot be encoded: \(error)")
        }
        tree["$patch"] = "replace"
        let patch: DynamicValue = ["spec": ["template": tree]]
        return patch.json()
    }

    /// The template that a revision keeps; nil when it keeps something else.
    package static func template(
        of revision: AppsV1.ControllerRevision
    ) -> CoreV1.PodTemplateSpec? {
        guard let raw = revision.data.raw,
            let tree = try? DynamicValue(json: Array(raw)),
            var template = tree["spec"]?["template"]
        else { return nil }
        template.removeValue(forKey: "$patch")
        return try? template.message(as: CoreV1.PodTemplateSpec.self)
    }

    /// Whether two revisions keep the same.
    package static func areEqual(
        _ left: AppsV1.ControllerRevision,
        _ right: AppsV1.ControllerRevision
    ) -> Bool {
        if left.data.raw == right.data.raw { return true }
        guard let a = Self.template(of: left), let b = Self.template(of: right) else {
            return false
        }
        return a == b
    }

    /// The revision of an owner's template as it is now; not stored.
    package static func make<Owner: Message>(
        _ owner: Owner,
        _ template: CoreV1.PodTemplateSpec,
        hashLabel: String,
        collisions: Int32?
    ) throws(StatusError) -> AppsV1.ControllerRevision {
        let metadata = owner.objectMetadata
        let hash = TemplateHash.of(template, collisions: collisions)
        let data = try Self.data(template)
        return AppsV1.ControllerRevision.with {
            $0.metadata.name = "\(metadata.name)-\(hash)"
            $0.metadata.namespace = metadata.namespace
            $0.metadata.labels = template.metadata.labels
            $0.metadata.labels[hashLabel] = hash
            $0.metadata.annotations = metadata.annotations
            $0.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] = nil
            $0.metadata.ownerReferences = [.controller(owner)]
            $0.data.raw = Bytes(data)
        }
    }

    /// The revision of the owner's template: the stored one that keeps the same, as the newest, or a
    /// new one.
    ///
    /// - Returns: nil when the name is taken by another: the hash has collided.
    package func current(
        _ wanted: AppsV1.ControllerRevision,
        among revisions: [AppsV1.ControllerRevision]
    ) async throws(StatusError) -> AppsV1.ControllerRevision? {
        let newest = revisions.map(\.revision).max() ?? 0
        let equal = revisions.filter { Self.areEqual($0, wanted) }
            .max { $0.revision < $1.revision }
        if var equal {
            if equal.revision == newest { return equal }
            equal.revision = newest + 1
            return try await self.client.update(equal)
        }
        var created = wanted
        created.revision = newest + 1
        do throws(StatusError) {
            return try await self.client.create(created)
        } catch {
            guard error.isAlreadyExists else { throw error }
            let known = try await self.client.get(
                wanted.metadata.name,
                in: wanted.metadata.namespace
            )
            return Self.areEqual(known, wanted) ? known : nil
        }
    }

    /// Deletes the oldest revisions beyond `limit` of those that are not in use.
    package func truncate(
        _ revisions: [AppsV1.ControllerRevision],
        inUse: Set<String>,
        limit: Int
    ) async throws(StatusError) {
        let unused = revisions.filter { !inUse.contains($0.metadata.name) }
            .sorted { $0.revision < $1.revision }
        for revision in unused.prefix(max(unused.count - limit, 0)) {
            do throws(StatusError) {
                try await self.client.delete(
                    revision.metadata.name,
                    in: revision.metadata.namespace,
                    DeleteOptions(uid: revision.metadata.uid)
                )
            } catch {
                if !error.isNotFound { throw error }
            }
        }
    }
}
