// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import EventRecording
package import KubernetesAPI
package import ObjectModel
package import Protobuf
package import ResourceClient

/// Creates and deletes pods on behalf of an owner, and tells of it in events.
///
/// Source: upstream `pkg/controller/controller_utils.go`, RealPodControl.
package struct PodControl: Sendable {
    package let client: Client<CoreV1.Pod>
    private let recorder: EventRecorder

    package init(_ context: ControllerContext) {
        self.client = context.client()
        self.recorder = context.recorder
    }

    /// A pod of a template, controlled by `owner`.
    package static func pod<Owner: Message>(
        _ template: CoreV1.PodTemplateSpec,
        of owner: Owner
    ) -> CoreV1.Pod {
        let metadata = owner.objectMetadata
        return CoreV1.Pod.with {
            $0.metadata.namespace = metadata.namespace
            $0.metadata.generateName = Self.prefix(metadata.name)
            $0.metadata.labels = template.metadata.labels
            $0.metadata.annotations = template.metadata.annotations
            $0.metadata.finalizers = template.metadata.finalizers
            $0.metadata.ownerReferences = [.controller(owner)]
            $0.spec = template.spec
        }
    }

    /// A name's start for the names of its pods; without the dash where that would be too long.
    private static func prefix(_ name: String) -> String {
        name.utf8.count + 1 <= 63 ? "\(name)-" : name
    }

    /// Creates a pod.
    package func create<Owner: Message>(
        _ pod: CoreV1.Pod,
        of owner: Owner
    ) async throws(StatusError) -> CoreV1.Pod {
        do throws(StatusError) {
            let created = try await self.client.create(pod)
            self.recorder.record(
                .normal,
                "SuccessfulCreate",
                "Created pod: \(created.metadata.name)",
                about: owner
            )
            return created
        } catch {
            if !error.isNamespaceTerminating {
                self.recorder.record(
                    .warning,
                    "FailedCreate",
                    "Error creating: \(error.message)",
                    about: owner
                )
            }
            throw error
        }
    }

    /// Deletes a pod; one that is gone is no failure.
    ///
    /// - Returns: the version from which on the cache shows it; empty when it was gone.
    @discardableResult
    package func delete<Owner: Message>(
        _ pod: CoreV1.Pod,
        of owner: Owner
    ) async throws(StatusError) -> String {
        let metadata = pod.metadata
        do throws(StatusError) {
            let deletion = try await self.client.remove(
                metadata.name,
                in: metadata.namespace,
                DeleteOptions(uid: metadata.uid)
            )
            self.recorder.record(
                .normal,
                "SuccessfulDelete",
                "Deleted pod: \(metadata.name)",
                about: owner
            )
            return deletion.resourceVersion
        } catch {
            if error.isNotFound || error.isConflict { return "" }
            self.recorder.record(
                .warning,
                "FailedDelete",
                "Error deleting: \(error.message)",
                about: owner
            )
            throw error
        }
    }
}
