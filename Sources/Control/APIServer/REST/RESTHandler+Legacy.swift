// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import HTTP
import KubernetesAPI
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import ResourceTable

/// What the core group has from its first days: Bindings and ComponentStatuses, which are not
/// stored.
extension RESTHandler {
    /// Answers a request for one of them.
    ///
    /// - Returns: whether the request was for one.
    func serveLegacy(
        _ exchange: RESTExchange,
        _ user: UserInfo
    ) async throws(StatusError) -> Bool {
        let info = exchange.info
        guard info.apiPrefix == "api", info.apiVersion == "v1", info.subresource.isEmpty else {
            return false
        }
        switch info.resource {
        case "bindings" where !info.namespace.isEmpty && info.parts.count == 1:
            guard info.verb == "create" else { throw .methodNotSupportedAtAll }
            try await self.bind(exchange, user)
        case "componentstatuses" where info.namespace.isEmpty && info.parts.count <= 2:
            guard info.verb == "get" || info.verb == "list" else { throw .methodNotSupportedAtAll }
            try await self.sendComponents(exchange)
        default: return false
        }
        return true
    }

    /// Assigns the pod that a Binding names: what `pods/binding` does, with the name in the body.
    private func bind(_ exchange: RESTExchange, _ user: UserInfo) async throws(StatusError) {
        let options = try self.writeOptions(exchange, "CreateOptions")
        let body = try await exchange.objectBody()
        let binding = try BodyDecoder.decode(body, as: CoreV1.Binding.schema, .ignore).object
        guard let entry = self.core.registry.entry(apiVersion: "v1", plural: "pods") else {
            throw ServerCore.pageNotFound
        }
        guard !binding.metadata.name.isEmpty else {
            throw .badRequest("name is required in the Binding's metadata")
        }
        let call = ResourceCall(
            entry: entry,
            verb: "create",
            namespace: exchange.info.namespace,
            name: binding.metadata.name,
            subresource: "binding",
            user: user
        )
        let result = try await self.core.operations.create(call, body, options)
        guard let status = result.other else { throw .internalError("a binding has no answer") }
        try await PlainWriter(exchange).send(.created, status, warnings: result.warnings)
    }

    private func sendComponents(_ exchange: RESTExchange) async throws(StatusError) {
        let writer = try PlainWriter(exchange)
        let found = await ComponentProbe(core: self.core).statuses()
        let name = exchange.info.name
        if name.isEmpty {
            let list = CoreV1.ComponentStatusList.with { list in
                for status in found { list.items.append(status) }
            }
            return try await writer.send(.ok, APIObject(list))
        }
        guard let status = found.first(where: { $0.metadata.name == name }) else {
            throw .notFound(GroupResource(group: "", resource: "componentstatuses"), name)
        }
        try await writer.send(.ok, APIObject(status))
    }
}
