// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import JSON

/// A set of places in an object.
///
/// A place may be in the set without what is below it, and the other way round: `spec.replicas` does
/// not bring `spec`.
public struct FieldSet: Sendable, Equatable {
    /// What lies at and below a step.
    struct Node: Sendable, Equatable {
        /// The place itself is in the set.
        var isMember = false
        var below = FieldSet()

        var isEmpty: Bool { !self.isMember && self.below.isEmpty }
    }

    private(set) var nodes: [PathElement: Node] = [:]

    public init() {}

    public var isEmpty: Bool { self.nodes.isEmpty }

    /// Adds a place.
    public mutating func insert(_ path: [PathElement]) {
        self.insert(path[...])
    }

    private mutating func insert(_ path: ArraySlice<PathElement>) {
        guard let step = path.first else { return }
        if path.count == 1 {
            self.nodes[step, default: Node()].isMember = true
        } else {
            self.nodes[step, default: Node()].below.insert(path.dropFirst())
        }
    }

    /// Whether a place is in the set.
    public func contains(_ path: [PathElement]) -> Bool {
        var set = self
        for step in path.dropLast() {
            guard let next = set.nodes[step]?.below else { return false }
            set = next
        }
        return path.last.flatMap { set.nodes[$0]?.isMember } ?? false
    }

    /// Whether the step itself is in the set.
    func hasMember(_ step: PathElement) -> Bool { self.nodes[step]?.isMember ?? false }

    /// What lies below a step.
    func below(_ step: PathElement) -> FieldSet { self.nodes[step]?.below ?? FieldSet() }

    mutating func addMember(_ step: PathElement) {
        self.nodes[step, default: Node()].isMember = true
    }

    mutating func setBelow(_ step: PathElement, _ set: FieldSet) {
        if set.isEmpty {
            self.nodes[step]?.below = FieldSet()
            if self.nodes[step]?.isEmpty == true { self.nodes[step] = nil }
        } else {
            self.nodes[step, default: Node()].below = set
        }
    }
}

// MARK: - Algebra

extension FieldSet {
    /// The places that are in either.
    public func union(_ other: FieldSet) -> FieldSet {
        if self.isEmpty { return other }
        if other.isEmpty { return self }
        var result = self
        for (step, node) in other.nodes {
            var merged = result.nodes[step] ?? Node()
            merged.isMember = merged.isMember || node.isMember
            merged.below = merged.below.union(node.below)
            result.nodes[step] = merged
        }
        return result
    }

    /// The places that are in both.
    public func intersection(_ other: FieldSet) -> FieldSet {
        var result = FieldSet()
        for (step, node) in self.nodes {
            guard let theirs = other.nodes[step] else { continue }
            let both = Node(
                isMember: node.isMember && theirs.isMember,
                below: node.below.intersection(theirs.below)
            )
            if !both.isEmpty { result.nodes[step] = both }
        }
        return result
    }

    /// The places that are in this and not in the other.
    public func subtracting(_ other: FieldSet) -> FieldSet {
        self.subtracting(other, withWhatIsBelow: false)
    }

    /// The places that are in this, and neither in the other nor below a place that is.
    public func subtractingRecursively(_ other: FieldSet) -> FieldSet {
        self.subtracting(other, withWhatIsBelow: true)
    }

    private func subtracting(_ other: FieldSet, withWhatIsBelow isRecursive: Bool) -> FieldSet {
        if other.isEmpty { return self }
        var result = FieldSet()
        for (step, node) in self.nodes {
            guard let theirs = other.nodes[step] else {
                result.nodes[step] = node
                continue
            }
            if isRecursive, theirs.isMember { continue }
            let rest = Node(
                isMember: node.isMember && !theirs.isMember,
                below: node.below.subtracting(theirs.below, withWhatIsBelow: isRecursive)
            )
            if !rest.isEmpty { result.nodes[step] = rest }
        }
        return result
    }

    /// The places, in order.
    public var paths: [[PathElement]] {
        var result: [[PathElement]] = []
        self.collect([], into: &result)
        return result
    }

    private func collect(_ prefix: [PathElement], into result: inout [[PathElement]]) {
        for (step, node) in self.nodes.sorted(by: { $0.key < $1.key }) {
            let path = prefix + [step]
            if node.isMember { result.append(path) }
            node.below.collect(path, into: &result)
        }
    }
}

// MARK: - fieldsV1

extension FieldSet {
    /// How deep a set may go; objects are not deeper.
    static let maximumDepth = 500

    /// Reads `fieldsV1`; nil when it is malformed. Steps of unknown kinds are left out, as upstream
    /// does.
    public init?(fieldsV1 tree: DynamicValue) {
        self.init(fieldsV1: tree, depth: 0)
    }

    private init?(fieldsV1 tree: DynamicValue, depth: Int) {
        guard tree.kind == .object, depth < Self.maximumDepth else { return nil }
        for (key, value) in tree.entries where key != "." {
            guard let step = PathElement(parsing: key) else {
                if key.count >= 2, key.dropFirst().first == ":" { continue }
                return nil
            }
            if value.kind != .object { return nil }
            guard let below = FieldSet(fieldsV1: value, depth: depth + 1) else { return nil }
            // An empty object is the place alone; a dot stands for it beside others.
            let isMember = value.count == 0 || value["."] != nil
            self.nodes[step] = Node(isMember: isMember, below: below)
        }
    }

    /// The form in `fieldsV1`.
    public var fieldsV1: DynamicValue {
        var tree = DynamicValue.emptyObject
        for (step, node) in self.nodes {
            var value = node.below.fieldsV1
            if node.isMember && !node.below.isEmpty { value["."] = .emptyObject }
            tree[step.encoded] = value
        }
        return tree
    }
}
