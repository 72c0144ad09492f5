// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import JSON
public import KubernetesAPI
public import ObjectModel
public import RequestInfo
public import Scalars

/// Prints objects of one kind as rows of a `meta.k8s.io` Table, for `kubectl get`.
///
/// Source: kubernetes `pkg/printers`, apiserver `pkg/registry/rest/table.go`.
public struct TablePrinter: Sendable {
    let columns: [TableColumn]
    private let isPod: Bool

    /// The printer of a built-in kind, which does not depend on the version.
    public init(group: String, kind: String) {
        self.columns = Self.columns(group: group, kind: kind)
        self.isPod = group.isEmpty && kind == "Pod"
    }

    /// `columnDefinitions`: in a stream of watch events only the first table has them.
    public var columnDefinitions: DynamicValue {
        DynamicValue(self.columns.map(\.definition))
    }

    /// The row of an object.
    ///
    /// - Parameters:
    ///   - tree: the object with `kind` and `apiVersion`.
    ///   - include: what the row carries of the object.
    ///   - now: the time that ages are told at.
    public func row(
        _ tree: DynamicValue,
        include: TableOptions.IncludeObject,
        now: Timestamp
    ) -> DynamicValue {
        let subject = TableSubject(tree, now: now)
        var row = DynamicValue.emptyObject
        row["cells"] = DynamicValue(self.columns.lazy.map { $0.cell(subject) })
        if self.isPod, let conditions = PodSummary.rowConditions(subject) {
            row["conditions"] = conditions
        }
        row["object"] = Self.part(of: tree, include)
        return row
    }

    /// What a row carries of its object.
    private static func part(
        of tree: DynamicValue,
        _ include: TableOptions.IncludeObject
    ) -> DynamicValue {
        switch include {
        case .none: return .null
        case .object: return tree
        case .metadata:
            return [
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                "metadata": tree["metadata"] ?? .emptyObject,
            ]
        }
    }

    /// A whole table.
    ///
    /// - Parameters:
    ///   - rows: those of ``row(_:include:now:)``.
    ///   - metadata: `resourceVersion`, `continue` and `remainingItemCount` of the list.
    ///   - apiVersion: `meta.k8s.io/v1` or `meta.k8s.io/v1beta1`, as it was asked for.
    public func table(
        _ rows: some Sequence<DynamicValue>,
        metadata: MetaV1.ListMeta,
        apiVersion: String = "meta.k8s.io/v1",
        withDefinitions: Bool = true
    ) throws(JSONEncodingError) -> DynamicValue {
        [
            "kind": "Table", "apiVersion": DynamicValue(apiVersion),
            "metadata": try DynamicValue(metadata),
            "columnDefinitions": withDefinitions ? self.columnDefinitions : .emptyList,
            "rows": DynamicValue(rows),
        ]
    }

    /// Whether a value can be a row: tables of other things than objects are refused.
    public static func canPrint(_ object: APIObject) -> Bool { object.hasMetadata }
}
