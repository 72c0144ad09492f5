// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A request method (RFC 9110 section 9), case-sensitive.
public struct HTTPMethod: Hashable, Sendable, CustomStringConvertible {
    /// The method as it stands on the wire.
    public let name: String

    private init(unchecked name: String) {
        self.name = name
    }

    /// A method from its token; nil when it is not a token or longer than
    /// ``maximumByteCount``.
    public init?(_ name: String) {
        guard !name.isEmpty, name.utf8.count <= Self.maximumByteCount,
            name.utf8.allSatisfy(FieldSyntax.isToken)
        else { return nil }
        self.name = name
    }

    /// The longest method that is accepted.
    public static var maximumByteCount: Int { 32 }

    public var description: String { self.name }

    public static var connect: HTTPMethod { HTTPMethod(unchecked: "CONNECT") }
    public static var delete: HTTPMethod { HTTPMethod(unchecked: "DELETE") }
    public static var get: HTTPMethod { HTTPMethod(unchecked: "GET") }
    public static var head: HTTPMethod { HTTPMethod(unchecked: "HEAD") }
    public static var options: HTTPMethod { HTTPMethod(unchecked: "OPTIONS") }
    public static var patch: HTTPMethod { HTTPMethod(unchecked: "PATCH") }
    public static var post: HTTPMethod { HTTPMethod(unchecked: "POST") }
    public static var put: HTTPMethod { HTTPMethod(unchecked: "PUT") }
    public static var trace: HTTPMethod { HTTPMethod(unchecked: "TRACE") }
}
