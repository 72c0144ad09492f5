// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import NameRules
import Protobuf

// Source: upstream `pkg/apis/core/v1/defaults.go`.

extension TypedRules {
    static var core: [String: [TypedRule]] {
        [
            CoreV1.Container.schema.fullName: [
                TypedRule(CoreV1.Container.self, ["imagePullPolicy"]) {
                    $0.imagePullPolicy.isEmpty
                } _: { container in
                    container.imagePullPolicy = self.pullPolicy(of: container.image)
                }
            ],
            CoreV1.EphemeralContainer.schema.fullName: [
                TypedRule(CoreV1.EphemeralContainer.self, ["*"]) { container in
                    self.setDefaults(of: &container.ephemeralContainerCommon)
                }
            ],
            CoreV1.Volume.schema.fullName: [
                TypedRule(CoreV1.Volume.self, ["emptyDir"]) {
                    $0.volumeSource == CoreV1.VolumeSource()
                } _: { volume in
                    volume.volumeSource.emptyDir = CoreV1.EmptyDirVolumeSource()
                },
                TypedRule(CoreV1.Volume.self, ["image.pullPolicy"]) {
                    $0.volumeSource.image.map(\.pullPolicy.isEmpty) ?? false
                } _: { volume in
                    guard let image = volume.volumeSource.image else { return }
                    volume.volumeSource.image?.pullPolicy = self.pullPolicy(of: image.reference)
                },
            ],
            CoreV1.Pod.schema.fullName: self.pod,
            CoreV1.Service.schema.fullName: self.service,
            CoreV1.ReplicationController.schema.fullName: [
                TypedRule(CoreV1.ReplicationController.self, ["spec.selector", "metadata.labels"]) {
                    controller in
                    guard let labels = controller.spec.template?.metadata.labels, !labels.isEmpty
                    else { return }
                    if controller.spec.selector.isEmpty { controller.spec.selector = labels }
                    if controller.metadata.labels.isEmpty { controller.metadata.labels = labels }
                }
            ],
            CoreV1.ConfigMap.schema.fullName: [
                // An empty map is written like none.
                TypedRule(nothingFor: ["data"])
            ],
            CoreV1.Namespace.schema.fullName: [
                TypedRule(
                    CoreV1.Namespace.self,
                    ["metadata.labels[kubernetes.io/metadata.name]"]
                ) {
                    $0.metadata.labels[self.namespaceNameLabel] != $0.metadata.name
                } _: { namespace in
                    let name = namespace.metadata.name
                    guard !name.isEmpty else { return }
                    namespace.metadata.labels[self.namespaceNameLabel] = name
                }
            ],
            CoreV1.NodeStatus.schema.fullName: [
                TypedRule(CoreV1.NodeStatus.self, ["allocatable"]) {
                    !$0.allocatable.isPresent && $0.capacity.isPresent
                } _: { status in
                    status.allocatable = status.capacity
                }
            ],
            CoreV1.LimitRangeItem.schema.fullName: [
                TypedRule(CoreV1.LimitRangeItem.self, ["default[k]", "defaultRequest[k]"]) {
                    $0.type == "Container"
                } _: { item in
                    item.default.fill(from: item.max)
                    item.defaultRequest.fill(from: item.default)
                    item.defaultRequest.fill(from: item.min)
                }
            ],
        ]
    }

    private static let namespaceNameLabel = "kubernetes.io/metadata.name"

    /// Always for a tag `latest`, written or implied; a text that is no image reference has none.
    static func pullPolicy(of image: String) -> String {
        ImageReference(parsing: image)?.effectiveTag == "latest" ? "Always" : "IfNotPresent"
    }

    private static func setDefaults(of container: inout CoreV1.EphemeralContainerCommon) {
        if container.imagePullPolicy.isEmpty {
            container.imagePullPolicy = self.pullPolicy(of: container.image)
        }
        if container.terminationMessagePath.isEmpty {
            container.terminationMessagePath = "/dev/termination-log"
        }
        if container.terminationMessagePolicy.isEmpty {
            container.terminationMessagePolicy = "File"
        }
    }

    // MARK: - Services

    private static var service: [TypedRule] {
        [
            TypedRule(
                CoreV1.Service.self,
                [
                    "spec.sessionAffinity", "spec.sessionAffinityConfig",
                    "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
                ]
            ) { service in
                if service.spec.sessionAffinity.isEmpty { service.spec.sessionAffinity = "None" }
                switch service.spec.sessionAffinity {
                case "None":
                    if service.spec.sessionAffinityConfig != nil {
                        service.spec.sessionAffinityConfig = nil
                    }
                case "ClientIP":
                    // Only a missing part is made; a given one must have its time.
                    guard
                        service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds == nil
                    else { return }
                    service.spec.sessionAffinityConfig = .with {
                        $0.clientIP = .with { $0.timeoutSeconds = 10_800 }
                    }
                default: return
                }
            },
            TypedRule(CoreV1.Service.self, ["spec.ports[].targetPort"]) { service in
                for index in service.spec.ports.indices {
                    let target = service.spec.ports[index].targetPort.value
                    if target == .int(0) || target == .string("") {
                        let port = service.spec.ports[index].port
                        service.spec.ports[index].targetPort = IntStr.IntOrString(.int(port))
                    }
                }
            },
            TypedRule(CoreV1.Service.self, ["spec.externalTrafficPolicy"]) {
                $0.spec.externalTrafficPolicy.isEmpty
            } _: { service in
                let isExternal =
                    service.spec.type == "NodePort" || service.spec.type == "LoadBalancer"
                    || service.spec.type == "ClusterIP" && !service.spec.externalIPs.isEmpty
                if isExternal { service.spec.externalTrafficPolicy = "Cluster" }
            },
            TypedRule(CoreV1.Service.self, ["spec.internalTrafficPolicy"]) {
                $0.spec.internalTrafficPolicy == nil
            } _: { service in
                if ["ClusterIP", "NodePort", "LoadBalancer"].contains(service.spec.type) {
                    service.spec.internalTrafficPolicy = "Cluster"
                }
            },
            TypedRule(
                CoreV1.Service.self,
                ["spec.allocateLoadBalancerNodePorts", "status.loadBalancer.ingress[].ipMode"]
            ) {
                $0.spec.type == "LoadBalancer"
            } _: { service in
                if service.spec.allocateLoadBalancerNodePorts == nil {
                    service.spec.allocateLoadBalancerNodePorts = true
                }
                for index in service.status.loadBalancer.ingress.indices {
                    let ingress = service.status.loadBalancer.ingress[index]
                    if !ingress.ip.isEmpty && ingress.ipMode == nil {
                        service.status.loadBalancer.ingress[index].ipMode = "VIP"
                    }
                }
            },
        ]
    }
}

extension MapField {
    /// Adds the entries of another map whose keys are missing.
    mutating func fill(from other: MapField<Key, Value>) {
        for (key, value) in other where self[key] == nil { self[key] = value }
    }
}
