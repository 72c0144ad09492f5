// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Descriptors
import JSON
import Protobuf
public import RPCInterface
import Synchronization

/// What `apus rpc` does with a server: list its services, describe its schema, call its methods with
/// JSON. Works with any gRPC server that has reflection, or whose schema files are at hand.
public struct RPCTool: Sendable {
    private let channel: any RPCChannel
    private let schema: any SchemaSource

    /// A tool that learns the schema from the server's reflection.
    public init(channel: any RPCChannel, options: CallOptions = CallOptions()) {
        self.channel = channel
        self.schema = ReflectedSchema(channel: channel, options: options)
    }

    /// A tool that knows the schema: files with all that they import.
    public init(channel: any RPCChannel, files: [FileDescriptor]) {
        self.channel = channel
        self.schema = GivenSchema(files)
    }

    /// What can go wrong beside the calls themselves.
    public enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
        /// The server has no reflection and no schema was given.
        case noReflection
        /// There is no such service, method, message or enum.
        case unknownSymbol(String)
        /// A method is `SERVICE/METHOD` or `SERVICE.METHOD`.
        case notAMethod(String)
        /// The schema is not consistent.
        case schema(String)
        /// The text is not JSON of the request's type.
        case request(String)
        /// A response is not a message of its type.
        case response(String)
        /// The method takes one request, and there are none or more.
        case requestCount(Int)

        public var description: String {
            switch self {
            case .noReflection:
                "the server has no reflection; give its schema files with --proto_path"
            case .unknownSymbol(let name): "there is no \(name)"
            case .notAMethod(let name): "\(name) is no method; write SERVICE/METHOD"
            case .schema(let text): "the schema cannot be used: \(text)"
            case .request(let text): "the request is wrong: \(text)"
            case .response(let text): "a response cannot be read: \(text)"
            case .requestCount(let count): "the method takes one request, not \(count)"
            }
        }
    }

    /// The full names of the services, sorted.
    public func list() async throws -> [String] {
        try await self.schema.serviceNames().sorted()
    }

    /// The schema of a service, method, message or enum as a `.proto` file says it.
    ///
    /// - Throws: ``Failure``, or the `RPCError` of a reflection call.
    public func describe(_ symbol: String) async throws -> String {
        let name = symbol.replacing("/", with: ".")
        let files = try await self.schema.files(declaring: name)
        guard let text = SchemaPrinter(files).text(of: name) else {
            throw Failure.unknownSymbol(symbol)
        }
        return text
    }

    /// A method that was found, with the types of its messages.
    public struct Method: Sendable {
        let types: MethodTypes

        /// Its name and kind.
        public var method: RPCMethod { self.types.method }
    }

    /// Finds a method.
    ///
    /// - Parameter name: `SERVICE/METHOD` or `SERVICE.METHOD`.
    /// - Throws: ``Failure``, or the `RPCError` of a reflection call.
    public func method(_ name: String) async throws -> Method {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let service: String
        let method: String
        if parts.count == 2 {
            (service, method) = (String(parts[0]), String(parts[1]))
        } else if parts.count == 1, let dot = name.lastIndex(of: ".") {
            (service, method) = (String(name[..<dot]), String(name[name.index(after: dot)...]))
        } else {
            throw Failure.notAMethod(name)
        }
        let files = try await self.schema.files(declaring: service)
        return Method(types: try MethodTypes(service: service, method: method, in: files))
    }

    /// Calls a method by its name; see ``call(_:requests:options:onResponse:)-(Method,_,_,_)``.
    public func call<Requests: AsyncSequence & Sendable>(
        _ name: String,
        requests: Requests,
        options: CallOptions = CallOptions(),
        onResponse: @escaping @Sendable (String) -> Void
    ) async throws -> Metadata where Requests.Element == String {
        let method = try await self.method(name)
        return try await self.call(
            method,
            requests: requests,
            options: options,
            onResponse: onResponse
        )
    }

    /// Calls a method.
    ///
    /// - Parameters:
    ///   - requests: JSON objects, one a message, asked for when the call takes the next.
    ///   - onResponse: gets each response as a line of JSON as it arrives.
    /// - Returns: the server's trailers.
    /// - Throws: ``Failure``, what `requests` throws, or the call's `RPCError`.
    public func call<Requests: AsyncSequence & Sendable>(
        _ method: Method,
        requests: Requests,
        options: CallOptions = CallOptions(),
        onResponse: @escaping @Sendable (String) -> Void
    ) async throws -> Metadata where Requests.Element == String {
        let call = try await self.channel.start(method.method, options: options)
        do {
            return try await self.run(call, method.types, requests, onResponse)
        } catch {
            call.cancel()
            throw error
        }
    }

    private func run<Requests: AsyncSequence & Sendable>(
        _ call: any RPCClientCall,
        _ types: MethodTypes,
        _ requests: Requests,
        _ onResponse: @escaping @Sendable (String) -> Void
    ) async throws -> Metadata where Requests.Element == String {
        let failure = WriterFailure()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            // Writing there, reading here: a bidirectional call needs both at once.
            group.addTask {
                do {
                    try await Self.write(requests, to: call, types)
                } catch {
                    // The reader must not wait for an answer to what was never asked. A call that
                    // the server has ended is not changed by this.
                    failure.box.withLock { $0 = error }
                    call.cancel()
                }
            }
            defer { group.cancelAll() }
            do {
                let responses = RPCResponseStream<RawMessage>(call)
                while let message = try await responses.next() {
                    onResponse(try types.response(message))
                }
            } catch {
                // What is wrong with the requests says more than that the call was cancelled.
                if let cause = failure.box.withLock({ $0 }), !(cause is RPCError) { throw cause }
                throw error
            }
            return call.trailingMetadata
        }
    }

    private static func write<Requests: AsyncSequence & Sendable>(
        _ requests: Requests,
        to call: any RPCClientCall,
        _ types: MethodTypes
    ) async throws where Requests.Element == String {
        let writer = RPCWriter<RawMessage>(call)
        if types.method.kind.streamsRequests {
            for try await text in requests { try await writer.write(types.request(text)) }
        } else {
            // The one request goes when it is known to be the only one.
            var only: RawMessage?
            var count = 0
            for try await text in requests {
                count += 1
                guard count == 1 else { throw Failure.requestCount(count) }
                only = try types.request(text)
            }
            guard let only else { throw Failure.requestCount(0) }
            try await writer.write(only)
        }
        call.finishRequests()
    }
}

/// Why the writing half of a call gave up.
private final class WriterFailure: Sendable {
    let box = Mutex<(any Error)?>(nil)
}

/// A message whose type is only known when the program runs.
struct RawMessage: RPCMessage {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(rpcBytes bytes: UnsafeRawBufferPointer) throws { self.bytes = [UInt8](bytes) }

    func encodeRPC(to sink: inout RPCByteSink) throws { sink.append(contentsOf: self.bytes) }
}

/// A method with its types.
struct MethodTypes: Sendable {
    let method: RPCMethod
    private let input: MessageSchema
    private let output: MessageSchema
    /// Keeps the schemas alive.
    private let pool: SchemaPool

    init(service: String, method name: String, in files: [FileDescriptor]) throws {
        let found = files.lazy
            .flatMap { file in file.services.map { (file.package, $0) } }
            .first { SchemaName.join($0.0, $0.1.name) == service }
        guard let found else { throw RPCTool.Failure.unknownSymbol(service) }
        guard let method = found.1.methods.first(where: { $0.name == name }) else {
            throw RPCTool.Failure.unknownSymbol("\(service)/\(name)")
        }
        let kind: RPCKind =
            switch (method.clientStreaming, method.serverStreaming) {
            case (false, false): .unary
            case (true, false): .clientStreaming
            case (false, true): .serverStreaming
            case (true, true): .bidirectional
            }
        self.method = RPCMethod(service: service, name: name, kind: kind)
        do {
            self.pool = try SchemaPool(files)
        } catch {
            throw RPCTool.Failure.schema("\(error)")
        }
        let inputName = SchemaName.withoutDot(method.inputType)
        let outputName = SchemaName.withoutDot(method.outputType)
        guard let input = self.pool.message(inputName) else {
            throw RPCTool.Failure.unknownSymbol(inputName)
        }
        guard let output = self.pool.message(outputName) else {
            throw RPCTool.Failure.unknownSymbol(outputName)
        }
        self.input = input
        self.output = output
    }

    /// The message that a JSON text says; unknown fields are errors.
    func request(_ text: String) throws -> RawMessage {
        do {
            let decoded = try Array(text.utf8).withUnsafeBytes { bytes in
                try MessageStorage.decode(
                    json: bytes,
                    as: self.input,
                    validation: .strict,
                    limits: JSONLimits(),
                    types: MessageTypes(self.pool)
                )
            }
            if let problem = decoded.problems.first { throw RPCTool.Failure.request(problem) }
            return RawMessage(decoded.message.withSerializedBytes(self.input) { [UInt8]($0) })
        } catch let error as RPCTool.Failure {
            throw error
        } catch {
            throw RPCTool.Failure.request("\(error)")
        }
    }

    /// The JSON text of a message.
    func response(_ message: RawMessage) throws -> String {
        do {
            return try message.bytes.withUnsafeBytes { bytes in
                try DynamicValue(
                    serialized: bytes,
                    as: self.output,
                    types: MessageTypes(self.pool)
                ).jsonText
            }
        } catch {
            throw RPCTool.Failure.response("\(error)")
        }
    }
}

/// Full names.
enum SchemaName {
    static func join(_ scope: String, _ name: String) -> String {
        scope.isEmpty ? name : "\(scope).\(name)"
    }

    static func withoutDot(_ name: String) -> String {
        name.first == "." ? String(name.dropFirst()) : name
    }
}
