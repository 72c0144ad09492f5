// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A condition on labels: all of its requirements, or nothing at all.
///
/// A value: requirements in the order of their keys. An empty selector matches everything;
/// ``nothing`` matches nothing, which is what an absent `LabelSelector` object means.
///
/// Source: upstream k8s.io/apimachinery 0.36 `pkg/labels/selector.go`.
public struct LabelSelector: Sendable, Hashable {
    /// The longest text of a selector that is read, in bytes: as much as fits into the headers of
    /// a request.
    public static let maximumTextBytes = 1 << 20

    /// The requirements, sorted by key.
    public let requirements: [LabelRequirement]

    /// Whether the selector matches no labels at all, whatever they are.
    public let matchesNothing: Bool

    /// The selector of those requirements, all of which must hold.
    public init(_ requirements: [LabelRequirement]) {
        self.requirements = requirements.count < 2 ? requirements : Self.sorted(requirements)
        self.matchesNothing = false
    }

    private init(matchesNothing: Bool) {
        self.requirements = []
        self.matchesNothing = matchesNothing
    }

    /// Matches all labels.
    public static let everything = LabelSelector(matchesNothing: false)

    /// Matches no labels.
    public static let nothing = LabelSelector(matchesNothing: true)

    /// Whether the selector matches all labels.
    public var isEmpty: Bool { self.requirements.isEmpty && !self.matchesNothing }

    /// Adds requirements.
    public func adding(_ requirements: [LabelRequirement]) -> LabelSelector {
        self.matchesNothing ? self : LabelSelector(self.requirements + requirements)
    }

    /// The one value that a label must have for the selector to match, or nil when several may do.
    ///
    /// What an index of objects by that label is asked for. As upstream, only the first
    /// requirement on the key is looked at.
    public func requiredValue(of key: String) -> String? {
        for requirement in self.requirements where requirement.key == key {
            return requirement.requiredValue
        }
        return nil
    }

    /// By key, in the order of bytes; requirements on the same key stay in their order.
    private static func sorted(_ requirements: [LabelRequirement]) -> [LabelRequirement] {
        let inOrder = zip(requirements, requirements.dropFirst()).allSatisfy { left, right in
            !right.key.utf8.lexicographicallyPrecedes(left.key.utf8)
        }
        if inOrder { return requirements }
        return requirements.enumerated()
            .sorted { left, right in
                if left.element.key.utf8.elementsEqual(right.element.key.utf8) {
                    return left.offset < right.offset
                }
                return left.element.key.utf8.lexicographicallyPrecedes(right.element.key.utf8)
            }
            .map(\.element)
    }
}

extension LabelSelector: CustomStringConvertible {
    /// The text, which reads back as the same selector: `app=web,tier in (a,b),!old`.
    public var description: String {
        self.requirements.map(\.description).joined(separator: ",")
    }
}
