// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The check of media types that a route makes before its handler, for built-in kinds.
///
/// Coarser than negotiation: weights and parameters are cut off, and of wildcards only `*/*` is
/// known. Its answers have messages of their own.
///
/// Source: emicklei/go-restful v3 `route.go`, `jsr311.go`; upstream k8s.io/apiserver
/// `pkg/endpoints/installer.go` for the types of each route.
public enum RouteMediaTypes {
    /// The types of routes that answer with one object.
    public static let object = MediaType.names(MediaType.all)

    /// The types of routes that list and watch.
    public static let list = MediaType.names(MediaType.all) + MediaType.streamNames(MediaType.all)

    /// Refuses a request whose client takes none of the types.
    ///
    /// - Parameter contentLength: what the Content-Length field says, or nil without one.
    public static func checkAccept(
        _ accept: String?,
        produces: [String],
        method: String,
        contentLength: Int?
    ) throws(NegotiationError) {
        guard let accept, !accept.isEmpty, !self.contains(accept, produces) else { return }
        let shouldHaveBody = method == "POST" || method == "PUT" || method == "PATCH"
        if shouldHaveBody && (contentLength ?? 0) == 0 {
            throw .routeUnsupportedWithoutBody(produces)
        }
        throw .routeNotAcceptable(produces)
    }

    /// Refuses a patch whose body is in none of the types.
    public static func checkPatch(
        _ contentType: String?,
        accepted: [PatchType]
    ) throws(NegotiationError) {
        guard self.contains(contentType ?? "", accepted.map(\.rawValue)) else {
            throw .routeUnsupportedMediaType
        }
    }

    /// Whether one of the types that a field lists is among the given ones, or is any.
    private static func contains(_ field: String, _ types: [String]) -> Bool {
        var rest = field[...]
        while true {
            let end = rest.utf8.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
            var name = rest[..<end]
            if let semicolon = name.utf8.firstIndex(of: UInt8(ascii: ";")) {
                name = name[..<semicolon]
            }
            while name.utf8.first == 0x20 { name = name.dropFirst() }
            while name.utf8.last == 0x20 { name = name.dropLast() }
            if name == "*/*" || types.contains(where: { $0 == name }) { return true }
            if end == rest.endIndex { return false }
            rest = rest[rest.utf8.index(after: end)...]
            if rest.isEmpty { return false }
        }
    }
}
