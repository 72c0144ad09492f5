// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Document {
    /// The most bytes of keys that are collected: aliases could multiply a long key a hundred times.
    static let maximumDuplicateKeyBytes = 1 << 18

    /// The keys that a mapping has had before, in the order in which goyaml's strict decoder meets
    /// them: document order, once for each time that an alias leads there, merged keys included.
    func duplicateKeys() -> [YAML.DuplicateKey] {
        var finder = DuplicateKeyFinder()
        finder.visit(0, of: self)
        return finder.found
    }
}

private struct DuplicateKeyFinder {
    /// Keys as Go compares them: by type and value.
    private enum Key: Hashable {
        case null
        case boolean(Bool)
        case integer(Int64)
        case unsigned(UInt64)
        case float(Double)
        case text(ArraySlice<UInt8>)
    }

    /// What is left to do, the last one first.
    private enum Task {
        case visit(Int)
        /// The entry of a mapping, after its value was visited.
        case entry(key: Int, value: Int)
        case merge(Int)
        case leaveMapping
    }

    private(set) var found: [YAML.DuplicateKey] = []
    private var keyBytes = 0
    private var tasks: [Task] = []
    /// The keys of the mappings around.
    private var keys: [Set<Key>] = []

    mutating func visit(_ root: Int, of document: Document) {
        self.tasks.append(.visit(root))
        while let task = self.tasks.popLast() {
            switch task {
            case .visit(let index):
                self.enter(index, of: document)
            case .entry(let key, let value):
                let scalar = document.dereferenced(key)
                let level = self.keys.count - 1
                if !self.keys[level].insert(self.key(of: scalar, in: document)).inserted {
                    self.report(scalar, line: document.nodes[value].line, of: document)
                }
            case .merge(let mapping):
                self.planEntries(ofMapping: mapping, of: document)
            case .leaveMapping:
                self.keys.removeLast()
            }
        }
    }

    private mutating func enter(_ index: Int, of document: Document) {
        let node = document.nodes[index]
        switch node.kind {
        case .scalar:
            break
        case .alias:
            self.tasks.append(.visit(Int(node.target)))
        case .sequence:
            let first = self.tasks.count
            var child = index + 1
            while child < node.end {
                self.tasks.append(.visit(child))
                child = Int(document.nodes[child].end)
            }
            self.tasks[first...].reverse()
        case .mapping:
            self.keys.append([])
            self.tasks.append(.leaveMapping)
            self.planEntries(ofMapping: index, of: document)
        }
    }

    private mutating func planEntries(ofMapping index: Int, of document: Document) {
        let first = self.tasks.count
        var key = index + 1
        while key < document.nodes[index].end {
            let value = Int(document.nodes[key].end)
            if document.nodes[key].isMergeKey(text: document.text) {
                // What cannot be merged has been refused before.
                for source in (try? document.mergeSources(value)) ?? [] {
                    let node = document.nodes[source]
                    self.tasks.append(.merge(node.kind == .alias ? Int(node.target) : source))
                }
            } else {
                self.tasks.append(.visit(value))
                self.tasks.append(.entry(key: key, value: value))
            }
            key = Int(document.nodes[value].end)
        }
        self.tasks[first...].reverse()
    }

    private mutating func report(_ key: Node, line: UInt32, of document: Document) {
        guard self.keyBytes < Document.maximumDuplicateKeyBytes else { return }
        let syntax = document.goSyntax(ofScalar: key)
        self.keyBytes += syntax.utf8.count + 1
        // A key that is null has no type to print.
        let text = key.value == .null ? "<nil>" : syntax
        self.found.append(YAML.DuplicateKey(line: Int(line) + 1, key: text))
    }

    private func key(of node: Node, in document: Document) -> Key {
        switch node.value {
        case .null, .unresolved: .null
        case .boolean: .boolean(node.bits != 0)
        case .integer: .integer(Int64(bitPattern: node.bits))
        case .unsigned: .unsigned(node.bits)
        case .float: .float(Double(bitPattern: node.bits))
        case .string, .binary: .text(document.text(of: node))
        }
    }
}
