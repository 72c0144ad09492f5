// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import ResourceTable
import Scalars

extension Operations {
    /// Posts to a subresource.
    func createSubresource(
        _ call: ResourceCall,
        _ body: RequestBody,
        _ options: WriteOptions
    ) async throws(StatusError) -> WriteAnswer {
        guard let subresource = call.resource.subresource(call.subresource) else {
            throw .notFound(call.resource.groupResource, call.name)
        }
        let decoded = try BodyDecoder.decode(
            body,
            as: subresource.schema,
            options.fieldValidation
        )
        let path = GroupResource(
            group: call.resource.group,
            resource: "\(call.resource.plural)/\(call.subresource)"
        )
        if let endpoint = self.access.parts.reviews[path] {
            let context = ReviewContext(
                user: call.user,
                namespace: call.namespace,
                name: call.name,
                isDryRun: options.isDryRun,
                now: .current()
            )
            _ = try await self.admitted(call, decoded.object, .create, options)
            let object = try await endpoint.create(decoded.object, context)
            return WriteAnswer(
                answer: .object(object),
                isCreated: true,
                warnings: decoded.warnings,
                other: object
            )
        }
        switch (call.resource.groupResource.description, call.subresource) {
        case ("pods", "binding"):
            guard let binding = decoded.object.message(as: CoreV1.Binding.self) else { break }
            return try await self.bind(call, binding, options, decoded.warnings)
        case ("pods", "eviction"):
            guard let eviction = decoded.object.message(as: PolicyV1.Eviction.self) else { break }
            return try await self.evict(call, eviction, options, decoded.warnings)
        default: break
        }
        throw .methodNotSupported(call.resource.groupResource, "create")
    }

    /// Assigns a pod to a node.
    ///
    /// Source: upstream `pkg/registry/core/pod/storage/storage.go` (BindingREST).
    func bind(
        _ call: ResourceCall,
        _ binding: CoreV1.Binding,
        _ options: WriteOptions,
        _ warnings: [String]
    ) async throws(StatusError) -> WriteAnswer {
        let name = binding.metadata.name.isEmpty ? call.name : binding.metadata.name
        guard name == call.name else {
            throw .badRequest("name in URL does not match name in Binding object")
        }
        let target = binding.target.name
        guard !target.isEmpty else {
            throw .badRequest("Binding target name must not be empty")
        }
        guard binding.target.kind.isEmpty || binding.target.kind == "Node" else {
            throw .badRequest("Binding target kind must be Node")
        }
        let context = try await self.admitted(call, APIObject(binding), .create, options)
        let now = context.now
        let resource = GroupResource(group: "", resource: "pods/binding")
        _ = try await call.store.update(
            call.namespace,
            name,
            scope: .subresource("binding"),
            context
        ) { (old) throws(StatusError) -> APIObject in
            guard var pod = old?.message(as: CoreV1.Pod.self) else {
                throw .notFound(call.resource.groupResource, name)
            }
            let uid = binding.metadata.uid
            if !uid.isEmpty, uid != pod.metadata.uid {
                throw .conflict(
                    resource,
                    name,
                    "Precondition failed: UID in precondition: \(uid), "
                        + "UID in object meta: \(pod.metadata.uid)"
                )
            }
            if pod.metadata.deletionTimestamp != nil {
                throw .conflict(
                    resource,
                    name,
                    "pod \(name) is being deleted, cannot be assigned to a host"
                )
            }
            if !pod.spec.nodeName.isEmpty {
                throw .conflict(
                    resource,
                    name,
                    "pod \(name) is already assigned to node \"\(pod.spec.nodeName)\""
                )
            }
            if !pod.spec.schedulingGates.isEmpty {
                throw .conflict(
                    resource,
                    name,
                    "pod \(name) has non-empty .spec.schedulingGates"
                )
            }
            pod.spec.nodeName = target
            for entry in binding.metadata.annotations {
                pod.metadata.annotations[entry.key] = entry.value
            }
            for label in binding.metadata.labels { pod.metadata.labels[label.key] = label.value }
            Self.setScheduled(&pod.status, now)
            return APIObject(pod)
        }
        return WriteAnswer(
            answer: .object(APIObject(Self.success)),
            isCreated: true,
            warnings: warnings,
            other: APIObject(Self.success)
        )
    }

    /// Asks admission about the body of a subresource that is no object of the resource.
    func admitted(
        _ call: ResourceCall,
        _ body: APIObject,
        _ operation: AdmissionAttributes.Operation,
        _ options: WriteOptions,
        old: APIObject? = nil
    ) async throws(StatusError) -> WriteContext {
        let typeMeta = body.typeMeta
        let now = Timestamp.current()
        var attributes = AdmissionAttributes(
            operation,
            call.resource.groupResource,
            subresource: call.subresource,
            kind: GroupVersionKind(apiVersion: typeMeta.apiVersion, kind: typeMeta.kind),
            namespace: call.namespace,
            name: call.name,
            object: body,
            oldObject: old,
            user: call.user,
            isDryRun: options.isDryRun,
            now: now
        )
        try await self.access.parts.admission.admit(&attributes)
        try await self.access.parts.admission.validate(&attributes)
        return WriteContext(isDryRun: options.isDryRun, now: now)
    }

    private static func setScheduled(_ status: inout CoreV1.PodStatus, _ now: Timestamp) {
        let condition = CoreV1.PodCondition.with {
            $0.type = "PodScheduled"
            $0.status = "True"
            $0.lastTransitionTime = MetaV1.Time(now)
        }
        if let index = status.conditions.firstIndex(where: { $0.type == "PodScheduled" }) {
            status.conditions[index] = condition
        } else {
            status.conditions.append(condition)
        }
    }

    /// The answer of a write that has no object: `{"status":"Success","code":201}`.
    static let success = MetaV1.Status.with {
        $0.status = "Success"
        $0.code = 201
    }

    // MARK: - Scale

    /// The scale of an object.
    func scale(_ call: ResourceCall) async throws(StatusError) -> APIObject {
        let cached = try await call.store.get(call.namespace, call.name)
        return APIObject(try Self.scale(of: try call.store.decode(cached)))
    }

    private static func scale(of object: APIObject) throws(StatusError) -> AutoscalingV1.Scale {
        var scale = AutoscalingV1.Scale()
        scale.metadata.name = object.metadata.name
        scale.metadata.namespace = object.metadata.namespace
        scale.metadata.uid = object.metadata.uid
        scale.metadata.resourceVersion = object.metadata.resourceVersion
        scale.metadata.creationTimestamp = object.metadata.creationTimestamp
        if let deployment = object.message(as: AppsV1.Deployment.self) {
            scale.spec.replicas = deployment.spec.replicas ?? 0
            scale.status.replicas = deployment.status.replicas
            scale.status.selector = Self.text(of: deployment.spec.selector)
        } else if let set = object.message(as: AppsV1.ReplicaSet.self) {
            scale.spec.replicas = set.spec.replicas ?? 0
            scale.status.replicas = set.status.replicas
            scale.status.selector = Self.text(of: set.spec.selector)
        } else if let set = object.message(as: AppsV1.StatefulSet.self) {
            scale.spec.replicas = set.spec.replicas ?? 0
            scale.status.replicas = set.status.replicas
            scale.status.selector = Self.text(of: set.spec.selector)
        } else if let controller = object.message(as: CoreV1.ReplicationController.self) {
            scale.spec.replicas = controller.spec.replicas ?? 0
            scale.status.replicas = controller.status.replicas
            scale.status.selector = controller.spec.selector
                .map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        } else {
            throw .internalError("the kind has no scale")
        }
        return scale
    }

    private static func text(of selector: MetaV1.LabelSelector?) -> String {
        guard let selector else { return "" }
        var parts = selector.matchLabels.map { "\($0.key)=\($0.value)" }
        for expression in selector.matchExpressions {
            let values = expression.values.joined(separator: ",")
            switch expression.operator {
            case "In": parts.append("\(expression.key) in (\(values))")
            case "NotIn": parts.append("\(expression.key) notin (\(values))")
            case "Exists": parts.append(expression.key)
            default: parts.append("!\(expression.key)")
            }
        }
        return parts.joined(separator: ",")
    }

    func updateScale(
        _ call: ResourceCall,
        _ body: RequestBody,
        _ options: WriteOptions
    ) async throws(StatusError) -> WriteAnswer {
        let decoded = try BodyDecoder.decode(
            body,
            as: AutoscalingV1.Scale.schema,
            options.fieldValidation
        )
        return try await self.changeScale(call, options, decoded.warnings) {
            _ throws(StatusError) in
            decoded.object
        }
    }

    /// Changes the scale of an object by what `change` makes of the present one.
    func changeScale(
        _ call: ResourceCall,
        _ options: WriteOptions,
        _ warnings: [String],
        _ change: (APIObject) async throws(StatusError) -> APIObject
    ) async throws(StatusError) -> WriteAnswer {
        let context = WriteContext(isDryRun: options.isDryRun)
        let result = try await call.store.update(
            call.namespace,
            call.name,
            scope: .subresource("scale"),
            context
        ) { (old) throws(StatusError) -> APIObject in
            guard let old else { throw .notFound(call.resource.groupResource, call.name) }
            let before = APIObject(try Self.scale(of: old))
            let wanted = try await change(before)
            _ = try await self.admitted(call, wanted, .update, options, old: before)
            guard let scale = wanted.message(as: AutoscalingV1.Scale.self) else { return old }
            var object = old
            object.metadata.resourceVersion = scale.metadata.resourceVersion
            if !scale.metadata.uid.isEmpty { object.metadata.uid = scale.metadata.uid }
            let replicas = scale.spec.replicas
            object.change(AppsV1.Deployment.self) { $0.spec.replicas = replicas }
            object.change(AppsV1.ReplicaSet.self) { $0.spec.replicas = replicas }
            object.change(AppsV1.StatefulSet.self) { $0.spec.replicas = replicas }
            object.change(CoreV1.ReplicationController.self) { $0.spec.replicas = replicas }
            return object
        }
        let scale = APIObject(try Self.scale(of: result.object))
        return WriteAnswer(answer: .object(scale), warnings: warnings, other: scale)
    }
}
