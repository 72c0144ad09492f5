// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a configuration cannot be used.
package enum ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The text is neither YAML nor JSON.
    case malformed(String)
    /// Fields that there are not, or that are there twice.
    case unknownFields([String])
    /// A field has a value of another type.
    case wrongType(path: String, expected: String)
    /// The file is of another kind or version.
    case wrongKind(apiVersion: String, kind: String)
    /// A value that makes no sense.
    case invalid(path: String, String)

    package var description: String {
        switch self {
        case .malformed(let reason):
            return reason
        case .unknownFields(let problems):
            return "strict decoding error: " + problems.joined(separator: ", ")
        case .wrongType(let path, let expected):
            return "\(path): expected \(expected)"
        case .wrongKind(let apiVersion, let kind):
            return "no kind \"\(kind)\" is registered for version \"\(apiVersion)\" in scheme "
                + "\"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme/scheme.go\""
        case .invalid(let path, let detail):
            return "\(path): Invalid value: \(detail)"
        }
    }
}
