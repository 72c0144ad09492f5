// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A media type in which the API server reads or writes objects.
///
/// Source: WIRE facts; upstream k8s.io/apimachinery `pkg/runtime/types.go`.
public enum MediaType: String, Sendable, Hashable, CaseIterable {
    case json = "application/json"
    case yaml = "application/yaml"
    case protobuf = "application/vnd.kubernetes.protobuf"

    /// The type before the slash.
    public var type: String { "application" }

    /// The type after the slash.
    public var subtype: String {
        switch self {
        case .json: "json"
        case .yaml: "yaml"
        case .protobuf: "vnd.kubernetes.protobuf"
        }
    }

    /// Whether watch events can be written in it.
    public var hasStream: Bool { self != .yaml }

    /// The media type of an answer that is a watch in it.
    public var streamContentType: String {
        switch self {
        case .json: "application/json"
        case .yaml: "application/yaml"
        case .protobuf: "application/vnd.kubernetes.protobuf;stream=watch"
        }
    }

    /// The types in upstream's order, which decides when a client takes any.
    public static let all: [MediaType] = [.json, .yaml, .protobuf]

    /// The names of the types, as messages list them.
    public static func names(_ types: [MediaType]) -> [String] {
        types.map(\.rawValue)
    }

    /// The names of the streamed types, as messages list them.
    public static func streamNames(_ types: [MediaType]) -> [String] {
        types.filter(\.hasStream).map { $0.rawValue + ";stream=watch" }
    }
}
