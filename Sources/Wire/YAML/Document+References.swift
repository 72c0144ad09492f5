// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Document {
    /// Resolves a document with aliases and merge keys: walks it as goyaml's decoder does, replacing
    /// aliases by what they stand for, so that it counts the same nodes.
    mutating func resolveWithReferences(limits: YAML.Limits) throws(YAMLError) {
        var walker = ReferenceWalker(limits: limits)
        try walker.visit(0, of: &self)
    }
}

/// Walks with a stack of its own: how deep a document nests is no matter of the thread's stack.
private struct ReferenceWalker {
    private enum Task {
        case visit(Int)
        case checkKey(Int)
        case leaveCollection
        case leaveAlias(Int)
    }

    private let limits: YAML.Limits
    private var tasks: [Task] = []
    /// goyaml counts the document, too.
    private var nodes = 1
    private var aliasedNodes = 0
    /// The aliases that are being followed.
    private var activeAliases: Set<Int> = []
    private var depth = 0

    init(limits: YAML.Limits) {
        self.limits = limits
    }

    mutating func visit(_ root: Int, of document: inout Document) throws(YAMLError) {
        self.tasks.append(.visit(root))
        while let task = self.tasks.popLast() {
            switch task {
            case .visit(let index):
                try self.enter(index, of: &document)
            case .checkKey(let index):
                try document.checkKey(index)
            case .leaveCollection:
                self.depth -= 1
            case .leaveAlias(let index):
                self.activeAliases.remove(index)
            }
        }
    }

    /// Counts a node and plans what is below it.
    private mutating func enter(_ index: Int, of document: inout Document) throws(YAMLError) {
        self.nodes += 1
        if !self.activeAliases.isEmpty {
            self.aliasedNodes += 1
        }
        if YAML.AliasLimits.isExceeded(nodes: self.nodes, aliasedNodes: self.aliasedNodes) {
            throw .content("document contains excessive aliasing")
        }
        let node = document.nodes[index]
        switch node.kind {
        case .scalar:
            try document.resolve(index)
        case .alias:
            guard self.activeAliases.insert(index).inserted else {
                throw .content("anchor '\(document.string(of: node))' value contains itself")
            }
            self.tasks.append(.leaveAlias(index))
            self.tasks.append(.visit(Int(node.target)))
        case .sequence, .mapping:
            self.depth += 1
            try self.limits.check(.depth, self.depth, maximum: self.limits.depth)
            self.tasks.append(.leaveCollection)
            let first = self.tasks.count
            try self.planChildren(of: index, in: document)
            self.tasks[first...].reverse()
        }
    }

    /// Appends what is to be done for the children, the first one first.
    private mutating func planChildren(
        of index: Int,
        in document: Document
    ) throws(YAMLError) {
        let node = document.nodes[index]
        var child = index + 1
        while child < node.end {
            let next = Int(document.nodes[child].end)
            guard node.kind == .mapping else {
                self.tasks.append(.visit(child))
                child = next
                continue
            }
            if document.nodes[child].isMergeKey(text: document.text) {
                for source in try document.mergeSources(next) {
                    self.tasks.append(.visit(source))
                }
            } else {
                self.tasks.append(.visit(child))
                self.tasks.append(.checkKey(child))
                self.tasks.append(.visit(next))
            }
            child = Int(document.nodes[next].end)
        }
    }
}

extension Document {
    /// The mappings, or aliases of mappings, that a merge key's value names, in the order in which
    /// they are merged: the last one first, as the earlier ones take precedence.
    func mergeSources(_ value: Int) throws(YAMLError) -> [Int] {
        var sources: [Int] = []
        if self.nodes[value].kind == .sequence {
            var child = value + 1
            while child < self.nodes[value].end {
                sources.append(child)
                child = Int(self.nodes[child].end)
            }
            sources.reverse()
        } else {
            sources = [value]
        }
        for source in sources where self.dereferenced(source).kind != .mapping {
            throw .content("map merge requires map or sequence of maps as the value")
        }
        return sources
    }
}
