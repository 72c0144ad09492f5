// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import ApusAPI
import HTTP
import KubernetesAPI
import NodeStreams
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import ResourceTable
import Scalars

extension RESTHandler {
    /// Runs a command in a container, or joins its process.
    func stream(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let pod = try await self.pod(call)
        let options = try StreamOptions(exchange.target.query)
        let target = try PodTarget(pod, container: exchange.target.query.string("container"))
        if call.subresource == "exec", options.command.isEmpty {
            throw .badRequest("you must specify at least one command for the container")
        }
        try await self.checkConnect(exchange, call)
        let client = try self.core.nodes.client(node: target.node)
        let streams = StreamExchange(exchange.request, exchange.response)
        if call.subresource == "exec" {
            try await streams.exec(client, target.message, options)
        } else {
            try await streams.attach(client, target.message, options)
        }
    }

    /// What is asked before a connection to a node is made: a right to create, whatever the method,
    /// and admission.
    func checkConnect(
        _ exchange: RESTExchange,
        _ call: ResourceCall
    ) async throws(StatusError) {
        if call.verb != "create" {
            var attributes = AuthorizationAttributes(user: call.user, exchange.info)
            attributes.verb = "create"
            try await self.core.access.authorize(attributes)
        }
        try await self.admitConnect(call, kind: "Pod")
    }

    /// Asks admission about a connection.
    func admitConnect(_ call: ResourceCall, kind: String) async throws(StatusError) {
        var attributes = AdmissionAttributes(
            .connect,
            call.resource.groupResource,
            subresource: call.subresource,
            kind: GroupVersionKind(group: "", version: "v1", kind: kind),
            namespace: call.namespace,
            name: call.name,
            user: call.user,
            now: .current()
        )
        try await self.core.access.parts.admission.admit(&attributes)
        try await self.core.access.parts.admission.validate(&attributes)
    }
}

extension StreamOptions {
    /// What a client wants, from its query.
    fileprivate init(_ query: QueryParameters) throws(StatusError) {
        let wanted = StreamOptions(
            command: query.all("command"),
            stdin: query.bool("stdin") ?? false,
            stdout: query.bool("stdout") ?? false,
            stderr: query.bool("stderr") ?? false,
            tty: query.bool("tty") ?? false
        )
        guard let wanted else {
            throw .badRequest("you must specify at least 1 of stdin, stdout, stderr")
        }
        self = wanted
    }
}
