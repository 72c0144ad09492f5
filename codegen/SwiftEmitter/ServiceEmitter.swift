// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Prints one service: its methods' descriptions, a client and the protocol of its implementations.
struct ServiceEmitter {
    let service: ServiceModel
    let names: RuntimeNames
    let parts: Set<SwiftEmitter.ServicePart>
    let access: String

    private var methods: String { self.service.baseName + "Methods" }

    func print(_ printer: inout SwiftPrinter) {
        self.printMethods(&printer)
        if self.parts.contains(.client) {
            printer.separator()
            self.printClient(&printer)
        }
        if self.parts.contains(.server) {
            printer.separator()
            self.printProtocol(&printer)
        }
    }

    private func printMethods(_ printer: inout SwiftPrinter) {
        printer.comment(["The methods of `\(self.service.fullName)`."])
        printer.block("\(self.access)enum \(self.methods)") { printer in
            for method in self.service.methods {
                printer.comment(["`/\(self.service.fullName)/\(method.name)`"])
                printer.list(
                    "\(self.access)static let \(method.swiftName) = \(self.names.rpc("RPCMethod"))(",
                    [
                        "service: \"\(self.service.fullName)\"", "name: \"\(method.name)\"",
                        "kind: .\(method.kind.rawValue)",
                    ],
                    close: ")",
                )
            }
        }
    }

    private func comment(_ first: String) -> [String] {
        [first] + (self.service.comment.isEmpty ? [] : [""] + self.service.comment)
    }

    // MARK: - Client

    private func printClient(_ printer: inout SwiftPrinter) {
        printer.comment(self.comment("A client of `\(self.service.fullName)`."))
        let name = self.service.baseName + "Client"
        printer.block("\(self.access)struct \(name): \(self.names.rpc("RPCServiceClient"))") {
            printer in
            printer.line("\(self.access)static let rpcServiceName = \"\(self.service.fullName)\"")
            printer.separator()
            printer.comment(["What the calls go over."])
            printer.line("\(self.access)let channel: any \(self.names.rpc("RPCChannel"))")
            printer.separator()
            printer.comment(["Makes a client that calls over `channel`."])
            printer.line(
                "\(self.access)init(channel: any \(self.names.rpc("RPCChannel"))) { self.channel = channel }"
            )
            for method in self.service.methods {
                printer.separator()
                self.printCall(method, &printer)
            }
        }
    }

    private func printCall(_ method: MethodModel, _ printer: inout SwiftPrinter) {
        let options =
            "options: \(self.names.rpc("CallOptions")) = \(self.names.rpc("CallOptions"))()"
        let request = "_ request: \(method.input)"
        let place = "\(self.methods).\(method.swiftName)"
        let parameters: [String]
        let result: String
        let arguments: [String]
        switch method.kind {
        case .unary:
            parameters = [request, options]
            result = method.output
            arguments = [place, "request", "options: options"]
        case .serverStreaming:
            parameters = [request, options]
            result = "\(self.names.rpc("RPCResponseStream"))<\(method.output)>"
            arguments = [place, "request", "options: options"]
        case .clientStreaming:
            parameters = [options]
            result =
                "\(self.names.rpc("RPCClientStreamingCall"))<\(method.input), \(method.output)>"
            arguments = [place, "options: options"]
        case .bidirectional:
            parameters = [options]
            result = "\(self.names.rpc("RPCBidirectionalCall"))<\(method.input), \(method.output)>"
            arguments = [place, "options: options"]
        }
        printer.comment(
            method.comment.isEmpty ? ["Calls `\(method.name)`."] : method.comment
        )
        printer.list(
            "\(self.access)func \(method.swiftName)(",
            parameters,
            close: ") async throws(\(self.names.rpc("RPCError"))) -> \(result) {",
        )
        printer.indented { printer in
            printer.list("try await self.channel.\(method.kind.rawValue)(", arguments, close: ")")
        }
        printer.line("}")
    }

    // MARK: - Server

    private func printProtocol(_ printer: inout SwiftPrinter) {
        printer.comment(self.comment("An implementation of `\(self.service.fullName)`."))
        let name = self.service.baseName + "Service"
        printer.block("\(self.access)protocol \(name): \(self.names.rpc("RPCService"))") {
            printer in
            for method in self.service.methods {
                printer.separator()
                printer.comment(
                    method.comment.isEmpty ? ["Answers `\(method.name)`."] : method.comment
                )
                printer.list(
                    "func \(method.swiftName)(",
                    method.serverParameters(self.names) + [
                        "context: \(self.names.rpc("ServerContext"))"
                    ],
                    close: ") async throws" + (method.returnsOne ? " -> \(method.output)" : ""),
                )
            }
        }
    }

    /// Prints the extension that tells the server how to call an implementation; it stands outside
    /// the namespace, as all extensions do.
    func printDispatch(_ printer: inout SwiftPrinter, namespace: String) {
        guard self.parts.contains(.server) else { return }
        let prefix = namespace.isEmpty ? "" : namespace + "."
        printer.line()
        printer.block("extension \(prefix)\(self.service.baseName)Service") { printer in
            printer.line(
                "\(self.access)static var rpcServiceName: \(self.names.swift("String")) { \"\(self.service.fullName)\" }"
            )
            printer.separator()
            printer.block("\(self.access)var rpcMethods: [\(self.names.rpc("RPCServerMethod"))]") {
                printer in
                printer.line("[")
                printer.indented { printer in
                    for method in self.service.methods {
                        self.printClosure(method, prefix, &printer)
                    }
                }
                printer.line("]")
            }
        }
    }

    private func printClosure(
        _ method: MethodModel,
        _ prefix: String,
        _ printer: inout SwiftPrinter,
    ) {
        let place = "\(prefix)\(self.methods).\(method.swiftName)"
        let handed = method.parameters(
            self.names,
            input: method.qualifiedInput,
            output: method.qualifiedOutput,
        )
        let names = handed.map(\.name)
        let parameters = handed.map { "\($0.name): \($0.type)" } + ["context"]
        let result = method.returnsOne ? " -> \(method.qualifiedOutput)" : ""
        let labels = names.enumerated().map { index, name in
            index == 0 ? name : "\(name): \(name)"
        }
        printer.line(".\(method.kind.rawValue)(\(place)) {")
        printer.indented { printer in
            printer.list("(", parameters, close: ")\(result) in")
            printer.list(
                "try await self.\(method.swiftName)(",
                labels + ["context: context"],
                close: ")",
            )
        }
        printer.line("},")
    }
}

extension MethodModel {
    /// Whether the method returns one response rather than writing a stream of them.
    var returnsOne: Bool { self.kind == .unary || self.kind == .clientStreaming }

    /// Parameters of the implementing method before the context.
    func serverParameters(_ names: RuntimeNames) -> [String] {
        self.parameters(names, input: self.input, output: self.output).enumerated().map {
            index,
            parameter in
            (index == 0 ? "_ " : "") + "\(parameter.name): \(parameter.type)"
        }
    }

    /// Names and types of what a handler gets before the context.
    func parameters(
        _ names: RuntimeNames,
        input: String,
        output: String,
    ) -> [(name: String, type: String)] {
        switch self.kind {
        case .unary:
            [("request", input)]
        case .serverStreaming:
            [("request", input), ("responses", "\(names.rpc("RPCWriter"))<\(output)>")]
        case .clientStreaming:
            [("requests", "\(names.rpc("RPCRequestStream"))<\(input)>")]
        case .bidirectional:
            [
                ("requests", "\(names.rpc("RPCRequestStream"))<\(input)>"),
                ("responses", "\(names.rpc("RPCWriter"))<\(output)>"),
            ]
        }
    }
}
