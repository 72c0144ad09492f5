// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

extension TablePrinter {
    /// The columns of kinds that have none of their own.
    static let defaultColumns: [TableColumn] = [
        .name,
        TableColumn("Created At", type: "date") {
            $0["metadata", "creationTimestamp"] ?? "<unknown>"
        },
    ]

    private static let kinds: [String: [TableColumn]] = [
        Self.core, Self.workloads, Self.networking, Self.storage, Self.policies, Self.machinery,
        Self.devices,
    ].reduce(into: [:]) { all, some in all.merge(some) { first, _ in first } }

    /// The columns of a kind.
    static func columns(group: String, kind: String) -> [TableColumn] {
        self.kinds[group.isEmpty ? kind : "\(kind).\(group)"] ?? self.defaultColumns
    }
}
