// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Protobuf
package import Selectors

/// The labels of an object, few and in the order of their keys: faster to search than a dictionary.
package struct LabelSet: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// A label.
    package struct Label: Sendable, Hashable {
        package let key: String
        package let value: String
    }

    package let labels: [Label]

    /// The labels of a map field, which are sorted already.
    package init(_ labels: MapField<String, String>) {
        self.labels = labels.map { Label(key: $0.key, value: $0.value) }
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        self.labels = elements.sorted { $0.0 < $1.0 }.map { Label(key: $0.0, value: $0.1) }
    }

    /// The value of a label.
    package subscript(key: String) -> String? {
        for label in self.labels where label.key == key { return label.value }
        return nil
    }
}

extension LabelSelector {
    /// Whether the labels meet all requirements.
    package func matches(_ labels: LabelSet) -> Bool {
        self.matches { labels[$0] }
    }
}
