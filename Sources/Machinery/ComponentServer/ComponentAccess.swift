// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A request for a page that is not open to everybody.
public struct ComponentRequest: Sendable {
    public var path: String
    /// The method in lower case, as authorizers name it.
    public var verb: String
    /// Common name of the verified client certificate; nil without one.
    public var certificateUser: String?
    /// Organizations of that certificate.
    public var certificateGroups: [String] = []
    public var bearerToken: String?
}

/// What a component answers to a request for a page.
public enum ComponentDecision: Sendable, Hashable {
    case allow
    /// Nobody knows who asks.
    case unauthorized
    /// Whoever asks may not.
    case forbidden(String)
}

/// Decides who may see a component's pages.
public protocol ComponentAccess: Sendable {
    func decide(_ request: ComponentRequest) async -> ComponentDecision
}

/// Everybody may: for listeners on loopback.
public struct OpenAccess: ComponentAccess {
    public init() {}
    public func decide(_ request: ComponentRequest) async -> ComponentDecision { .allow }
}
