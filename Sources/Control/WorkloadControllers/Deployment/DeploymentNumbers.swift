// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf

/// How many pods a Deployment may have and lack.
///
/// Source: upstream `pkg/controller/deployment/util/deployment_util.go`.
package struct DeploymentNumbers: Hashable, Sendable {
    package let replicas: Int
    /// Pods beyond `replicas` during a rolling update.
    package let maxSurge: Int
    /// Pods of `replicas` that may be unavailable.
    package let maxUnavailable: Int

    package init(_ deployment: AppsV1.Deployment) {
        let replicas = Int(deployment.spec.replicas ?? 1)
        self.replicas = replicas
        guard deployment.isRolling else {
            self.maxSurge = 0
            self.maxUnavailable = 0
            return
        }
        let rolling = deployment.spec.strategy.rollingUpdate
        let surge = rolling?.maxSurge?.scaled(of: replicas, roundingUp: true) ?? 0
        var unavailable = rolling?.maxUnavailable?.scaled(of: replicas, roundingUp: false) ?? 0
        // Both may round to nothing, and nothing would ever move.
        if surge == 0 && unavailable == 0 { unavailable = 1 }
        self.maxSurge = surge
        self.maxUnavailable = replicas == 0 ? 0 : min(unavailable, replicas)
    }

    /// Pods at most.
    package var maxTotal: Int { self.replicas + self.maxSurge }
    /// Available pods at least.
    package var minAvailable: Int { self.replicas - self.maxUnavailable }
}

extension AppsV1.Deployment {
    var isRolling: Bool { self.spec.strategy.type != "Recreate" }

    /// Whether not to make progress for a time counts as failure.
    var hasProgressDeadline: Bool {
        guard let seconds = self.spec.progressDeadlineSeconds else { return false }
        return seconds != .max
    }
}
