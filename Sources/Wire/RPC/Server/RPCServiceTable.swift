// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import RPCInterface

/// The methods that a server has, by their path.
public struct RPCServiceTable: Sendable {
    private var methods: [String: RPCServerMethod] = [:]

    /// The full names of the services, in the order of their registration.
    public private(set) var serviceNames: [String] = []

    /// A table of services. A later service replaces an earlier one of the same name.
    public init(_ services: [any RPCService] = []) {
        for service in services { self.register(service) }
    }

    /// Adds a service.
    public mutating func register(_ service: any RPCService) {
        let name = type(of: service).rpcServiceName
        if !self.serviceNames.contains(name) { self.serviceNames.append(name) }
        for method in service.rpcMethods { self.methods[method.method.path] = method }
    }

    /// The method with exactly this path.
    public subscript(path: String) -> RPCServerMethod? { self.methods[path] }

    /// The method with this path.
    ///
    /// There is one reading of a path: a slash, a service that is registered, a slash, one of its
    /// methods, compared byte by byte. Everything else is `UNIMPLEMENTED`, so what is authorized by
    /// path is what is called (grpc-go CVE-2026-33186).
    ///
    /// - Throws: `UNIMPLEMENTED`.
    func method(at path: String) throws(RPCError) -> RPCServerMethod {
        if let method = self.methods[path] { return method }
        let parts = path.utf8.split(
            separator: UInt8(ascii: "/"),
            omittingEmptySubsequences: false
        )
        guard parts.count == 3, parts[0].isEmpty, !parts[1].isEmpty, !parts[2].isEmpty else {
            throw RPCError(code: .unimplemented, message: "malformed method name: \"\(path)\"")
        }
        let service = String(Substring(parts[1]))
        guard self.serviceNames.contains(service) else {
            throw RPCError(code: .unimplemented, message: "unknown service \(service)")
        }
        throw RPCError(
            code: .unimplemented,
            message: "unknown method \(Substring(parts[2])) for service \(service)"
        )
    }
}
