// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The place of a field in an object: `spec.containers[0].image`.
///
/// A value of names, indexes and keys. Walking down with ``push(_:)`` and ``pop()`` allocates
/// nothing once the path has its depth; ``child(_:)`` and its kin make a new path.
///
/// The empty path is upstream's nil path and shows as `<nil>`.
///
/// Source: upstream k8s.io/apimachinery `pkg/util/validation/field/path.go`.
public struct FieldPath: Sendable, Hashable {
    /// One step from a field to another.
    public enum Component: Sendable, Hashable {
        /// A member of an object.
        case name(String)
        /// An item of a list.
        case index(Int)
        /// A value of a map.
        case key(String)
    }

    /// The steps from the root.
    public private(set) var components: [Component]

    /// The empty path.
    public init() {
        self.components = []
    }

    /// The path of names from the root.
    public init(_ names: String...) {
        self.components = names.map { .name($0) }
    }

    /// Whether the path has no steps.
    public var isEmpty: Bool { self.components.isEmpty }

    /// The path of a member, or of its member, and so on.
    public func child(_ names: String...) -> FieldPath {
        var path = self
        for name in names { path.push(.name(name)) }
        return path
    }

    /// The path of an item.
    public func index(_ index: Int) -> FieldPath {
        var path = self
        path.push(.index(index))
        return path
    }

    /// The path of a value in a map.
    public func key(_ key: String) -> FieldPath {
        var path = self
        path.push(.key(key))
        return path
    }

    /// Steps down.
    public mutating func push(_ component: Component) {
        self.components.append(component)
    }

    /// Steps back up; does nothing at the root.
    public mutating func pop() {
        _ = self.components.popLast()
    }
}

extension FieldPath: CustomStringConvertible {
    public var description: String {
        if self.components.isEmpty { return "<nil>" }
        var text = ""
        for (offset, component) in self.components.enumerated() {
            switch component {
            case .name(let name):
                if offset > 0 { text += "." }
                text += name
            case .index(let index):
                text += "[\(index)]"
            case .key(let key):
                text += "[\(key)]"
            }
        }
        return text
    }
}

extension FieldPath: ExpressibleByStringLiteral {
    /// The path of one name from the root.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}
