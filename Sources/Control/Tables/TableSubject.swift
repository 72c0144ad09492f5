// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import JSON
package import Scalars
import Selectors

/// The object of a row, with the readings that cells are made of.
package struct TableSubject: Sendable {
    /// The object as its JSON says it.
    package let tree: DynamicValue
    /// The time that ages are told at.
    package let now: Timestamp

    package init(_ tree: DynamicValue, now: Timestamp) {
        self.tree = tree
        self.now = now
    }

    /// A value inside the object.
    subscript(_ keys: String...) -> DynamicValue? { self.tree.descend(keys) }

    /// A text inside the object; nil when it is absent or empty.
    func text(_ keys: String...) -> String? { self.tree.descend(keys)?.filledText }

    /// A number inside the object; 0 when it is absent.
    func number(_ keys: String...) -> Int64 { self.tree.descend(keys)?.integer ?? 0 }

    /// The items of a list inside the object.
    func items(_ keys: String...) -> DynamicValue.Items {
        (self.tree.descend(keys) ?? .emptyList).items
    }

    /// The time that has passed since one inside the object; nil when it is absent.
    func age(_ keys: String...) -> String? { self.age(self.tree.descend(keys)) }

    /// The time that has passed since a time of JSON; nil when there is none.
    func age(_ time: DynamicValue?) -> String? {
        time?.timestamp.map { HumanDuration.text(from: $0, to: self.now) }
    }

    var isDeleting: Bool { self["metadata", "deletionTimestamp"]?.timestamp != nil }

    func annotation(_ key: String) -> String? { self.text("metadata", "annotations", key) }

    /// The condition of a type.
    func condition(_ type: String, in keys: String...) -> DynamicValue? {
        (self.tree.descend(keys) ?? .emptyList).items.first { $0["type"]?.string == type }
    }

    /// Whether the condition of a type in `status.conditions` is true.
    func isTrue(_ type: String) -> Bool {
        self.condition(type, in: "status", "conditions")?["status"]?.string == "True"
    }
}

extension DynamicValue {
    /// The value at the end of keys.
    func descend(_ keys: [String]) -> DynamicValue? {
        var value = self
        for key in keys {
            guard let next = value[key] else { return nil }
            value = next
        }
        return value
    }

    /// The string when it is not empty.
    var filledText: String? {
        guard let text = self.string, !text.isEmpty else { return nil }
        return text
    }

    /// The text of a string or an integer, such as an `IntOrString`.
    var anyText: String? { self.string ?? self.integer.map { "\($0)" } }

    /// The point in time that a string is.
    var timestamp: Timestamp? {
        guard let text = self.filledText else { return nil }
        return (try? Timestamp(parsing: text, as: .time))
            ?? (try? Timestamp(parsing: text, as: .nanoseconds))
    }

    /// The texts of a list.
    var texts: [String] { self.items.compactMap(\.string) }
}

// MARK: - Texts of parts

/// How parts of objects are written in cells.
enum CellText {
    static let none = "<none>"
    static let unset = "<unset>"
    static let unknown = "<unknown>"
    static let pending = "<pending>"

    /// `a=b,c=d`, sorted; `<none>` when empty.
    static func labels(_ map: DynamicValue?) -> String {
        let pairs = (map ?? .emptyObject).entries.map { "\($0.key)=\($0.value.string ?? "")" }
        return pairs.isEmpty ? self.none : pairs.joined(separator: ",")
    }

    /// The text of a `LabelSelector` object; `nil` when it is none.
    static func selectorText(_ object: DynamicValue?) -> String? {
        guard let object else { return "" }
        let labels = (object["matchLabels"] ?? .emptyObject).entries.map {
            (key: $0.key, value: $0.value.string ?? "")
        }
        let expressions = (object["matchExpressions"] ?? .emptyList).items.map {
            LabelSelector.Expression(
                key: $0["key"]?.string ?? "",
                operator: $0["operator"]?.string ?? "",
                values: $0["values"]?.texts ?? []
            )
        }
        return (try? LabelSelector(matchLabels: labels, matchExpressions: expressions))?
            .description
    }

    /// The text of a `LabelSelector` object; `<none>` when it selects everything or nothing.
    static func selector(_ object: DynamicValue?) -> String {
        guard let text = self.selectorText(object) else { return "<error>" }
        return text.isEmpty ? self.none : text
    }

    /// The first texts, and how many more there are.
    static func first(_ limit: Int, of texts: [String], separator: String = ",") -> String {
        let shown = texts.prefix(limit).joined(separator: separator)
        return texts.count > limit ? "\(shown) + \(texts.count - limit) more..." : shown
    }

    /// `RWO,ROX`
    static func accessModes(_ modes: DynamicValue?) -> String {
        let given = Set((modes ?? .emptyList).texts)
        return [
            ("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"),
            ("ReadWriteOncePod", "RWOP"),
        ].filter { given.contains($0.0) }.map(\.1).joined(separator: ",")
    }

    /// `True` or `False`.
    static func flag(_ value: Bool) -> String { value ? "True" : "False" }

    /// `job.batch/nightly`, lower case.
    static func reference(
        _ type: String,
        group: String,
        namespace: String?,
        _ name: String
    )
        -> String
    {
        let qualified = group.isEmpty ? type : "\(type).\(group)"
        let place = namespace.map { "\($0)/" } ?? ""
        return "\(qualified.lowercased())/\(place)\(name)"
    }
}
