// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
public import GRPCServices
import Protobuf
public import RPCInterface

/// `grpc.reflection.v1.ServerReflection`: tells clients which services there are, and their schema.
///
/// Source: gRPC `doc/server-reflection.md`.
public struct ServerReflection: Reflection.ServerReflectionService {
    private let provider: any ReflectionProvider

    /// Reflection on what `provider` knows.
    public init(_ provider: any ReflectionProvider) { self.provider = provider }

    public func serverReflectionInfo(
        _ requests: RPCRequestStream<Reflection.ServerReflectionRequest>,
        responses: RPCWriter<Reflection.ServerReflectionResponse>,
        context: ServerContext
    ) async throws {
        for try await request in requests {
            var response = Reflection.ServerReflectionResponse()
            response.validHost = request.host
            response.originalRequest = request
            response.messageResponse = self.answer(request)
            try await responses.write(response)
        }
    }

    private func answer(
        _ request: Reflection.ServerReflectionRequest
    ) -> Reflection.ServerReflectionResponse.OneOfMessageResponse {
        switch request.messageRequest {
        case .fileByFilename(let name):
            return Self.files(self.provider.files(named: name), "file \(name)")
        case .fileContainingSymbol(let symbol):
            return Self.files(self.provider.files(declaring: symbol), "symbol \(symbol)")
        case .fileContainingExtension(let request):
            return Self.files(
                self.provider.files(
                    extending: request.containingType,
                    number: request.extensionNumber
                ),
                "extension \(request.extensionNumber) of \(request.containingType)"
            )
        case .allExtensionNumbersOfType(let type):
            guard let numbers = self.provider.extensionNumbers(of: type) else {
                return Self.notFound("message \(type)")
            }
            return .allExtensionNumbersResponse(
                .with { response in
                    response.baseTypeName = type
                    for number in numbers { response.extensionNumber.append(number) }
                }
            )
        case .listServices:
            let names = self.provider.serviceNames
            return .listServicesResponse(
                .with { response in
                    for name in names { response.service.append(.with { $0.name = name }) }
                }
            )
        case nil:
            return .errorResponse(
                .with { response in
                    response.errorCode = Int32(RPCStatusCode.invalidArgument.rawValue)
                    response.errorMessage = "the request asks for nothing"
                }
            )
        }
    }

    private static func files(
        _ files: [[UInt8]]?,
        _ what: String
    ) -> Reflection.ServerReflectionResponse.OneOfMessageResponse {
        guard let files else { return self.notFound(what) }
        return .fileDescriptorResponse(
            .with { response in
                for file in files { response.fileDescriptorProto.append(Bytes(file)) }
            }
        )
    }

    private static func notFound(
        _ what: String
    ) -> Reflection.ServerReflectionResponse.OneOfMessageResponse {
        .errorResponse(
            .with { response in
                response.errorCode = Int32(RPCStatusCode.notFound.rawValue)
                response.errorMessage = "there is no \(what)"
            }
        )
    }
}

/// ``ServerReflection`` under the name that older clients ask for,
/// `grpc.reflection.v1alpha.ServerReflection`; the messages are the same.
public struct ServerReflectionAlpha: RPCService {
    public static let rpcServiceName = "grpc.reflection.v1alpha.ServerReflection"

    private let service: ServerReflection

    /// Reflection on what `provider` knows.
    public init(_ provider: any ReflectionProvider) { self.service = ServerReflection(provider) }

    public var rpcMethods: [RPCServerMethod] {
        let method = RPCMethod(
            service: Self.rpcServiceName,
            name: "ServerReflectionInfo",
            kind: .bidirectional
        )
        return [
            .bidirectional(method) {
                (
                    requests: RPCRequestStream<Reflection.ServerReflectionRequest>,
                    responses: RPCWriter<Reflection.ServerReflectionResponse>,
                    context
                ) in
                try await self.service.serverReflectionInfo(
                    requests,
                    responses: responses,
                    context: context
                )
            }
        ]
    }
}
