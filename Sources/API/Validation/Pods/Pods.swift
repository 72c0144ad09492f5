// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import NameRules
import Protobuf

extension KindRules {
    static var pods: [String: KindRules] {
        Dictionary(uniqueKeysWithValues: [
            self.of(CoreV1.Pod.self) { errors, pod in
                errors.validatePod(pod)
            } update: { errors, new, old, subresource in
                switch subresource {
                case nil: errors.validatePodUpdate(new, old: old)
                case "status"?: errors.validatePodStatus(new, old: old)
                case "ephemeralcontainers"?: errors.validateEphemeralUpdate(new, old: old)
                case "resize"?: errors.validateResize(new, old: old)
                default: return
                }
            },
            self.of(CoreV1.PodTemplate.self) { errors, object in
                errors.within("template") { $0.validateTemplate(object.template) }
            },
        ])
    }
}

extension FieldErrors {
    mutating func validatePod(_ pod: CoreV1.Pod) {
        self.validatePodWithMetadata(pod)
        if !pod.spec.ephemeralContainers.isEmpty {
            self.within("spec") {
                $0.forbidden(at: "ephemeralContainers", "cannot be set on create")
            }
        }
        if !pod.spec.nodeName.isEmpty && !pod.spec.schedulingGates.isEmpty {
            self.within("spec") {
                $0.forbidden(
                    at: "nodeName",
                    "cannot be set until all schedulingGates have been cleared"
                )
            }
        }
    }

    private mutating func validatePodWithMetadata(_ pod: CoreV1.Pod) {
        self.within("metadata") {
            $0.validatePodAnnotations(pod.metadata.annotations, pod.spec)
        }
        self.within("spec") { errors in
            errors.validatePodSpec(pod.spec, podName: pod.metadata.name)
            guard pod.spec.serviceAccountName.isEmpty else { return }
            errors.forEach("volumes", in: pod.spec.volumes) { errors, volume in
                guard let projected = volume.volumeSource.projected else { return }
                errors.within("projected") { errors in
                    errors.forEach("sources", in: projected.sources) { errors, source in
                        if source.serviceAccountToken != nil {
                            errors.forbidden(
                                at: "serviceAccountToken",
                                "must not be specified when serviceAccountName is not set"
                            )
                        }
                    }
                }
            }
        }
    }

    /// What a controller makes pods from, at the field at hand.
    mutating func validateTemplate(_ template: CoreV1.PodTemplateSpec) {
        self.within("metadata") { errors in
            errors.validateLabels(at: "labels", template.metadata.labels)
            errors.validateAnnotations(template.metadata.annotations)
            errors.validatePodAnnotations(template.metadata.annotations, template.spec)
        }
        self.within("spec") { errors in
            errors.validatePodSpec(template.spec)
            if !template.spec.ephemeralContainers.isEmpty {
                errors.forbidden(
                    at: "ephemeralContainers",
                    "ephemeral containers not allowed in pod template"
                )
            }
        }
    }

    /// Annotations that mean something to Kubernetes.
    private mutating func validatePodAnnotations(
        _ annotations: MapField<String, String>,
        _ spec: CoreV1.PodSpec
    ) {
        if let cost = annotations["controller.kubernetes.io/pod-deletion-cost"] {
            let isNumber =
                Int32(cost) != nil && !cost.hasPrefix("+")
                && (cost == "0" || !cost.hasPrefix("0")) && !cost.hasPrefix("-0")
            if !isNumber {
                self.within("annotations") { errors in
                    errors.within(key: "controller.kubernetes.io/pod-deletion-cost") {
                        $0.invalid(.string(cost), "must be a 32bit integer")
                    }
                }
            }
        }
        if annotations["kubernetes.io/config.mirror"] != nil && spec.nodeName.isEmpty {
            self.within("annotations") { errors in
                errors.within(key: "kubernetes.io/config.mirror") {
                    $0.invalid(
                        .string(annotations["kubernetes.io/config.mirror"] ?? ""),
                        "must set spec.nodeName if mirror pod annotation is set"
                    )
                }
            }
        }
    }
}
