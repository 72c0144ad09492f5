// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Synchronization

extension MemoryCluster {
    static func key(_ target: ApusResource.Target?) -> String {
        "\(target?.namespace ?? "")/\(target?.name ?? "")"
    }

    func create(
        _ request: ApusResource.CreateRequest
    ) throws(StatusError) -> ApusResource.WriteResponse {
        let resource = try self.resource(request.target)
        self.count("create", resource)
        if request.target?.subresource == "binding" { return try self.bind(request, resource) }
        var object = try Self.decode(request.object, resource.schema)
        if resource.plural == "subjectaccessreviews" { return try self.review(object) }
        let result = self.state.withLock { state -> Result<Record, StatusError> in
            Result { () throws(StatusError) in
                let namespace = request.target?.namespace ?? ""
                object.metadata.namespace = namespace
                if object.metadata.name.isEmpty {
                    object.metadata.name = "\(object.metadata.generateName)\(state.nextUID)"
                }
                let name = object.metadata.name
                let key = "\(namespace)/\(name)"
                if state.objects[resource.storeName]?[key] != nil {
                    throw .alreadyExists(resource.groupResource, name)
                }
                let owner = state.objects["namespaces"]?["/\(namespace)"]?.object
                if !namespace.isEmpty, owner?.metadata.deletionTimestamp != nil {
                    var error = StatusError.forbidden(
                        resource.groupResource,
                        name,
                        "unable to create new content in namespace \(namespace)"
                            + " because it is being terminated"
                    )
                    error.status.details?.causes.append(
                        MetaV1.StatusCause.with { $0.reason = "NamespaceTerminating" }
                    )
                    throw error
                }
                object.metadata.uid = "uid-\(state.nextUID)"
                state.nextUID += 1
                object.metadata.generation = 1
                object.metadata.creationTimestamp = MetaV1.Time.with { $0.seconds = state.seconds }
                if resource.plural == "namespaces" {
                    object.change(CoreV1.Namespace.self) {
                        $0.spec.finalizers = ["kubernetes"]
                        $0.status.phase = "Active"
                    }
                }
                return try Self.store(object, resource, .added, &state)
            }
        }
        return Self.answer(try result.get(), request.options)
    }

    /// Answers a review; nothing is stored.
    private func review(_ object: APIObject) throws(StatusError) -> ApusResource.WriteResponse {
        var object = object
        object.change(AuthorizationV1.SubjectAccessReview.self) { review in
            let asked = review.spec.resourceAttributes ?? AuthorizationV1.ResourceAttributes()
            let action = "\(asked.verb) \(asked.resource)/\(asked.subresource)"
            review.status.allowed = self.permitted(review.spec.user, action) != nil
        }
        return Self.answer(Record(tree: try Self.tree(object), object: object), nil)
    }

    func update(
        _ request: ApusResource.UpdateRequest
    ) throws(StatusError) -> ApusResource.WriteResponse {
        let resource = try self.resource(request.target)
        self.count("update", resource)
        let object = try Self.decode(request.object, resource.schema)
        let tree = try Self.tree(object)
        let record = try self.replace(request.target, resource, object.metadata.resourceVersion) {
            _ in tree
        }
        return Self.answer(record, request.options)
    }

    func patch(
        _ request: ApusResource.PatchRequest
    ) throws(StatusError) -> ApusResource.WriteResponse {
        let resource = try self.resource(request.target)
        self.count("patch", resource)
        let patch: DynamicValue
        do throws(JSONError) {
            patch = try DynamicValue(json: Array(request.patch))
        } catch {
            throw .badRequest(String(describing: error))
        }
        let version = patch["metadata"]?["resourceVersion"]?.string ?? ""
        let record = try self.replace(request.target, resource, version) { old in
            MergePatch.apply(patch, to: old)
        }
        return Self.answer(record, request.options)
    }

    func delete(
        _ request: ApusResource.DeleteRequest
    ) throws(StatusError) -> ApusResource.DeleteResponse {
        let resource = try self.resource(request.target)
        self.count("delete", resource)
        let key = Self.key(request.target)
        let name = request.target?.name ?? ""
        let options = request.options ?? ApusResource.DeleteOptions()
        let result = self.state.withLock { state -> Result<(Bool, Int), StatusError> in
            Result { () throws(StatusError) in
                guard var object = state.objects[resource.storeName]?[key]?.object else {
                    throw .notFound(resource.groupResource, name)
                }
                if let uid = options.preconditions?.uid, uid != object.metadata.uid {
                    throw .conflict(
                        resource.groupResource,
                        name,
                        "the UID in the precondition (\(uid)) does not match the UID in record"
                            + " (\(object.metadata.uid)). The object might have been deleted and"
                            + " then recreated"
                    )
                }
                if let version = options.preconditions?.resourceVersion,
                    version != object.metadata.resourceVersion
                {
                    throw .modified(resource.groupResource, name)
                }
                Self.mark(&object, options, state.seconds)
                let pod: CoreV1.Pod? = object.message()
                let grace = options.gracePeriodSeconds ?? pod?.spec.terminationGracePeriodSeconds
                let isGraceful =
                    pod.map { !$0.spec.nodeName.isEmpty && (grace ?? 30) > 0 && !$0.isOver }
                    ?? false
                let namespace: CoreV1.Namespace? = object.message()
                let keeps =
                    isGraceful || !object.metadata.finalizers.isEmpty
                    || namespace.map { !$0.spec.finalizers.isEmpty } ?? false
                guard keeps else {
                    try Self.remove(object, resource, &state)
                    return (true, state.version)
                }
                guard object.metadata.deletionTimestamp == nil else {
                    _ = try Self.store(object, resource, .modified, &state)
                    return (false, state.version)
                }
                object.metadata.deletionTimestamp = MetaV1.Time.with {
                    $0.seconds = state.seconds + (isGraceful ? grace ?? 30 : 0)
                }
                object.metadata.deletionGracePeriodSeconds = isGraceful ? grace ?? 30 : 0
                object.change(CoreV1.Namespace.self) { $0.status.phase = "Terminating" }
                _ = try Self.store(object, resource, .modified, &state)
                return (false, state.version)
            }
        }
        let (isGone, version) = try result.get()
        return ApusResource.DeleteResponse.with {
            $0.gone = isGone
            $0.resourceVersion = String(version)
        }
    }

    // MARK: - Parts

    private static func mark(
        _ object: inout APIObject,
        _ options: ApusResource.DeleteOptions,
        _ seconds: Int64
    ) {
        let finalizer: String
        switch options.propagation {
        case .foreground: finalizer = "foregroundDeletion"
        case .orphan: finalizer = "orphan"
        default: return
        }
        if !object.metadata.finalizers.contains(finalizer) {
            object.metadata.finalizers.append(finalizer)
        }
    }

    private func bind(
        _ request: ApusResource.CreateRequest,
        _ resource: APIResource
    ) throws(StatusError) -> ApusResource.WriteResponse {
        let binding: CoreV1.Binding
        do throws(DecodingError) {
            binding = try CoreV1.Binding(serialized: request.object?.body ?? Bytes())
        } catch {
            throw .badRequest(String(describing: error))
        }
        var target = request.target
        target?.subresource = ""
        let (store, key) = (resource.storeName, Self.key(target))
        let bound = self.state.withLock { $0.objects[store]?[key]?.tree["spec"]?["nodeName"] }
        if let node = bound?.string, !node.isEmpty {
            let name = target?.name ?? ""
            throw .conflict(
                GroupResource(group: "", resource: "pods/binding"),
                name,
                "pod \(name) is already assigned to node \"\(node)\""
            )
        }
        let record = try self.replace(target, resource, "") { old in
            var tree = old
            var spec = tree["spec"] ?? .emptyObject
            spec["nodeName"] = DynamicValue(binding.target.name)
            tree["spec"] = spec
            return tree
        }
        return Self.answer(record, request.options)
    }

    private func replace(
        _ target: ApusResource.Target?,
        _ resource: APIResource,
        _ version: String,
        _ change: (DynamicValue) -> DynamicValue
    ) throws(StatusError) -> Record {
        let key = Self.key(target)
        let name = target?.name ?? ""
        let result = self.state.withLock { state -> Result<Record, StatusError> in
            Result { () throws(StatusError) in
                guard let old = state.objects[resource.storeName]?[key] else {
                    throw .notFound(resource.groupResource, name)
                }
                if !version.isEmpty, version != old.object.metadata.resourceVersion {
                    throw .modified(resource.groupResource, name)
                }
                let new = change(old.tree)
                let tree = Self.merged(new, old.tree, target?.subresource ?? "", resource)
                var object: APIObject
                do throws(JSONError) {
                    object = try APIObject(tree, as: resource.schema)
                } catch {
                    throw .badRequest(String(describing: error))
                }
                let metadata = old.object.metadata
                object.metadata.uid = metadata.uid
                object.metadata.resourceVersion = metadata.resourceVersion
                object.metadata.creationTimestamp = metadata.creationTimestamp
                object.metadata.deletionTimestamp = metadata.deletionTimestamp
                object.metadata.generation =
                    metadata.generation + (tree["spec"] == old.tree["spec"] ? 0 : 1)
                let namespace: CoreV1.Namespace? = object.message()
                let isHeld = namespace.map { !$0.spec.finalizers.isEmpty } ?? false
                let pod: CoreV1.Pod? = object.message()
                if metadata.deletionTimestamp != nil, object.metadata.finalizers.isEmpty, !isHeld,
                    pod == nil || pod?.isOver == true || pod?.spec.nodeName.isEmpty == true
                        || metadata.deletionGracePeriodSeconds == 0
                {
                    try Self.remove(object, resource, &state)
                    return Record(tree: tree, object: object)
                }
                if object == old.object { return old }
                return try Self.store(object, resource, .modified, &state)
            }
        }
        return try result.get()
    }

    /// What a subresource may change, as upstream's strategies have it.
    private static func merged(
        _ new: DynamicValue,
        _ old: DynamicValue,
        _ subresource: String,
        _ resource: APIResource
    ) -> DynamicValue {
        guard resource.subresource("status") != nil || !subresource.isEmpty else { return new }
        var tree: DynamicValue
        switch subresource {
        case "":
            tree = new
            if resource.subresource("status") != nil { tree["status"] = old["status"] }
        case "finalize":
            tree = old
            tree["spec"] = new["spec"]
        default:
            tree = old
            tree["status"] = new["status"]
        }
        return tree
    }

    @discardableResult
    private static func store(
        _ object: APIObject,
        _ resource: APIResource,
        _ type: ApusResource.WatchEvent.Type_,
        _ state: inout State
    ) throws(StatusError) -> Record {
        var object = object
        state.version += 1
        state.writes += 1
        object.metadata.resourceVersion = String(state.version)
        let key = "\(object.metadata.namespace)/\(object.metadata.name)"
        let record = Record(tree: try self.tree(object), object: object)
        let old = state.objects[resource.storeName]?[key]?.object
        state.objects[resource.storeName, default: [:]][key] = record
        self.publish(resource, type, object, old, &state)
        return record
    }

    private static func remove(
        _ object: APIObject,
        _ resource: APIResource,
        _ state: inout State
    ) throws(StatusError) {
        var object = object
        state.version += 1
        state.writes += 1
        let key = "\(object.metadata.namespace)/\(object.metadata.name)"
        let old = state.objects[resource.storeName]?.removeValue(forKey: key)?.object
        object.metadata.resourceVersion = String(state.version)
        self.publish(resource, .deleted, object, old, &state)
    }

    private static func publish(
        _ resource: APIResource,
        _ type: ApusResource.WatchEvent.Type_,
        _ object: APIObject,
        _ old: APIObject?,
        _ state: inout State
    ) {
        let change = Change(
            version: state.version,
            resource: resource.storeName,
            type: type,
            object: object,
            old: old
        )
        state.history.append(change)
        state.log.append(change)
        for (id, watcher) in state.watchers {
            if state.held.contains(change.resource) {
                state.pending[id, default: []].append(change)
            } else {
                watcher.yield(change)
            }
        }
    }

    private static func tree(_ object: APIObject) throws(StatusError) -> DynamicValue {
        do throws(JSONEncodingError) {
            return try object.dynamicValue()
        } catch {
            throw .internalError(String(describing: error))
        }
    }

    private static func decode(
        _ object: ApusResource.Object?,
        _ schema: MessageSchema
    ) throws(StatusError) -> APIObject {
        let body = object?.body ?? Bytes()
        do throws(DecodingError) {
            return try body.withUnsafeBytes { bytes throws(DecodingError) in
                try APIObject(serialized: bytes, as: schema)
            }
        } catch {
            throw .badRequest(String(describing: error))
        }
    }

    private static func answer(
        _ record: Record,
        _ options: ApusResource.WriteOptions?
    ) -> ApusResource.WriteResponse {
        ApusResource.WriteResponse.with {
            $0.resourceVersion = record.object.metadata.resourceVersion
            if options?.answer != .some(.none) {
                $0.object = record.object.wire(options?.answer ?? .full)
            }
        }
    }
}

/// RFC 7396.
private enum MergePatch {
    static func apply(_ patch: DynamicValue, to target: DynamicValue) -> DynamicValue {
        guard patch.kind == .object else { return patch }
        var result = target.kind == .object ? target : .emptyObject
        for (key, value) in patch.entries {
            if value.isNull {
                result.removeValue(forKey: key)
            } else {
                result[key] = self.apply(value, to: result[key] ?? .null)
            }
        }
        return result
    }
}

extension CoreV1.Pod {
    fileprivate var isOver: Bool {
        self.status.phase == "Succeeded" || self.status.phase == "Failed"
    }
}
