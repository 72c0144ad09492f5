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
        let step: PathElement
        /// The place itself is in the set.
        var isMember = false
        var below = FieldSet()

        var isEmpty: Bool { !self.isMember && self.below.isEmpty }
    }

    /// In the order of their steps. None is empty.
    private(set) var nodes: [Node] = []

    public init() {}

    public var isEmpty: Bool { self.nodes.isEmpty }

    /// The place of a step among the nodes, or where it belongs.
    private func search(_ step: PathElement) -> (index: Int, isFound: Bool) {
        // Sets grow at their end as long as steps come in order.
        guard let last = self.nodes.last else { return (0, false) }
        let order = last.step.order(to: step)
        if order < 0 { return (self.nodes.count, false) }
        var low = 0
        var high = self.nodes.count - 1
        if order == 0 { return (high, true) }
        while low < high {
            let middle = (low + high) / 2
            let order = self.nodes[middle].step.order(to: step)
            if order == 0 { return (middle, true) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return (low, false)
    }

    private func node(_ step: PathElement) -> Node? {
        let (index, isFound) = self.search(step)
        return isFound ? self.nodes[index] : nil
    }

    /// Puts a node in the place of the one with its step.
    private mutating func put(_ node: Node) {
        let (index, isFound) = self.search(node.step)
        switch (isFound, node.isEmpty) {
        case (true, true): self.nodes.remove(at: index)
        case (true, false): self.nodes[index] = node
        case (false, true): break
        case (false, false): self.nodes.insert(node, at: index)
        }
    }

    /// Adds a place.
    public mutating func insert(_ path: [PathElement]) {
        self.insert(path[...])
    }

    private mutating func insert(_ path: ArraySlice<PathElement>) {
        guard let step = path.first else { return }
        var node = self.node(step) ?? Node(step: step)
        if path.count == 1 {
            node.isMember = true
        } else {
            node.below.insert(path.dropFirst())
        }
        self.put(node)
    }

    /// Whether a place is in the set.
    public func contains(_ path: [PathElement]) -> Bool {
        var set = self
        for step in path.dropLast() {
            guard let next = set.node(step)?.below else { return false }
            set = next
        }
        return path.last.map { set.hasMember($0) } ?? false
    }

    /// Whether the step itself is in the set.
    func hasMember(_ step: PathElement) -> Bool { self.node(step)?.isMember ?? false }

    /// What lies below a step.
    func below(_ step: PathElement) -> FieldSet { self.node(step)?.below ?? FieldSet() }

    mutating func addMember(_ step: PathElement) {
        self.put(Node(step: step, isMember: true, below: self.below(step)))
    }

    mutating func setBelow(_ step: PathElement, _ set: FieldSet) {
        self.put(Node(step: step, isMember: self.hasMember(step), below: set))
    }

    /// Adds a step behind all others.
    mutating func append(_ step: PathElement, isMember: Bool, below: FieldSet) {
        let node = Node(step: step, isMember: isMember, below: below)
        if !node.isEmpty { self.nodes.append(node) }
    }
}

// MARK: - Algebra

extension FieldSet {
    /// Makes a set of each step that is in either set, in their order.
    private func merged(
        _ other: FieldSet,
        _ merge: (_ mine: Node?, _ theirs: Node?) -> Node?
    ) -> FieldSet {
        var result = FieldSet()
        var left = self.nodes[...]
        var right = other.nodes[...]
        while left.first != nil || right.first != nil {
            let order =
                switch (left.first, right.first) {
                case (let mine?, let theirs?): mine.step.order(to: theirs.step)
                case (_?, nil): -1
                default: 1
                }
            let mine = order <= 0 ? left.popFirst() : nil
            let theirs = order >= 0 ? right.popFirst() : nil
            if let node = merge(mine, theirs), !node.isEmpty { result.nodes.append(node) }
        }
        return result
    }

    /// The places that are in either.
    public func union(_ other: FieldSet) -> FieldSet {
        if self.isEmpty { return other }
        if other.isEmpty { return self }
        return self.merged(other) { mine, theirs in
            guard var node = mine, let theirs else { return mine ?? theirs }
            node.isMember = node.isMember || theirs.isMember
            node.below = node.below.union(theirs.below)
            return node
        }
    }

    /// The places that are in both.
    public func intersection(_ other: FieldSet) -> FieldSet {
        if self.isEmpty || other.isEmpty { return FieldSet() }
        return self.merged(other) { mine, theirs in
            guard var node = mine, let theirs else { return nil }
            node.isMember = node.isMember && theirs.isMember
            node.below = node.below.intersection(theirs.below)
            return node
        }
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
        if self.isEmpty || other.isEmpty { return self }
        return self.merged(other) { mine, theirs in
            guard var node = mine, let theirs else { return mine }
            if isRecursive, theirs.isMember { return nil }
            node.isMember = node.isMember && !theirs.isMember
            node.below = node.below.subtracting(theirs.below, withWhatIsBelow: isRecursive)
            return node
        }
    }

    /// Whether no place is in both.
    func isDisjoint(with other: FieldSet) -> Bool {
        var left = self.nodes[...]
        var right = other.nodes[...]
        while let mine = left.first, let theirs = right.first {
            let order = mine.step.order(to: theirs.step)
            if order == 0 {
                if mine.isMember && theirs.isMember { return false }
                if !mine.below.isDisjoint(with: theirs.below) { return false }
            }
            if order <= 0 { left.removeFirst() }
            if order >= 0 { right.removeFirst() }
        }
        return true
    }

    /// Whether all places of the other are in this.
    func isSuperset(of other: FieldSet) -> Bool {
        var left = self.nodes[...]
        for theirs in other.nodes {
            while let mine = left.first, mine.step.order(to: theirs.step) < 0 { left.removeFirst() }
            guard let mine = left.first, mine.step.order(to: theirs.step) == 0,
                mine.isMember || !theirs.isMember, mine.below.isSuperset(of: theirs.below)
            else { return false }
        }
        return true
    }

    /// The places, in order.
    public var paths: [[PathElement]] {
        var result: [[PathElement]] = []
        self.collect([], into: &result)
        return result
    }

    private func collect(_ prefix: [PathElement], into result: inout [[PathElement]]) {
        for node in self.nodes {
            let path = prefix + [node.step]
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
        self.nodes.reserveCapacity(tree.count)
        for (key, value) in tree.entries where key != "." {
            guard let step = PathElement(parsing: key) else {
                if key.utf8.count >= 2, key.utf8.dropFirst().first == UInt8(ascii: ":") {
                    continue
                }
                return nil
            }
            if value.kind != .object { return nil }
            if value.count == 0 {
                // An empty object is the place alone.
                self.put(Node(step: step, isMember: true))
                continue
            }
            guard let below = FieldSet(fieldsV1: value, depth: depth + 1) else { return nil }
            // A dot stands for the place beside others.
            self.put(Node(step: step, isMember: value["."] != nil, below: below))
        }
    }

    /// The form in `fieldsV1`.
    public var fieldsV1: DynamicValue {
        (try? DynamicValue(json: self.fieldsV1JSON)) ?? .emptyObject
    }

    /// The text in `fieldsV1`.
    public var fieldsV1JSON: [UInt8] {
        var writer = JSONWriter(capacity: 512)
        self.write(isMember: false, to: &writer)
        return writer.bytes
    }

    private func write(isMember: Bool, to writer: inout JSONWriter) {
        var isFirst = true
        writer.append(raw: "{")
        if isMember, !self.isEmpty {
            writer.append(raw: "\".\":{}")
            isFirst = false
        }
        for node in self.nodes {
            if !isFirst { writer.append(raw: ",") }
            isFirst = false
            if case .field(let name) = node.step {
                writer.append(prefix: "f:", string: name)
            } else {
                writer.append(string: node.step.encoded)
            }
            writer.append(raw: ":")
            node.below.write(isMember: node.isMember, to: &writer)
        }
        writer.append(raw: "}")
    }
}
