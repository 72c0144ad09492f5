// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// A condition on the labels and the name of nodes, made ready for comparing rows.
///
/// Source: upstream `k8s.io/component-helpers/scheduling/corev1/nodeaffinity`.
package struct NodeTermMatcher {
    private enum Condition {
        /// The label's number is one of these.
        case isIn(LabelColumn, [Int32])
        case notIn(LabelColumn, [Int32])
        case exists(LabelColumn)
        case doesNotExist(LabelColumn)
        case greater(LabelColumn, Int64)
        case less(LabelColumn, Int64)
        case nameIsIn([String])
        case nameNotIn([String])
        case never
    }

    private var conditions: [Condition] = []
    /// The only nodes that can match, by name; nil when the term does not say.
    package private(set) var names: [String]?

    /// The matcher of a term. A term without conditions, or with one that makes no sense, matches
    /// no node.
    package init(_ term: CoreV1.NodeSelectorTerm, _ cluster: Cluster) {
        for expression in term.matchExpressions {
            self.conditions.append(
                Self.condition(
                    expression.key,
                    expression.operator,
                    Array(expression.values),
                    cluster
                )
            )
        }
        for field in term.matchFields {
            guard field.key == "metadata.name", field.values.count == 1 else {
                self.conditions.append(.never)
                continue
            }
            let values = Array(field.values)
            switch field.operator {
            case "In":
                self.conditions.append(.nameIsIn(values))
                self.names = self.names.map { $0.filter(values.contains) } ?? values
            case "NotIn":
                self.conditions.append(.nameNotIn(values))
            default:
                self.conditions.append(.never)
            }
        }
        if self.conditions.isEmpty { self.conditions = [.never] }
    }

    private static func condition(
        _ key: String,
        _ comparison: String,
        _ values: [String],
        _ cluster: Cluster
    ) -> Condition {
        let column = cluster.labelColumn(key)
        switch comparison {
        case "In":
            return values.isEmpty ? .never : .isIn(column, values.compactMap(column.number(of:)))
        case "NotIn":
            return values.isEmpty ? .never : .notIn(column, values.compactMap(column.number(of:)))
        case "Exists":
            return values.isEmpty ? .exists(column) : .never
        case "DoesNotExist":
            return values.isEmpty ? .doesNotExist(column) : .never
        case "Gt", "Lt":
            guard values.count == 1, let bound = Int64(values[0]) else { return .never }
            return comparison == "Gt" ? .greater(column, bound) : .less(column, bound)
        default:
            return .never
        }
    }

    /// Whether the node in a row matches.
    package func matches(_ row: Int, _ cluster: Cluster) -> Bool {
        self.conditions.allSatisfy { Self.holds($0, row, cluster) }
    }

    private static func holds(_ condition: Condition, _ row: Int, _ cluster: Cluster) -> Bool {
        switch condition {
        case .isIn(let column, let numbers): return numbers.contains(column.numbers[row])
        case .notIn(let column, let numbers): return !numbers.contains(column.numbers[row])
        case .exists(let column): return column.numbers[row] != 0
        case .doesNotExist(let column): return column.numbers[row] == 0
        case .greater(let column, let bound):
            guard let value = column.value(row).flatMap(Int64.init) else { return false }
            return value > bound
        case .less(let column, let bound):
            guard let value = column.value(row).flatMap(Int64.init) else { return false }
            return value < bound
        case .nameIsIn(let names): return names.contains(cluster.names[row])
        case .nameNotIn(let names): return !names.contains(cluster.names[row])
        case .never: return false
        }
    }
}

/// What a pod demands of nodes: its node selector and its required node affinity.
package struct RequiredNodeMatcher {
    private let labels: [(column: LabelColumn, number: Int32?)]
    private let terms: [NodeTermMatcher]?

    package init(_ spec: CoreV1.PodSpec, _ cluster: Cluster) {
        self.labels = spec.nodeSelector.map { key, value in
            let column = cluster.labelColumn(key)
            return (column, column.number(of: value))
        }
        self.terms = Self.terms(
            spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
            cluster
        )
    }

    /// The demand of a node affinity alone.
    package init(_ affinity: CoreV1.NodeAffinity, _ cluster: Cluster) {
        self.labels = []
        self.terms = Self.terms(affinity.requiredDuringSchedulingIgnoredDuringExecution, cluster)
    }

    /// The demand of a node selector, such as a volume has; nil matches every node.
    package init(_ selector: CoreV1.NodeSelector?, _ cluster: Cluster) {
        self.labels = []
        self.terms = Self.terms(selector, cluster)
    }

    private static func terms(
        _ selector: CoreV1.NodeSelector?,
        _ cluster: Cluster
    ) -> [NodeTermMatcher]? {
        selector?.nodeSelectorTerms.map { NodeTermMatcher($0, cluster) }
    }

    /// Whether every node matches.
    package var isEmpty: Bool { self.labels.isEmpty && self.terms == nil }

    /// The only nodes that can match, by name, when each term names some.
    package var names: Set<String>? {
        guard let terms, !terms.isEmpty else { return nil }
        var names: Set<String> = []
        for term in terms {
            guard let some = term.names else { return nil }
            names.formUnion(some)
        }
        return names
    }

    /// Whether the node in a row matches.
    package func matches(_ row: Int, _ cluster: Cluster) -> Bool {
        for (column, number) in self.labels
        where number == nil || column.numbers[row] != number {
            return false
        }
        guard let terms else { return true }
        return terms.contains { $0.matches(row, cluster) }
    }
}
