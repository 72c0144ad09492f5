// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Descriptors
import GRPCServices
import Protobuf
import RPCInterface

/// Where the tool learns of a schema.
protocol SchemaSource: Sendable {
    /// The full names of the services.
    func serviceNames() async throws -> [String]

    /// The file that declares a symbol, and all that it imports.
    func files(declaring symbol: String) async throws -> [FileDescriptor]
}

/// A schema from files.
struct GivenSchema: SchemaSource {
    private let files: [FileDescriptor]

    init(_ files: [FileDescriptor]) { self.files = files }

    func serviceNames() async throws -> [String] {
        self.files.flatMap { file in file.services.map { SchemaName.join(file.package, $0.name) } }
    }

    func files(declaring symbol: String) async throws -> [FileDescriptor] { self.files }
}

/// A schema from the server's reflection, `v1` or what came before it.
struct ReflectedSchema: SchemaSource {
    let channel: any RPCChannel
    let options: CallOptions

    private typealias Request = Reflection.ServerReflectionRequest
    private typealias Response = Reflection.ServerReflectionResponse

    /// Files that are asked for at most, one by one, when a server sends a file without its imports.
    private static let maximumFiles = 4096

    func serviceNames() async throws -> [String] {
        let response = try await self.ask { $0.listServices = "*" }
        return response.listServicesResponse.service.map(\.name)
    }

    func files(declaring symbol: String) async throws -> [FileDescriptor] {
        var files: [String: FileDescriptor] = [:]
        var missing: [String] = []
        func add(_ response: Response) throws {
            for bytes in response.fileDescriptorResponse.fileDescriptorProto {
                let file: FileDescriptor
                do {
                    file = try FileDescriptor(parsing: Array(bytes)).addingJSONNames()
                } catch {
                    throw RPCTool.Failure.schema("\(error)")
                }
                files[file.name] = file
                missing += file.dependencies
            }
        }
        try add(try await self.askForFile(declaring: symbol))
        while let name = missing.popLast() {
            guard files[name] == nil else { continue }
            guard files.count < Self.maximumFiles else {
                throw RPCTool.Failure.schema("more than \(Self.maximumFiles) files")
            }
            try add(try await self.ask { $0.fileByFilename = name })
            guard files[name] != nil else {
                throw RPCTool.Failure.schema("the server does not have \(name)")
            }
        }
        return Array(files.values)
    }

    /// Some servers know services and messages only, and not what is in them.
    private func askForFile(declaring symbol: String) async throws -> Response {
        do {
            return try await self.ask { $0.fileContainingSymbol = symbol }
        } catch RPCTool.Failure.unknownSymbol {
            guard let dot = symbol.lastIndex(of: ".") else {
                throw RPCTool.Failure.unknownSymbol(symbol)
            }
            do {
                return try await self.ask { $0.fileContainingSymbol = String(symbol[..<dot]) }
            } catch RPCTool.Failure.unknownSymbol {
                throw RPCTool.Failure.unknownSymbol(symbol)
            }
        }
    }

    private func ask(_ build: (inout Request) -> Void) async throws -> Response {
        var request = Request()
        build(&request)
        var response: Response?
        for version in ["v1", "v1alpha"] where response == nil {
            do {
                response = try await self.ask(request, version)
            } catch let error as RPCError where error.code == .unimplemented {
                continue
            }
        }
        guard let response else { throw RPCTool.Failure.noReflection }
        if case .errorResponse(let error) = response.messageResponse {
            guard error.errorCode != Int32(RPCStatusCode.notFound.rawValue) else {
                throw RPCTool.Failure.unknownSymbol(
                    request.fileContainingSymbol.isEmpty
                        ? request.fileByFilename : request.fileContainingSymbol
                )
            }
            throw RPCError(
                code: RPCStatusCode(rawValue: Int(error.errorCode)),
                message: error.errorMessage
            )
        }
        return response
    }

    private func ask(_ request: Request, _ version: String) async throws -> Response? {
        let method = RPCMethod(
            service: "grpc.reflection.\(version).ServerReflection",
            name: "ServerReflectionInfo",
            kind: .bidirectional
        )
        let call: RPCBidirectionalCall<Request, Response> = try await self.channel.bidirectional(
            method,
            options: self.options
        )
        try? await call.write(request)
        let response = try await call.responses.next()
        call.finishRequests()
        return response
    }
}
