// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
import Quotas
public import ResourceTable
import Scalars

/// Holds namespaces to their quotas, and counts what is let in until the quota controller does.
///
/// Source: apiserver `pkg/admission/plugin/resourcequota/controller.go`.
public struct ResourceQuotaAdmission: AdmissionPlugin {
    public let name = "ResourceQuota"
    private let objects: any ObjectWriter
    private let lookup: NamespaceLookup
    private let settings: ResourceQuotaSettings

    /// How often counting is tried against others that count.
    private static let maximumAttempts = 10

    public init(
        _ objects: any ObjectWriter,
        _ settings: ResourceQuotaSettings = ResourceQuotaSettings()
    ) {
        self.objects = objects
        self.lookup = NamespaceLookup(objects)
        self.settings = settings
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        switch operation {
        case .create: subresource.isEmpty
        case .update:
            (subresource.isEmpty || subresource == "resize")
                && (resource == .pods || resource == .persistentVolumeClaims
                    || resource == GroupResource(group: "", resource: "services"))
        case .delete, .connect: false
        }
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard !attributes.namespace.isEmpty, attributes.resource != .namespaces,
            let object = attributes.object
        else { return }
        let stored = try await self.lookup.list(
            .resourceQuotas,
            namespace: attributes.namespace,
            now: attributes.now
        )
        let quotas = stored.compactMap { stored -> CoreV1.ResourceQuota? in stored.message() }
        if attributes.operation == .create,
            let why = self.settings.refusal(
                attributes.resource,
                object,
                delta: ObjectUsage.usage(attributes.resource, object),
                quotas
            )
        {
            throw attributes.forbidden(why)
        }
        for quota in quotas where ObjectUsage.matches(quota, object) {
            try await self.charge(quota, attributes)
        }
    }

    /// What a request adds to the usage of a quota.
    private static func delta(
        _ attributes: AdmissionAttributes,
        _ quota: CoreV1.ResourceQuota
    ) -> ResourceAmounts {
        guard let object = attributes.object else { return [:] }
        var delta = ObjectUsage.usage(attributes.resource, object)
        if attributes.operation == .update, let old = attributes.oldObject,
            ObjectUsage.matches(quota, old)
        {
            for (name, amount) in ObjectUsage.usage(attributes.resource, old) {
                var rest = delta[name] ?? .zero
                rest.subtract(amount)
                delta[name] = rest
            }
        }
        return delta.filter { $0.value.sign > 0 }
    }

    private func charge(
        _ quota: CoreV1.ResourceQuota,
        _ attributes: AdmissionAttributes
    ) async throws(StatusError) {
        var quota = quota
        for attempt in 1...Self.maximumAttempts {
            guard let charged = try Self.charged(quota, attributes) else { return }
            if attributes.isDryRun { return }
            do throws(StatusError) {
                try await self.objects.update(
                    .resourceQuotas,
                    subresource: "status",
                    APIObject(charged)
                )
                return
            } catch {
                guard error.reason == .conflict, attempt < Self.maximumAttempts else { throw error }
                let current = try await self.objects.current(
                    .resourceQuotas,
                    namespace: attributes.namespace,
                    name: quota.metadata.name
                )
                // A quota that is gone holds nobody.
                guard let found: CoreV1.ResourceQuota = current?.message() else { return }
                quota = found
            }
        }
    }

    /// The quota with a request counted; nil when it counts for nothing.
    /// - Throws: the refusal when the request is too much.
    static func charged(
        _ quota: CoreV1.ResourceQuota,
        _ attributes: AdmissionAttributes
    ) throws(StatusError) -> CoreV1.ResourceQuota? {
        let name = quota.metadata.name
        let hard = PodResources.amounts(quota.spec.hard)
        let delta = Self.delta(attributes, quota).filter { hard[$0.key] != nil }
        if attributes.operation == .create, let pod: CoreV1.Pod = attributes.object?.message(),
            let why = ObjectUsage.unsaid(pod, Set(hard.keys))
        {
            throw attributes.forbidden("failed quota: \(name): \(why)")
        }
        if delta.isEmpty { return nil }
        let known = PodResources.amounts(quota.status.hard)
        let unknown = delta.keys.filter { known[$0] == nil }.sorted()
        if !unknown.isEmpty {
            throw attributes.forbidden(
                "status unknown for quota: \(name), resources: \(unknown.joined(separator: ","))"
            )
        }
        var used = PodResources.amounts(quota.status.used)
        let before = used
        PodResources.add(delta, to: &used)
        let exceeded = delta.keys.filter { (known[$0] ?? .zero) < (used[$0] ?? .zero) }.sorted()
        if !exceeded.isEmpty {
            func text(_ amounts: ResourceAmounts) -> String {
                exceeded.map { "\($0)=\(amounts[$0] ?? .zero)" }.joined(separator: ",")
            }
            throw attributes.forbidden(
                "exceeded quota: \(name), requested: \(text(delta)), used: \(text(before)), "
                    + "limited: \(text(known))"
            )
        }
        var charged = quota
        for (name, amount) in used { charged.status.used[name] = .init(amount) }
        return charged
    }
}
