// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers

/// What a machine joins a cluster with: `abcdef.0123456789abcdef`. The part before the dot names it,
/// the part after it is secret.
///
/// Source: upstream `staging/src/k8s.io/cluster-bootstrap/token`.
public struct JoinToken: Sendable, Hashable, CustomStringConvertible {
    public let id: String
    public let secret: String

    private static let idLength = 6
    private static let secretLength = 16
    private static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz")

    /// Nil when the text is no token.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, Self.isID(parts[0]), parts[1].count == Self.secretLength,
            Self.isPlain(parts[1])
        else { return nil }
        self.id = parts[0]
        self.secret = parts[1]
    }

    /// A new one.
    ///
    /// - Parameter generator: has to be one whose numbers nobody can guess.
    public init(from generator: inout some RandomNumberGenerator) {
        func text(_ length: Int) -> String {
            String((0..<length).compactMap { _ in Self.alphabet.randomElement(using: &generator) })
        }
        self.id = text(Self.idLength)
        self.secret = text(Self.secretLength)
    }

    /// A new one, from the system's random numbers.
    public init() {
        var generator = SystemRandomNumberGenerator()
        self.init(from: &generator)
    }

    public var description: String { "\(self.id).\(self.secret)" }

    /// Whether a text is the public part of a token.
    public static func isID(_ text: String) -> Bool {
        text.count == self.idLength && self.isPlain(text)
    }

    private static func isPlain(_ text: String) -> Bool {
        text.allSatisfy { self.alphabet.contains($0) }
    }

    /// The signature that the cluster makes of a text with this token.
    func signature(of text: String) -> String {
        BootstrapToken(id: self.id, secret: self.secret).signature(of: text)
    }
}
