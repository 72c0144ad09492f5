// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
public import ResourceTable

/// Turns the priority class of a pod into its priority, and keeps the default class single.
///
/// Source: kubernetes `plugin/pkg/admission/priority/admission.go`.
public struct PriorityAdmission: AdmissionPlugin {
    public let name = "Priority"
    private let objects: any ObjectReader

    public init(_ objects: any ObjectReader) {
        self.objects = objects
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        subresource.isEmpty && (operation == .create || operation == .update)
            && (resource == .pods || resource == .priorityClasses)
    }

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let pod: CoreV1.Pod = attributes.object?.message() else { return }
        if attributes.operation == .update {
            guard let old: CoreV1.Pod = attributes.oldObject?.message() else { return }
            attributes.object?.change(CoreV1.Pod.self) { pod in
                pod.spec.priority = pod.spec.priority ?? old.spec.priority
                pod.spec.preemptionPolicy = pod.spec.preemptionPolicy ?? old.spec.preemptionPolicy
            }
            return
        }
        let (className, priority, policy) = try self.resolve(pod, attributes)
        if let given = pod.spec.priority, given != priority {
            throw attributes.forbidden(
                "the integer value of priority (\(given)) must not be provided in pod spec; "
                    + "priority admission controller computed \(priority) from the given "
                    + "PriorityClass name"
            )
        }
        if let policy, let given = pod.spec.preemptionPolicy, given != policy {
            throw attributes.forbidden(
                "the string value of PreemptionPolicy (\(given)) must not be provided in pod "
                    + "spec; priority admission controller computed \(policy) from the given "
                    + "PriorityClass name"
            )
        }
        attributes.object?.change(CoreV1.Pod.self) { pod in
            pod.spec.priorityClassName = className
            pod.spec.priority = priority
            if let policy { pod.spec.preemptionPolicy = policy }
        }
    }

    /// The class of a pod, its value and its policy.
    private func resolve(
        _ pod: CoreV1.Pod,
        _ attributes: AdmissionAttributes
    ) throws(StatusError) -> (String, Int32, String?) {
        let name = pod.spec.priorityClassName
        if name.isEmpty {
            guard let standard = self.defaultClass else { return ("", 0, "PreemptLowerPriority") }
            return (standard.metadata.name, standard.value, standard.preemptionPolicy)
        }
        let found = self.objects.get(.priorityClasses, namespace: "", name: name)
        guard let priorityClass: SchedulingV1.PriorityClass = found?.message() else {
            throw attributes.forbidden("no PriorityClass with name \(name) was found")
        }
        return (name, priorityClass.value, priorityClass.preemptionPolicy)
    }

    /// The default class; of several the one with the lowest value.
    private var defaultClass: SchedulingV1.PriorityClass? {
        self.objects.list(.priorityClasses, namespace: nil)
            .compactMap { $0.message(as: SchedulingV1.PriorityClass.self) }
            .filter(\.globalDefault)
            .min { $0.value < $1.value }
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let new: SchedulingV1.PriorityClass = attributes.object?.message(),
            new.globalDefault, let standard = self.defaultClass,
            attributes.operation == .create || standard.metadata.name != new.metadata.name
        else { return }
        throw attributes.forbidden(
            "PriorityClass \(standard.metadata.name) is already marked as default. Only one "
                + "default can exist"
        )
    }
}
