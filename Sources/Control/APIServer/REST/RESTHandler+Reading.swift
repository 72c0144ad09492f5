// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP
import KubernetesAPI
import MediaTypes
import NIOCore
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import WatchCache

extension RESTHandler {
    func get(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let options: GetOptions
        do throws(ParameterError) {
            options = try GetOptions(parsing: exchange.target.query)
        } catch {
            throw StatusError(parameter: error)
        }
        let writer = try AnswerWriter(exchange, call)
        if call.subresource == "scale" {
            return try await writer.send(.ok, other: try await self.core.operations.scale(call))
        }
        let answer = try await self.core.operations.get(
            call,
            resourceVersion: options.resourceVersion
        )
        try await writer.send(.ok, answer)
    }

    /// The options of a list or watch.
    private func listOptions(
        _ exchange: RESTExchange,
        _ call: ResourceCall
    ) throws(StatusError) -> ListOptions {
        do throws(ParameterError) {
            var options: ListOptions
            switch exchange.info.listOptions {
            case .success(let read): options = read
            case .failure(let error): throw error
            case nil: options = try ListOptions(parsing: exchange.target.query)
            }
            if exchange.info.verb == "watch" { options.watch = true }
            try options.check()
            return options
        } catch {
            throw StatusError(parameter: error)
        }
    }

    func list(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let options = try self.listOptions(exchange, call)
        let writer = try AnswerWriter(exchange, call, isList: true)
        let result = try await self.core.operations.list(call, options)
        try await writer.send(result)
    }

    /// Starts a watch.
    func watch(
        _ exchange: RESTExchange,
        _ call: ResourceCall
    ) async throws(StatusError) -> StartedWatch {
        let options = try self.listOptions(exchange, call)
        let writer = try WatchWriter(exchange, call, options)
        do throws(StatusError) {
            let watcher = try await self.core.operations.watch(call, options)
            return StartedWatch(writer: writer, outcome: .success(watcher))
        } catch {
            // As upstream has it: a watch that was understood fails by an event.
            guard error.reason == .expired else { throw error }
            return StartedWatch(writer: writer, outcome: .failure(error))
        }
    }
}

/// A watch that has been understood, or why it has nothing to send.
struct StartedWatch: Sendable {
    let writer: WatchWriter
    let outcome: Result<Watcher, StatusError>

    /// Sends what there is until the watch is over, or goes on by itself.
    ///
    /// - Returns: whether it goes on.
    func run(_ core: ServerCore) async throws(StatusError) -> Bool {
        switch self.outcome {
        case .success(let watcher): return try await self.writer.run(watcher, core)
        case .failure(let error):
            try await self.writer.refuse(error)
            return false
        }
    }
}
