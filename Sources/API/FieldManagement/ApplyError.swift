// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
public import ObjectModel
import Protobuf

/// Why a configuration is not applied.
public enum ApplyError: Error, Sendable, Equatable {
    /// Others own fields that the configuration would change.
    case conflicts([Conflict])
    /// The configuration is not one: it has `managedFields`, or another version than the path.
    case badRequest(String)
    /// The configuration does not fit its type.
    case untypable(String)

    /// A field that another manager owns.
    public struct Conflict: Sendable, Equatable {
        /// As messages show the manager: `"kubectl" using apps/v1`.
        public let manager: String
        public let path: String

        public init(manager: String, path: String) {
            self.manager = manager
            self.path = path
        }
    }
}

extension ApplyError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badRequest(let message), .untypable(let message): message
        case .conflicts(let conflicts): Self.message(conflicts)
        }
    }

    /// Source: apimachinery `pkg/util/managedfields/internal/conflict.go`.
    private static func message(_ conflicts: [Conflict]) -> String {
        if conflicts.count == 1, let only = conflicts.first {
            return "Apply failed with 1 conflict: conflict with \(only.manager): \(only.path)"
        }
        var groups: [(manager: String, paths: [String])] = []
        for conflict in conflicts {
            if let index = groups.firstIndex(where: { $0.manager == conflict.manager }) {
                groups[index].paths.append(conflict.path)
            } else {
                groups.append((conflict.manager, [conflict.path]))
            }
        }
        let lines = groups.sorted { $0.manager < $1.manager }.map { group in
            (["conflicts with \(group.manager):"] + group.paths.map { "- \($0)" })
                .joined(separator: "\n")
        }
        return "Apply failed with \(conflicts.count) conflicts: "
            + lines.joined(separator: "\n")
    }

    /// What the client is told.
    public var statusError: StatusError {
        switch self {
        case .badRequest(let message): return .badRequest(message)
        case .untypable(let message): return StatusError(.unknown, code: 500, message)
        case .conflicts(let conflicts):
            let details = MetaV1.StatusDetails.with { details in
                for conflict in conflicts {
                    details.causes.append(
                        .with {
                            $0.reason = "FieldManagerConflict"
                            $0.message = "conflict with \(conflict.manager)"
                            $0.field = conflict.path
                        }
                    )
                }
            }
            return StatusError(.conflict, code: 409, self.description, details: details)
        }
    }
}
