// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
import NameRules
public import ObjectModel
import Protobuf
public import ResourceTable

/// Holds pods to the Pod Security Standards that the labels of their namespace ask for.
///
/// Source: k8s.io/pod-security-admission `admission/admission.go`, `api/helpers.go`.
public struct PodSecurity: AdmissionPlugin {
    public let name = "PodSecurity"
    private let objects: any ObjectReader
    private let settings: PodSecuritySettings

    /// The most pods of a namespace that are looked at when its labels change.
    private static let maximumNamespacePods = 3000

    public init(
        _ objects: any ObjectReader,
        _ settings: PodSecuritySettings = PodSecuritySettings()
    ) {
        self.objects = objects
        self.settings = settings
    }

    /// What has a template of pods, for which there are warnings alone.
    private static let workloads: Set<GroupResource> = [
        GroupResource(group: "", resource: "podtemplates"),
        GroupResource(group: "", resource: "replicationcontrollers"),
        GroupResource(group: "apps", resource: "replicasets"),
        GroupResource(group: "apps", resource: "deployments"),
        GroupResource(group: "apps", resource: "statefulsets"),
        GroupResource(group: "apps", resource: "daemonsets"),
        GroupResource(group: "batch", resource: "jobs"),
        GroupResource(group: "batch", resource: "cronjobs"),
    ]

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        guard operation == .create || operation == .update else { return false }
        if resource == .pods {
            return subresource.isEmpty || subresource == "ephemeralcontainers"
        }
        return subresource.isEmpty && (resource == .namespaces || Self.workloads.contains(resource))
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        if attributes.resource == .namespaces { return try self.checkNamespace(&attributes) }
        if let reason = self.exemption(attributes) {
            return attributes.annotate("pod-security.kubernetes.io/exempt", reason)
        }
        let policy = self.policy(of: attributes.namespace)
        if policy.isPrivileged { return }
        if attributes.resource == .pods {
            guard let pod: CoreV1.Pod = attributes.object?.message() else { return }
            if attributes.operation == .update,
                let old: CoreV1.Pod = attributes.oldObject?.message(),
                !Self.changesSecurity(pod, old)
            {
                return
            }
            if let refusal = Self.check(pod.metadata, pod.spec, policy, &attributes) {
                throw attributes.forbidden(refusal)
            }
            return
        }
        guard let template = Self.template(attributes.object), let warned = policy.warn else {
            return
        }
        let violations = SecurityStandard.violations(
            of: template.metadata,
            template.spec,
            warned.level
        )
        if violations.isEmpty { return }
        attributes.warn("would violate PodSecurity \(warned.text): \(violations.text)")
    }

    /// Why a pod is refused; warnings are added on the way.
    private static func check(
        _ metadata: MetaV1.ObjectMeta,
        _ spec: CoreV1.PodSpec,
        _ policy: NamespacePolicy,
        _ attributes: inout AdmissionAttributes
    ) -> String? {
        if let enforced = policy.enforce {
            let violations = SecurityStandard.violations(of: metadata, spec, enforced.level)
            if !violations.isEmpty {
                attributes.annotate(
                    "pod-security.kubernetes.io/enforce-policy",
                    enforced.plainText
                )
                return "violates PodSecurity \(enforced.text): \(violations.text)"
            }
        }
        if let audited = policy.audit {
            let violations = SecurityStandard.violations(of: metadata, spec, audited.level)
            if !violations.isEmpty {
                attributes.annotate(
                    "pod-security.kubernetes.io/audit-violations",
                    "would violate PodSecurity \(audited.text): \(violations.text)"
                )
            }
        }
        if let warned = policy.warn {
            let violations = SecurityStandard.violations(of: metadata, spec, warned.level)
            if !violations.isEmpty {
                attributes.warn("would violate PodSecurity \(warned.text): \(violations.text)")
            }
        }
        return nil
    }

    private func policy(of namespace: String) -> NamespacePolicy {
        let object = self.objects.get(.namespaces, namespace: "", name: namespace)
        let labels = object?.metadata.labels
        return self.policy { labels?[$0] }
    }

    /// What labels ask for, or the settings where they are silent.
    private func policy(_ label: (String) -> String?) -> NamespacePolicy {
        NamespacePolicy { label($0) ?? self.settings.labels[$0] }
    }

    /// Why a request is not looked at.
    private func exemption(_ attributes: AdmissionAttributes) -> String? {
        if self.settings.exemptNamespaces.contains(attributes.namespace) { return "namespace" }
        if self.settings.exemptUsers.contains(attributes.user.name) { return "user" }
        let pod: CoreV1.Pod? = attributes.object?.message()
        guard let spec = pod?.spec ?? Self.template(attributes.object)?.spec,
            let name = spec.runtimeClassName,
            self.settings.exemptRuntimeClasses.contains(name)
        else { return nil }
        return "runtimeClass"
    }

    /// Whether an update changes what is checked: images and tolerations are not.
    private static func changesSecurity(_ new: CoreV1.Pod, _ old: CoreV1.Pod) -> Bool {
        var (new, old) = (new, old)
        for index in new.spec.containers.indices { new.spec.containers[index].image = "" }
        for index in old.spec.containers.indices { old.spec.containers[index].image = "" }
        for index in new.spec.initContainers.indices { new.spec.initContainers[index].image = "" }
        for index in old.spec.initContainers.indices { old.spec.initContainers[index].image = "" }
        new.spec.tolerations = []
        old.spec.tolerations = []
        new.spec.activeDeadlineSeconds = nil
        old.spec.activeDeadlineSeconds = nil
        new.spec.schedulingGates = []
        old.spec.schedulingGates = []
        return new.spec != old.spec
            || !NamespacePolicy.securityAnnotations(new.metadata)
                .elementsEqual(
                    NamespacePolicy.securityAnnotations(old.metadata),
                    by: { $0 == $1 }
                )
    }

    /// The template of the pods that an object makes.
    private static func template(_ object: APIObject?) -> CoreV1.PodTemplateSpec? {
        guard let object else { return nil }
        if let owner: CoreV1.PodTemplate = object.message() { return owner.template }
        if let owner: CoreV1.ReplicationController = object.message() { return owner.spec.template }
        if let owner: AppsV1.ReplicaSet = object.message() { return owner.spec.template }
        if let owner: AppsV1.Deployment = object.message() { return owner.spec.template }
        if let owner: AppsV1.StatefulSet = object.message() { return owner.spec.template }
        if let owner: AppsV1.DaemonSet = object.message() { return owner.spec.template }
        if let owner: BatchV1.Job = object.message() { return owner.spec.template }
        if let owner: BatchV1.CronJob = object.message() {
            return owner.spec.jobTemplate.spec.template
        }
        return nil
    }

    // MARK: - Namespaces

    /// Checks the labels of a namespace, and warns of pods that a new level would refuse.
    private func checkNamespace(
        _ attributes: inout AdmissionAttributes
    ) throws(StatusError) {
        guard let namespace = attributes.object?.metadata else { return }
        let old = attributes.oldObject?.metadata
        let errors = NamespacePolicy.errors { namespace.labels[$0] }
        let oldErrors = old.map { old in NamespacePolicy.errors { old.labels[$0] } }
        if !errors.isEmpty, attributes.operation == .create || oldErrors?.isEmpty == true {
            throw .invalid(kind: "Namespace", group: "", name: namespace.name, errors)
        }
        guard attributes.operation == .update, errors.isEmpty, let old,
            !self.settings.exemptNamespaces.contains(namespace.name),
            let enforced = self.policy({ namespace.labels[$0] }).enforce,
            self.policy({ old.labels[$0] }).enforce != enforced
        else { return }
        let pods = self.objects.list(.pods, namespace: namespace.name)
        var found: [String: [String]] = [:]
        for object in pods.prefix(Self.maximumNamespacePods) {
            guard let pod: CoreV1.Pod = object.message() else { continue }
            let violations = SecurityStandard.violations(
                of: pod.metadata,
                pod.spec,
                enforced.level
            )
            if violations.isEmpty { continue }
            found[violations.reasons.joined(separator: ", "), default: []].append(pod.metadata.name)
        }
        if found.isEmpty { return }
        attributes.warn(
            "existing pods in namespace \(GoText.quoted(namespace.name)) violate the new "
                + "PodSecurity enforce level \(enforced.text)"
        )
        for (reasons, names) in found.sorted(by: { $0.value[0] < $1.value[0] }) {
            let others = names.count - 1
            let more =
                others == 0 ? "" : " (and \(others) other pod\(others == 1 ? "" : "s"))"
            attributes.warn("\(names[0])\(more): \(reasons)")
        }
    }
}
