// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import RPCInterface

/// Calls to services in the same process, without a network: what components that share a process
/// and tests use.
///
/// Semantics are those of the network: messages are encoded and decoded, so both sides never share
/// mutable state; limits, deadlines, cancellation, metadata rules, interceptors of both sides and
/// statuses are the same; a writer that is faster than its reader is suspended. Messages are not
/// compressed.
public struct InProcessChannel: RPCChannel {
    private let table: RPCServiceTable
    private let server: RPCServerOptions
    private let client: RPCClientOptions

    /// A channel to services.
    public init(
        services: [any RPCService],
        server: RPCServerOptions = RPCServerOptions(),
        client: RPCClientOptions = RPCClientOptions()
    ) {
        self.init(table: RPCServiceTable(services), server: server, client: client)
    }

    /// A channel to a table of services.
    public init(
        table: RPCServiceTable,
        server: RPCServerOptions = RPCServerOptions(),
        client: RPCClientOptions = RPCClientOptions()
    ) {
        self.table = table
        self.server = server
        self.client = client
    }

    public func start(
        _ method: RPCMethod,
        options: CallOptions
    ) async throws(RPCError) -> any RPCClientCall {
        var options = options
        for interceptor in self.client.interceptors {
            try await interceptor.willStart(method, &options)
        }
        try MetadataCoding.check(options.metadata)
        if Task.isCancelled {
            throw RPCError(code: .cancelled, message: "the task was cancelled")
        }
        let call = InProcessCall(
            method: method,
            options: options,
            deadline: CallDeadline.of(options, default: self.client.timeout),
            server: self.server,
            client: self.client
        )
        let clientCall = InProcessClientCall(call)
        do throws(RPCError) {
            call.begin(try self.table.method(at: method.path))
        } catch {
            call.finish(error)
        }
        return clientCall
    }
}
