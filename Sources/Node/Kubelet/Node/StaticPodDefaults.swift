// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import PodLifecycle
import Protobuf

/// Defaults of the fields of a pod that its life on a node depends on: a static pod has not been
/// through the API server.
///
/// Source: upstream `pkg/apis/core/v1/defaults.go`.
enum StaticPodDefaults {
    static func apply(_ pod: inout CoreV1.Pod) {
        if pod.spec.restartPolicy.isEmpty { pod.spec.restartPolicy = "Always" }
        if pod.spec.dnsPolicy.isEmpty { pod.spec.dnsPolicy = "ClusterFirst" }
        if pod.spec.terminationGracePeriodSeconds == nil {
            pod.spec.terminationGracePeriodSeconds = 30
        }
        if pod.spec.enableServiceLinks == nil { pod.spec.enableServiceLinks = true }
        if pod.spec.schedulerName.isEmpty { pod.spec.schedulerName = "default-scheduler" }
        if pod.spec.securityContext == nil { pod.spec.securityContext = .init() }
        for index in pod.spec.containers.indices { Self.apply(&pod.spec.containers[index]) }
        for index in pod.spec.initContainers.indices {
            Self.apply(&pod.spec.initContainers[index])
        }
        for index in pod.spec.volumes.indices {
            if pod.spec.volumes[index].volumeSource == CoreV1.VolumeSource() {
                pod.spec.volumes[index].volumeSource.emptyDir = .init()
            }
        }
    }

    private static func apply(_ container: inout CoreV1.Container) {
        if container.terminationMessagePath.isEmpty {
            container.terminationMessagePath = "/dev/termination-log"
        }
        if container.terminationMessagePolicy.isEmpty {
            container.terminationMessagePolicy = "File"
        }
        if container.imagePullPolicy.isEmpty {
            let tag = ImageReference(container.image)?.tag
            container.imagePullPolicy = tag == "latest" ? "Always" : "IfNotPresent"
        }
        for (name, limit) in container.resources.limits
        where container.resources.requests[name] == nil {
            container.resources.requests[name] = limit
        }
        for index in container.ports.indices where container.ports[index].protocol.isEmpty {
            container.ports[index].protocol = "TCP"
        }
        Self.apply(&container.livenessProbe)
        Self.apply(&container.readinessProbe)
        Self.apply(&container.startupProbe)
    }

    private static func apply(_ probe: inout CoreV1.Probe?) {
        guard var changed = probe else { return }
        if changed.timeoutSeconds == 0 { changed.timeoutSeconds = 1 }
        if changed.periodSeconds == 0 { changed.periodSeconds = 10 }
        if changed.successThreshold == 0 { changed.successThreshold = 1 }
        if changed.failureThreshold == 0 { changed.failureThreshold = 3 }
        if changed.handler.httpGet != nil, changed.handler.httpGet?.scheme.isEmpty ?? true {
            changed.handler.httpGet?.scheme = "HTTP"
        }
        probe = changed
    }
}
