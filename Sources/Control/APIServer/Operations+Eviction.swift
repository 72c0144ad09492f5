// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import KubernetesAPI
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import ResourceTable
import Scalars
import Selectors

extension Operations {
    /// How long a client is to wait when a budget is not up to date, in seconds.
    private static let budgetRetrySeconds: Int32 = 10
    /// The most pods that a budget may be waiting for.
    private static let maximumDisruptedPods = 2000

    /// Deletes a pod if its disruption budget allows that.
    ///
    /// Source: upstream `pkg/registry/core/pod/storage/eviction.go`.
    func evict(
        _ call: ResourceCall,
        _ eviction: PolicyV1.Eviction,
        _ options: WriteOptions,
        _ warnings: [String]
    ) async throws(StatusError) -> WriteAnswer {
        let name = eviction.metadata.name
        guard name.isEmpty || name == call.name else {
            throw .badRequest("name in URL does not match name in Eviction object")
        }
        let context = try await self.admitted(call, APIObject(eviction), .create, options)
        var deletion = DeleteOptions()
        if let wanted = eviction.deleteOptions {
            deletion.gracePeriodSeconds = wanted.gracePeriodSeconds
            deletion.propagationPolicy = wanted.propagationPolicy
            deletion.preconditionUID = wanted.preconditions?.uid
            deletion.preconditionResourceVersion = wanted.preconditions?.resourceVersion
            deletion.dryRun = Array(wanted.dryRun)
        }
        let isDryRun = options.isDryRun || deletion.isDryRun
        let cached = try await call.store.get(call.namespace, call.name)
        guard let pod = try call.store.decode(cached).message(as: CoreV1.Pod.self) else {
            throw .internalError("the pod cannot be decoded")
        }
        if Self.isBudgeted(pod) {
            try await self.askBudget(call, pod, isDryRun: isDryRun, now: context.now)
        }
        if !isDryRun { try await self.noteEviction(call, pod, context) }
        if deletion.preconditionUID == nil { deletion.preconditionUID = pod.metadata.uid }
        deletion.preconditionResourceVersion = nil
        _ = try await call.store.delete(
            call.namespace,
            call.name,
            deletion,
            WriteContext(isDryRun: isDryRun, now: context.now)
        )
        return WriteAnswer(
            answer: .object(APIObject(Self.success)),
            isCreated: true,
            warnings: warnings,
            other: APIObject(Self.success)
        )
    }

    /// Whether the end of a pod is anybody's loss.
    private static func isBudgeted(_ pod: CoreV1.Pod) -> Bool {
        let phase = pod.status.phase
        return phase != "Succeeded" && phase != "Failed" && phase != "Pending"
            && pod.metadata.deletionTimestamp == nil
    }

    private static func isReady(_ pod: CoreV1.Pod) -> Bool {
        pod.status.conditions.contains { $0.type == "Ready" && $0.status == "True" }
    }

    /// Takes one disruption from the pod's budget, if it has one.
    private func askBudget(
        _ call: ResourceCall,
        _ pod: CoreV1.Pod,
        isDryRun: Bool,
        now: Timestamp
    ) async throws(StatusError) {
        let resource = GroupResource(group: "policy", resource: "poddisruptionbudgets")
        guard let store = self.registry.store(resource) else { return }
        let reader = RegistryReader(registry: self.registry)
        let budgets = reader.list(resource, namespace: call.namespace).filter { object in
            object.message(as: PolicyV1.PodDisruptionBudget.self)
                .map { Self.covers($0, pod) } ?? false
        }
        guard let budget = budgets.first else { return }
        guard budgets.count == 1 else {
            throw .internalError(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource "
                    + "does not support."
            )
        }
        _ = try await store.update(
            call.namespace,
            budget.metadata.name,
            scope: .status,
            WriteContext(isDryRun: isDryRun, now: now)
        ) { (old) throws(StatusError) -> APIObject in
            guard var budget = old?.message(as: PolicyV1.PodDisruptionBudget.self) else {
                throw .notFound(resource, call.name)
            }
            if Self.mayGoUnready(pod, budget) { return APIObject(budget) }
            try Self.take(from: &budget, pod, now)
            return APIObject(budget)
        }
    }

    private static func covers(_ budget: PolicyV1.PodDisruptionBudget, _ pod: CoreV1.Pod) -> Bool {
        guard let selector = budget.spec.selector else { return false }
        let expressions = selector.matchExpressions.map {
            LabelSelector.Expression(
                key: $0.key,
                operator: $0.operator,
                values: Array($0.values)
            )
        }
        guard
            let parsed = try? LabelSelector(
                matchLabels: selector.matchLabels.map { ($0.key, $0.value) },
                matchExpressions: expressions
            )
        else { return false }
        let labels = pod.metadata.labels
        return parsed.matches { labels[$0] }
    }

    /// Whether a pod that is not ready may go without counting.
    private static func mayGoUnready(
        _ pod: CoreV1.Pod,
        _ budget: PolicyV1.PodDisruptionBudget
    ) -> Bool {
        guard !self.isReady(pod) else { return false }
        if budget.spec.unhealthyPodEvictionPolicy == "AlwaysAllow" { return true }
        return budget.status.currentHealthy >= budget.status.desiredHealthy
            && budget.status.desiredHealthy > 0
    }

    private static func take(
        from budget: inout PolicyV1.PodDisruptionBudget,
        _ pod: CoreV1.Pod,
        _ now: Timestamp
    ) throws(StatusError) {
        let name = budget.metadata.name
        if budget.status.observedGeneration < budget.metadata.generation {
            throw self.tooMany(
                "The disruption budget \(name) is still being processed by the server.",
                retryAfterSeconds: self.budgetRetrySeconds
            )
        }
        let resource = GroupResource(group: "policy", resource: "poddisruptionbudget")
        if budget.status.disruptionsAllowed < 0 {
            throw .forbidden(resource, name, "pdb disruptions allowed is negative")
        }
        if budget.status.disruptedPods.count > self.maximumDisruptedPods {
            throw .forbidden(
                resource,
                name,
                "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
            )
        }
        if budget.status.disruptionsAllowed == 0 {
            throw self.tooMany(
                "The disruption budget \(name) needs \(budget.status.desiredHealthy) healthy pods "
                    + "and has \(budget.status.currentHealthy) currently",
                retryAfterSeconds: 0
            )
        }
        budget.status.disruptionsAllowed -= 1
        if budget.status.disruptionsAllowed == 0,
            let index = budget.status.conditions.firstIndex(where: {
                $0.type == "DisruptionAllowed"
            })
        {
            budget.status.conditions[index].status = "False"
            budget.status.conditions[index].reason = "InsufficientPods"
        }
        budget.status.disruptedPods[pod.metadata.name] = MetaV1.Time(now)
    }

    private static func tooMany(_ cause: String, retryAfterSeconds: Int32) -> StatusError {
        var error = StatusError.tooManyRequests(
            "Cannot evict pod as it would violate the pod's disruption budget.",
            retryAfterSeconds: retryAfterSeconds
        )
        var details = error.status.details ?? MetaV1.StatusDetails()
        details.causes.append(
            MetaV1.StatusCause.with {
                $0.reason = "DisruptionBudget"
                $0.message = cause
            }
        )
        error.status.details = details
        return error
    }

    /// Says in the pod's status why it ends.
    private func noteEviction(
        _ call: ResourceCall,
        _ pod: CoreV1.Pod,
        _ context: WriteContext
    ) async throws(StatusError) {
        let now = context.now
        _ = try await call.store.update(
            call.namespace,
            call.name,
            scope: .status,
            WriteContext(now: now)
        ) { (old) throws(StatusError) -> APIObject in
            guard var pod = old?.message(as: CoreV1.Pod.self) else {
                throw .notFound(call.resource.groupResource, call.name)
            }
            let condition = CoreV1.PodCondition.with {
                $0.type = "DisruptionTarget"
                $0.status = "True"
                $0.reason = "EvictionByEvictionAPI"
                $0.message = "Eviction API: evicting"
                $0.lastTransitionTime = MetaV1.Time(now)
            }
            if let index = pod.status.conditions.firstIndex(where: {
                $0.type == "DisruptionTarget"
            }) {
                pod.status.conditions[index] = condition
            } else {
                pod.status.conditions.append(condition)
            }
            return APIObject(pod)
        }
    }
}
