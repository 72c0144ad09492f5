// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import JSON

/// A column of a table: its definition, and how the cell of a row is made.
///
/// Source: kubernetes `pkg/printers/internalversion/printers.go`, for names, types and priorities.
package struct TableColumn: Sendable {
    package let name: String
    /// The OpenAPI type of the cells.
    package let type: String
    /// The OpenAPI format of the cells; `name` marks the column of names.
    package let format: String
    /// Above 0 the column is shown in wide output only.
    package let priority: Int
    let cell: @Sendable (TableSubject) -> DynamicValue

    init(
        _ name: String,
        type: String = "string",
        format: String = "",
        priority: Int = 0,
        cell: @escaping @Sendable (TableSubject) -> DynamicValue
    ) {
        self.name = name
        self.type = type
        self.format = format
        self.priority = priority
        self.cell = cell
    }

    /// The definition as a table carries it.
    package var definition: DynamicValue {
        [
            "name": DynamicValue(self.name), "type": DynamicValue(self.type),
            "format": DynamicValue(self.format), "description": DynamicValue(self.description),
            "priority": DynamicValue(self.priority),
        ]
    }

    private var description: String {
        switch (self.name, self.format) {
        case (_, "name"): "The name of the object, unique in its namespace."
        case ("Age", _), ("Created At", _): "When the object was created."
        default: "\(self.name) of the object."
        }
    }
}

// MARK: - Kinds of columns

extension TableColumn {
    /// A column of texts.
    static func text(
        _ name: String,
        wide: Bool = false,
        _ cell: @escaping @Sendable (TableSubject) -> String
    ) -> TableColumn {
        TableColumn(name, priority: wide ? 1 : 0) { DynamicValue(cell($0)) }
    }

    /// A column with a text of the object, or with another one when it has none.
    static func text(
        _ name: String,
        at keys: [String],
        or fallback: String = "",
        wide: Bool = false
    ) -> TableColumn {
        .text(name, wide: wide) { $0.tree.descend(keys)?.filledText ?? fallback }
    }

    /// A column of integers.
    static func integer(
        _ name: String,
        _ cell: @escaping @Sendable (TableSubject) -> Int64
    ) -> TableColumn {
        TableColumn(name, type: "integer") { DynamicValue(cell($0)) }
    }

    /// A column with a number of the object; 0 when it has none.
    static func integer(_ name: String, at keys: [String]) -> TableColumn {
        .integer(name) { $0.tree.descend(keys)?.integer ?? 0 }
    }

    /// A column of truth values of the object.
    static func boolean(
        _ name: String,
        at keys: [String],
        or fallback: Bool = false
    )
        -> TableColumn
    {
        TableColumn(name, type: "boolean") {
            DynamicValue($0.tree.descend(keys)?.bool ?? fallback)
        }
    }

    /// The column with names of objects.
    static let name = TableColumn("Name", format: "name") {
        DynamicValue($0.text("metadata", "name") ?? "")
    }

    /// The column with ages of objects.
    static let age = TableColumn.text("Age") {
        $0.age("metadata", "creationTimestamp") ?? CellText.unknown
    }

    /// Names and images of the containers of a template, and the selector of its pods.
    static func containers(_ keys: [String]) -> [TableColumn] {
        let path = keys + ["spec", "containers"]
        return [
            .text("Containers", wide: true) { subject in
                (subject.tree.descend(path) ?? .emptyList).items
                    .map { $0["name"]?.string ?? "" }.joined(separator: ",")
            },
            .text("Images", wide: true) { subject in
                (subject.tree.descend(path) ?? .emptyList).items
                    .map { $0["image"]?.string ?? "" }.joined(separator: ",")
            },
        ]
    }

    /// The selector of a workload, as wide output shows it.
    static func selector(_ keys: [String]) -> TableColumn {
        .text("Selector", wide: true) { CellText.selector($0.tree.descend(keys)) }
    }
}
