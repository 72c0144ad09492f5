// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Metrics
internal import RPC
internal import RPCInterface
internal import Synchronization

/// Counts calls under the names of go-grpc-prometheus, which etcd uses.
///
/// What a method counts is looked up by labels once and then kept by its path.
final class CallMetrics: ServerObserver {
    /// The metrics of one method.
    private struct Method: Sendable {
        let started: Counter
        /// By status code.
        let handled: [Counter]
        let other: Counter
    }

    private let started: MetricFamily<Counter>
    private let handled: MetricFamily<Counter>
    private let methods = Mutex<[String: Method]>([:])

    init(_ registry: MetricRegistry) {
        let labels = ["grpc_type", "grpc_service", "grpc_method"]
        self.started = registry.counter(
            "grpc_server_started_total",
            help: "Total number of RPCs started on the server.",
            labels: labels
        )
        self.handled = registry.counter(
            "grpc_server_handled_total",
            help: "Total number of RPCs completed on the server, regardless of success or failure.",
            labels: ["grpc_code"] + labels
        )
    }

    func callBegan(_ method: RPCMethod) {
        self.method(method).started.increment()
    }

    func callEnded(_ method: RPCMethod, _ failure: RPCError?) {
        let method = self.method(method)
        let code = failure?.code.rawValue ?? 0
        let isKnown = method.handled.indices.contains(code)
        (isKnown ? method.handled[code] : method.other).increment()
    }

    private func method(_ method: RPCMethod) -> Method {
        self.methods.withLock { methods in
            if let known = methods[method.path] { return known }
            let labels = [Self.type(method.kind), method.service, method.name]
            let new = Method(
                started: self.started.with(labels),
                handled: Self.codeNames.map { self.handled.with([$0] + labels) },
                other: self.handled.with(["Code"] + labels)
            )
            methods[method.path] = new
            return new
        }
    }

    private static func type(_ kind: RPCKind) -> String {
        switch kind {
        case .unary: "unary"
        case .serverStreaming: "server_stream"
        case .clientStreaming: "client_stream"
        case .bidirectional: "bidi_stream"
        }
    }

    /// Go's names of the codes.
    private static let codeNames = [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound",
        "AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted",
        "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ]
}
