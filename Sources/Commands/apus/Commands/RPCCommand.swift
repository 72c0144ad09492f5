// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import CommandTree
internal import Descriptors
internal import Flags
internal import HTTP2Transport
internal import NIOPosix
internal import RPC
internal import RPCInterface
internal import RPCTool
internal import SchemaCompiler
internal import TLS

extension Command {
    /// `apus rpc`: a client for people, of any gRPC server.
    static let rpc = Command(
        "rpc",
        summary: "List, describe and call the services of any gRPC server",
        usage: "ADDRESS (list | describe NAME | call SERVICE/METHOD) [flags]",
        discussion: """
            Lists, describes and calls the services of any gRPC server. ADDRESS is host:port, or
            unix:///path of a socket.

              list       the services
              describe   a service, method, message or enum as a schema file has it
              call       a method, with requests as JSON and responses as lines of JSON

            The server's reflection tells the schema, or --proto-path the folders of schema files.
            Requests are JSON objects, one after the other: from --data, which may be given several
            times, or from standard input with --data @. Without --data a method that takes one
            request gets an empty one, and a method that takes a stream reads standard input.

            The exit code is 1 when a call does not end with OK; its status is on standard error.
            """,
        flags: RPCFlags.all
    ) { invocation in
        var words = invocation.arguments[...]
        guard let address = words.popFirst() else { throw UsageError("ADDRESS is missing") }
        guard let endpoint = HTTPEndpoint(address) else {
            throw UsageError("'\(address)' is no address; write host:port or unix:///path")
        }
        guard let verb = words.popFirst() else {
            throw UsageError("expected list, describe or call behind the address")
        }
        let flags = RPCFlags(invocation.flags)
        switch verb {
        case "list":
            guard words.isEmpty else { throw UsageError("list takes no name") }
            return try await RPCSession.with(endpoint, flags, symbol: "") { session in
                for name in try await session.tool.list() { invocation.output.line(name) }
            }
        case "describe":
            guard words.count == 1, let name = words.first else {
                throw UsageError("describe takes one name")
            }
            return try await RPCSession.with(endpoint, flags, symbol: name) { session in
                invocation.output.line(try await session.tool.describe(name))
            }
        case "call":
            guard words.count == 1, let name = words.first else {
                throw UsageError("call takes one method")
            }
            return try await RPCSession.with(endpoint, flags, symbol: name) { session in
                try await session.call(name, invocation.output)
            }
        default:
            throw UsageError("unknown command: \(verb)")
        }
    }
}

/// What a command line of `apus rpc` says.
private struct RPCFlags: Sendable {
    private static let tls = Flag("tls", default: false, help: "speak TLS")
    private static let authority = Flag(
        "cacert",
        default: "",
        help: "PEM `file` of the authorities to trust in place of the system's; implies --tls"
    )
    private static let certificate = Flag(
        "cert",
        default: "",
        help: "PEM `file` of the client's certificate; implies --tls"
    )
    private static let key = Flag("key", default: "", help: "PEM `file` of the client's key")
    private static let serverName = Flag(
        "server-name",
        default: "",
        help: "the `name` that the server's certificate must have, if not the address'"
    )
    private static let insecure = Flag(
        "insecure-skip-tls-verify",
        default: false,
        help: "do not verify the server's certificate; implies --tls"
    )
    private static let header = Flag(
        "header",
        shorthand: "H",
        default: StringArray(),
        help: "request metadata, `'name: value'`; the value of a name that ends in -bin is base64"
    )
    private static let deadline = Flag(
        "deadline",
        default: Duration.zero,
        help: "the `time` after which the call ends; 0: none"
    )
    private static let protoPath = Flag(
        "proto-path",
        default: StringArray(),
        help: "`folder` of schema files, in place of the server's reflection"
    )
    private static let data = Flag(
        "data",
        shorthand: "d",
        default: StringArray(),
        help: "requests as `JSON`; @ reads them from standard input"
    )

    static let all: [any AnyFlag] = [
        Self.tls, Self.authority, Self.certificate, Self.key, Self.serverName, Self.insecure,
        Self.header, Self.deadline, Self.protoPath, Self.data,
    ]

    private let flags: ParsedFlags

    init(_ flags: ParsedFlags) { self.flags = flags }

    var protoPaths: [String] { self.flags[Self.protoPath].values }
    var requests: [String] { self.flags[Self.data].values }
    var givesRequests: Bool { self.flags.isSet(Self.data) }
    var serverName: String? { Self.text(self.flags[Self.serverName]) }

    /// The context of the connection's TLS; nil for cleartext.
    func tlsSource() throws -> TLSContextSource? {
        let authority = Self.text(self.flags[Self.authority])
        let certificate = Self.text(self.flags[Self.certificate])
        let key = Self.text(self.flags[Self.key])
        let isInsecure = self.flags[Self.insecure]
        guard (certificate == nil) == (key == nil) else {
            throw UsageError("--cert and --key belong together")
        }
        guard self.flags[Self.tls] || authority != nil || certificate != nil || isInsecure else {
            return nil
        }
        var configuration = TLSClientConfiguration(authorityPath: authority)
        configuration.verifiesServer = !isInsecure
        configuration.applicationProtocols = ["h2"]
        if let certificate, let key {
            configuration.identity = .init(certificatePath: certificate, privateKeyPath: key)
        }
        return try TLSContextSource(client: configuration)
    }

    /// What every call of this command line has.
    func callOptions() throws -> CallOptions {
        var options = CallOptions()
        let deadline = self.flags[Self.deadline]
        if deadline > .zero { options.deadline = ContinuousClock.now + deadline }
        for header in self.flags[Self.header].values {
            guard let colon = header.firstIndex(of: ":"), colon != header.startIndex else {
                throw UsageError("--header: '\(header)' is not 'name: value'")
            }
            let name = header[..<colon].lowercased()
            let value = header[header.index(after: colon)...].drop { $0 == " " }
            if name.hasSuffix("-bin") {
                guard let bytes = Array(value.utf8).withUnsafeBytes({ try? Base64.decode($0) })
                else {
                    throw UsageError("--header: the value of '\(name)' is not base64")
                }
                options.metadata.add(name, binary: bytes)
            } else {
                options.metadata.add(name, String(value))
            }
        }
        return options
    }

    private static func text(_ value: String) -> String? { value.isEmpty ? nil : value }
}

/// One connection of `apus rpc`.
private struct RPCSession: Sendable {
    let tool: RPCTool
    private let flags: RPCFlags
    private let options: CallOptions

    /// Runs `body` with a session, and closes it.
    ///
    /// - Parameter symbol: what has to be in the schema.
    static func with(
        _ endpoint: HTTPEndpoint,
        _ flags: RPCFlags,
        symbol: String,
        _ body: (RPCSession) async throws -> Void
    ) async throws -> ExitCode {
        let options = try flags.callOptions()
        var clientOptions = RPCClientOptions()
        clientOptions.limits.maxInboundMessageBytes = Self.maximumResponseBytes
        let client = RPCClient(
            to: endpoint,
            options: clientOptions,
            tls: try flags.tlsSource(),
            serverName: flags.serverName,
            group: MultiThreadedEventLoopGroup.singleton
        )
        defer { client.close(gracefully: false) }
        let tool: RPCTool
        if flags.protoPaths.isEmpty {
            tool = RPCTool(channel: client, options: options)
        } else {
            tool = RPCTool(channel: client, files: try Self.schema(flags.protoPaths, symbol))
        }
        try await body(RPCSession(tool: tool, flags: flags, options: options))
        return .success
    }

    /// A person at a terminal wants to see what comes; other clients have stricter limits.
    private static let maximumResponseBytes = 256 << 20

    private static func schema(_ paths: [String], _ symbol: String) throws -> [FileDescriptor] {
        let result = try SchemaFolders(paths).compile(mentioning: symbol)
        guard !result.hasErrors else {
            let problems = result.sortedDiagnostics.filter { $0.severity == .error }
            throw RPCTool.Failure.schema(problems.map { "\($0)" }.joined(separator: "\n"))
        }
        return result.files
    }

    /// Calls a method and writes its responses.
    func call(_ name: String, _ output: Output) async throws {
        let method = try await self.tool.method(name)
        _ = try await self.tool.call(
            method,
            requests: self.requests(streams: method.method.kind.streamsRequests),
            options: self.options
        ) { output.line($0) }
    }

    private func requests(streams: Bool) -> RequestObjects {
        if self.flags.givesRequests { return RequestObjects(texts: self.flags.requests) }
        return RequestObjects(texts: streams ? [RequestObjects.standardInput] : ["{}"])
    }
}

/// The JSON objects of texts, of which `@` stands for standard input, as they are asked for.
private struct RequestObjects: AsyncSequence, Sendable {
    typealias Element = String

    static let standardInput = "@"

    let texts: [String]

    struct AsyncIterator: AsyncIteratorProtocol {
        var texts: ArraySlice<String>
        var splitter = JSONObjectSplitter()
        var input: StandardInput.AsyncIterator?

        mutating func next() async throws -> String? {
            while true {
                if let object = self.splitter.popFirst() { return object }
                if self.input != nil {
                    if let bytes = try await self.input?.next() {
                        try self.splitter.append(bytes)
                        continue
                    }
                    self.input = nil
                    try self.splitter.finish()
                }
                guard let text = self.texts.popFirst() else { return nil }
                if text == RequestObjects.standardInput {
                    self.input = StandardInput().makeAsyncIterator()
                } else {
                    try self.splitter.append(text.utf8)
                    try self.splitter.finish()
                }
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(texts: self.texts[...]) }
}
