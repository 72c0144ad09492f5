// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a pod comes to a part of the queue, in the words of upstream's metrics.
///
/// Source: upstream `pkg/scheduler/framework/events.go`.
package enum QueueEvent: String, Sendable {
    case podAdd = "PodAdd"
    case podUpdate = "PodUpdate"
    case attempt = "ScheduleAttempt"
    case attemptFailure = "ScheduleAttemptFailure"
    case backoffComplete = "BackoffComplete"
    case popFromBackoff = "PopFromBackoffQ"
    case forceActivate = "ForceActivate"
    case unschedulableTimeout = "UnschedulableTimeout"
    case gatesRemoved = "PodSchedulingGatesEliminated"
    case gatesAdded = "PodSchedulingGatesAdded"
    case nodeAdd = "NodeAdd"
    case nodeUpdate = "NodeUpdate"
    case nodeDelete = "NodeDelete"
    case assignedPodAdd = "AssignedPodAdd"
    case assignedPodUpdate = "AssignedPodUpdate"
    case assignedPodDelete = "AssignedPodDelete"
    case namespaceUpdate = "NamespaceUpdate"
    case storageUpdate = "StorageUpdate"
}

extension ChangeKinds {
    /// What one kind of change is called.
    var event: QueueEvent {
        switch self {
        case .nodeAdded: .nodeAdd
        case .nodeUpdated: .nodeUpdate
        case .nodeRemoved: .nodeDelete
        case .podPlaced: .assignedPodAdd
        case .placedPodUpdated: .assignedPodUpdate
        case .placedPodRemoved: .assignedPodDelete
        case .namespaceChanged: .namespaceUpdate
        case .volumeObject: .storageUpdate
        default: .podUpdate
        }
    }
}
