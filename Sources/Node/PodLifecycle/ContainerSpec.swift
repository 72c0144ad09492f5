// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// A container of any kind, with what its kind means.
package struct ContainerSpec: Sendable {
    package enum Kind: Sendable, Equatable {
        /// Runs once before the others.
        case initial
        /// An init container that is kept running: `restartPolicy: Always`.
        case sidecar
        case regular
        /// Added to a running pod; shares the namespaces of this container when it names one.
        case ephemeral(target: String)
    }

    package let container: CoreV1.Container
    package let kind: Kind
    /// Its place among containers of the same list.
    package let index: Int

    package var name: String { self.container.name }

    /// As events and paths name it, such as `spec.containers{web}`.
    package var fieldPath: String {
        switch self.kind {
        case .initial, .sidecar: "spec.initContainers{\(self.name)}"
        case .regular: "spec.containers{\(self.name)}"
        case .ephemeral: "spec.ephemeralContainers{\(self.name)}"
        }
    }
}

extension CoreV1.Pod {
    /// Init containers and sidecars, in the order they start.
    package var initSpecs: [ContainerSpec] {
        self.spec.initContainers.enumerated().map { index, container in
            ContainerSpec(
                container: container,
                kind: container.restartPolicy == "Always" ? .sidecar : .initial,
                index: index
            )
        }
    }

    package var regularSpecs: [ContainerSpec] {
        self.spec.containers.enumerated().map {
            ContainerSpec(container: $1, kind: .regular, index: $0)
        }
    }

    package var ephemeralSpecs: [ContainerSpec] {
        self.spec.ephemeralContainers.enumerated().map { index, ephemeral in
            // The common part has the same fields as a container, number by number.
            let container =
                (try? CoreV1.Container(serialized: ephemeral.ephemeralContainerCommon.serialized()))
                ?? CoreV1.Container()
            return ContainerSpec(
                container: container,
                kind: .ephemeral(target: ephemeral.targetContainerName),
                index: index
            )
        }
    }

    /// Every container of every kind: what each policy and each search goes through.
    package var allSpecs: [ContainerSpec] {
        self.initSpecs + self.regularSpecs + self.ephemeralSpecs
    }

    package func containerSpec(named name: String) -> ContainerSpec? {
        self.allSpecs.first { $0.name == name }
    }

    /// `namespace/name`.
    package var key: String { "\(self.metadata.namespace)/\(self.metadata.name)" }

    /// How events and messages of the kubelet name a pod: `name_namespace(uid)`.
    package var fullName: String {
        "\(self.metadata.name)_\(self.metadata.namespace)(\(self.metadata.uid))"
    }

    package var usesHostNetwork: Bool { self.spec.hostNetwork }

    /// Whether the API server wants it gone.
    package var isDeleted: Bool { self.metadata.deletionTimestamp != nil }

    /// Whether it came from a file rather than from the API server.
    package var isStatic: Bool {
        let source = self.metadata.annotations[PodAnnotation.source]
        return source != nil && source != PodSource.api
    }

    /// Whether it stands in the API for a static pod.
    package var isMirror: Bool { self.metadata.annotations[PodAnnotation.mirror] != nil }

    /// Whether it has ended for good.
    package var isTerminal: Bool {
        self.status.phase == PodPhase.succeeded || self.status.phase == PodPhase.failed
    }
}

/// Annotations by which the kubelet marks pods.
///
/// Source: upstream `pkg/kubelet/types`.
package enum PodAnnotation {
    package static let source = "kubernetes.io/config.source"
    package static let hash = "kubernetes.io/config.hash"
    package static let seen = "kubernetes.io/config.seen"
    package static let mirror = "kubernetes.io/config.mirror"
}

/// Where pods come from.
package enum PodSource {
    package static let api = "api"
    package static let file = "file"
}

/// `status.phase`.
package enum PodPhase {
    package static let pending = "Pending"
    package static let running = "Running"
    package static let succeeded = "Succeeded"
    package static let failed = "Failed"
}
