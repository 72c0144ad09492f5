// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Whether JSON goes out with line breaks, for people to read.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/negotiation/negotiate.go`.
public enum PrettyPrinting {
    /// Whether the query or the client asks for it.
    ///
    /// - Parameters:
    ///   - pretty: the first value of the query parameter `pretty`, or nil. When it is not empty it
    ///     decides, and what is no truth value is false.
    ///   - userAgent: the User-Agent field; tools for people get line breaks by default.
    public static func isWanted(pretty: String?, userAgent: String?) -> Bool {
        if let pretty, !pretty.isEmpty {
            return ["1", "t", "T", "true", "TRUE", "True"].contains(pretty)
        }
        guard let agent = userAgent?.utf8 else { return false }
        return agent.starts(with: "curl".utf8) || agent.starts(with: "Wget".utf8)
            || agent.starts(with: "Mozilla/5.0".utf8)
    }
}
