// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// An API group with its versions.
public struct APIGroup: Sendable {
    /// Empty is the core group.
    public let name: String
    public let preferredVersion: String
    public let versions: [Version]

    public struct Version: Sendable {
        public let name: String
        /// `groupPriorityMinimum` of its APIService; nil where upstream has none.
        public let groupPriority: Int?
        /// `versionPriority` of its APIService.
        public let priority: Int?
        public let isServedByDefault: Bool

        init(
            _ name: String,
            groupPriority: Int?,
            priority: Int?,
            isServedByDefault: Bool = true
        ) {
            self.name = name
            self.groupPriority = groupPriority
            self.priority = priority
            self.isServedByDefault = isServedByDefault
        }
    }

    init(_ name: String, preferred: String, versions: [Version]) {
        self.name = name
        self.preferredVersion = preferred
        self.versions = versions
    }

    /// `v1`, `apps/v1`
    public static func apiVersion(_ group: String, _ version: String) -> String {
        group.isEmpty ? version : "\(group)/\(version)"
    }
}
