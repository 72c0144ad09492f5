// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

// Source: upstream `pkg/apis/core/validation/validation.go` and the strategies of `pkg/registry`.

extension KindRules {
    static var core: [String: KindRules] {
        Dictionary(uniqueKeysWithValues: [
            self.of(CoreV1.Service.self) { errors, service in
                errors.validateService(service)
            } update: { errors, new, old, subresource in
                if subresource == "status" {
                    errors.validateServiceStatus(new)
                } else if subresource == nil {
                    errors.validateServiceUpdate(new, old: old)
                }
            },
            self.of(CoreV1.ConfigMap.self) { errors, map in
                errors.validateConfigMap(map)
            } update: { errors, new, old, _ in
                errors.validateConfigMapUpdate(new, old: old)
            },
            self.of(CoreV1.Secret.self) { errors, secret in
                errors.validateSecret(secret)
            } update: { errors, new, old, _ in
                errors.validateSecretUpdate(new, old: old)
            },
            self.of(CoreV1.Namespace.self) { _, _ in
            } update: { errors, new, old, subresource in
                errors.validateNamespaceUpdate(new, old: old, subresource)
            },
            self.of(CoreV1.Node.self) { errors, node in
                errors.validateNode(node)
            } update: { errors, new, old, subresource in
                errors.validateNodeUpdate(new, old: old, subresource)
            },
            self.of(CoreV1.ResourceQuota.self) { errors, quota in
                errors.within("spec") { $0.validateQuota(quota.spec) }
            } update: { errors, new, old, subresource in
                errors.validateQuotaUpdate(new, old: old, subresource)
            },
            self.of(CoreV1.LimitRange.self) { errors, range in
                errors.validateLimitRange(range)
            },
            self.of(CoreV1.Event.self) { errors, event in
                errors.validateEvent(event)
            },
            self.of(SchedulingV1.PriorityClass.self) { errors, priority in
                errors.validatePriorityClass(priority)
            } update: { errors, new, old, _ in
                if new.value != old.value {
                    errors.forbidden(at: "value", "may not be changed in an update.")
                }
                if new.preemptionPolicy != old.preemptionPolicy {
                    errors.immutable(at: "preemptionPolicy", .init(new.preemptionPolicy))
                }
            },
            self.of(CoordinationV1.Lease.self) { $0.validateLease($1) },
            self.of(NodeV1.RuntimeClass.self) { errors, runtime in
                errors.validateRuntimeClass(runtime)
            } update: { errors, new, old, _ in
                errors.immutable(at: "handler", new.handler, old.handler)
            },
        ])
    }
}
