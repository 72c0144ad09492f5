// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Scheduler
import Selectors

/// What the scheduler's loop is told.
enum SchedulerInput: Sendable {
    case node(CoreV1.Node)
    case nodeGone(String)
    case pod(CoreV1.Pod)
    case podGone(uid: String)
    /// Nil labels: the namespace is gone.
    case namespace(String, LabelSet?)
    /// Nil labels: the service is gone.
    case service(namespace: String, name: String, labels: [String: String]?)
    case owner(Workloads.Owner, LabelSelector?)
    case budget(key: String, DisruptionBudget?)
    case volumeObject(SchedulerCore.VolumeObject, isGone: Bool)
    /// This replica leads from now on.
    case lead
    /// A binding has been answered.
    case bound(uid: String, failure: BindingFailure?)
    /// The pods that are preempted for a pod have been told, or not.
    case preempted(uid: String, succeeded: Bool)
}

/// Why a binding failed.
struct BindingFailure: Sendable {
    /// In the server's words.
    let message: String
    /// Whether the pod is gone, so that there is nothing to be told or tried again.
    let isGone: Bool
}
