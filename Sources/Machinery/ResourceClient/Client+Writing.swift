// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ApusAPI
import Bytes
public import JSON
import KubernetesAPI
public import ObjectModel
public import Protobuf
import RPCInterface

extension Client {
    /// Creates an object in the namespace of its metadata.
    public func create(_ object: Object) async throws(StatusError) -> Object {
        try await self.create(self.createRequest(object))
    }

    /// Replaces an object; with a resource version in its metadata, only that version.
    public func update(_ object: Object) async throws(StatusError) -> Object {
        try await self.update(object, subresource: "")
    }

    /// Replaces an object's status.
    public func updateStatus(_ object: Object) async throws(StatusError) -> Object {
        try await self.update(object, subresource: "status")
    }

    /// Replaces a part of an object, such as `status` or `approval`.
    public func update(
        _ object: Object,
        subresource: String
    ) async throws(StatusError) -> Object {
        let request = self.updateRequest(object, subresource: subresource)
        let answer = try await self.call { () async throws(RPCError) in
            try await self.service.update(request, options: self.callOptions)
        }
        return try ObjectCoding.decode(answer.object)
    }

    /// Changes a part of an object.
    public func patch(
        _ name: String,
        in namespace: String = "",
        _ type: ApusResource.PatchRequest.Type_,
        _ patch: DynamicValue,
        subresource: String = ""
    ) async throws(StatusError) -> Object {
        let request = self.patchRequest(name, in: namespace, type, patch, subresource: subresource)
        let answer = try await self.call { () async throws(RPCError) in
            try await self.service.patch(request, options: self.callOptions)
        }
        return try ObjectCoding.decode(answer.object)
    }

    /// Server-side apply of an object's set fields.
    ///
    /// - Parameter force: takes fields from their owners.
    public func apply(
        _ object: Object,
        force: Bool = false,
        subresource: String = ""
    ) async throws(StatusError) -> Object {
        var tree: DynamicValue
        do throws(JSONEncodingError) {
            tree = try DynamicValue(object)
        } catch {
            throw .internalError("\(Object.schema.name) cannot be encoded: \(error)")
        }
        tree["apiVersion"] = DynamicValue(self.resource.apiVersion)
        tree["kind"] = DynamicValue(self.resource.kind)
        let key = object.objectKey
        var request = self.patchRequest(
            key.name,
            in: key.namespace,
            .apply,
            tree,
            subresource: subresource
        )
        request.force = force
        let sent = request
        let answer = try await self.call { () async throws(RPCError) in
            try await self.service.patch(sent, options: self.callOptions)
        }
        return try ObjectCoding.decode(answer.object)
    }

    /// Deletes an object, or marks it for deletion.
    ///
    /// - Returns: whether nothing is left of it.
    @discardableResult
    public func delete(
        _ name: String,
        in namespace: String = "",
        _ options: DeleteOptions = DeleteOptions()
    ) async throws(StatusError) -> Bool {
        try await self.remove(name, in: namespace, options).isGone
    }

    /// Deletes an object, or marks it for deletion, and says as of which version.
    public func remove(
        _ name: String,
        in namespace: String = "",
        _ options: DeleteOptions = DeleteOptions()
    ) async throws(StatusError) -> Deletion {
        let request = self.deleteRequest(name, in: namespace, options)
        let answer = try await self.call { () async throws(RPCError) in
            try await self.service.delete(request, options: self.callOptions)
        }
        return Deletion(isGone: answer.gone, resourceVersion: answer.resourceVersion)
    }

    /// Deletes all objects of a namespace, or those that the selectors match.
    ///
    /// - Returns: how many were deleted or marked.
    @discardableResult
    public func deleteCollection(
        in namespace: String,
        labelSelector: String = "",
        fieldSelector: String = "",
        _ options: DeleteOptions = DeleteOptions()
    ) async throws(StatusError) -> Int64 {
        let request = ApusResource.DeleteCollectionRequest.with {
            $0.target = self.resource.target(namespace: namespace)
            $0.labelSelector = labelSelector
            $0.fieldSelector = fieldSelector
            $0.options = options.message
        }
        let answer = try await self.call { () async throws(RPCError) in
            try await self.service.deleteCollection(request, options: self.callOptions)
        }
        return answer.count
    }

    /// Posts to a subresource: `binding`, `eviction`, `token`.
    ///
    /// - Returns: what the server answers; for `binding` a Status, which is not decoded.
    @discardableResult
    public func create<Body: Message>(
        _ subresource: String,
        of name: String,
        in namespace: String,
        _ body: Body
    ) async throws(StatusError) -> Body? {
        let request = ApusResource.CreateRequest.with {
            $0.target = self.resource.target(
                namespace: namespace,
                name: name,
                subresource: subresource
            )
            $0.object = ObjectCoding.object(body)
            $0.options = self.writeOptions(answer: .full)
        }
        let answer = try await self.call { () async throws(RPCError) in
            try await self.service.create(request, options: self.callOptions)
        }
        guard let object = answer.object, object.kind?.kind != "Status" else { return nil }
        return try ObjectCoding.decode(object, as: Body.self)
    }

    private func create(
        _ request: ApusResource.CreateRequest
    ) async throws(StatusError) -> Object {
        let answer = try await self.call { () async throws(RPCError) in
            try await self.service.create(request, options: self.callOptions)
        }
        return try ObjectCoding.decode(answer.object)
    }
}

// MARK: - Requests, for calls and for the pipelined writer

extension Client {
    func writeOptions(answer: ApusResource.Form) -> ApusResource.WriteOptions {
        ApusResource.WriteOptions.with {
            $0.fieldManager = self.manager
            $0.answer = answer
            $0.accept = .protobuf
        }
    }

    /// The request that creates an object.
    public func createRequest(_ object: Object) -> ApusResource.CreateRequest {
        ApusResource.CreateRequest.with {
            $0.target = self.resource.target(namespace: object.objectMetadata.namespace)
            $0.object = ObjectCoding.object(object)
            $0.options = self.writeOptions(answer: .full)
        }
    }

    /// The request that posts to a subresource; the answer leaves the object out.
    public func createRequest<Body: Message>(
        _ subresource: String,
        of name: String,
        in namespace: String,
        _ body: Body
    ) -> ApusResource.CreateRequest {
        ApusResource.CreateRequest.with {
            $0.target = self.resource.target(
                namespace: namespace,
                name: name,
                subresource: subresource
            )
            $0.object = ObjectCoding.object(body)
            $0.options = self.writeOptions(answer: .none)
        }
    }

    /// The request that replaces an object.
    public func updateRequest(
        _ object: Object,
        subresource: String = ""
    ) -> ApusResource.UpdateRequest {
        ApusResource.UpdateRequest.with {
            let key = object.objectKey
            $0.target = self.resource.target(
                namespace: key.namespace,
                name: key.name,
                subresource: subresource
            )
            $0.object = ObjectCoding.object(object)
            $0.options = self.writeOptions(answer: self.form)
        }
    }

    /// The request that changes a part of an object.
    public func patchRequest(
        _ name: String,
        in namespace: String = "",
        _ type: ApusResource.PatchRequest.Type_,
        _ patch: DynamicValue,
        subresource: String = ""
    ) -> ApusResource.PatchRequest {
        ApusResource.PatchRequest.with {
            $0.target = self.resource.target(
                namespace: namespace,
                name: name,
                subresource: subresource
            )
            $0.type = type
            $0.patch = Bytes(patch.json())
            $0.options = self.writeOptions(answer: self.form)
        }
    }

    /// The request that deletes an object.
    public func deleteRequest(
        _ name: String,
        in namespace: String = "",
        _ options: DeleteOptions = DeleteOptions()
    ) -> ApusResource.DeleteRequest {
        ApusResource.DeleteRequest.with {
            $0.target = self.resource.target(namespace: namespace, name: name)
            $0.options = options.message
        }
    }
}
