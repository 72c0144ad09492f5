// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a kubeconfig cannot be used.
public enum KubeconfigError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A file could not be read: its path and why.
    case file(path: String, reason: String)
    /// The text is no kubeconfig.
    case malformed(String)
    /// It refers to a context, cluster or user that it does not have.
    case missing(kind: String, name: String)
    /// It asks for something that is not supported.
    case unsupported(String)
    /// Its certificates or keys cannot be used.
    case tls(String)

    public var description: String {
        switch self {
        case .file(let path, let reason): "\(path): \(reason)"
        case .malformed(let reason): "invalid kubeconfig: \(reason)"
        case .missing(let kind, let name): "kubeconfig: no \(kind) named \"\(name)\""
        case .unsupported(let what): "kubeconfig: \(what) is not supported"
        case .tls(let reason): "kubeconfig: \(reason)"
        }
    }
}
