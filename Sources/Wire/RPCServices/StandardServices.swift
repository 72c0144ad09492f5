// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import GRPCServices
public import Protobuf
public import RPCInterface

/// A component's services with what every server of ours has beside them: health, and reflection in
/// both its versions.
///
/// ```swift
/// let standard = StandardServices([MyEcho()], files: [EchoProto.file])
/// let server = try await RPCServer.start(on: endpoint, services: standard.all, group: group)
/// ...
/// standard.health.shutDown()
/// ```
public struct StandardServices: Sendable {
    /// The component's services, health and reflection.
    public let all: [any RPCService]

    /// Says how the services are; all of them serve from the start.
    public let health: HealthStatusService

    private static let files = [
        GrpcHealthV1HealthProto.file, GrpcReflectionV1ReflectionProto.file,
    ]

    /// - Parameters:
    ///   - services: the component's own.
    ///   - files: the schema files that declare them, as generated code lists them in
    ///     `<Module>Schemas.files` or names them in `<File>Proto.file`.
    public init(_ services: [any RPCService], files: [FileSchema]) {
        let health = HealthStatusService()
        let own = services.map { type(of: $0).rpcServiceName }
        for name in own { health.set(.serving, for: name) }
        let catalog = ReflectionCatalog(
            files: files + Self.files,
            serviceNames: own + [
                HealthStatusService.rpcServiceName, ServerReflection.rpcServiceName,
            ]
        )
        self.health = health
        self.all = services + [health, ServerReflection(catalog), ServerReflectionAlpha(catalog)]
    }
}
