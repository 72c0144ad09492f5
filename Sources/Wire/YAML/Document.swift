// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One document in memory: nodes in document order, and the text of all scalars in one buffer.
struct Document {
    var nodes: [Node] = []
    /// The text of scalars, one after the other; binary scalars and keys add to its end.
    var text: [UInt8] = []
    /// Whether there are aliases or merge keys: without, each node means itself, once.
    var hasReferences = false
    /// Set by the JSON and YAML writers: whether a mapping had a key twice.
    var hasDuplicateKeys = false

    /// The text of a node, which must not be changed meanwhile.
    @inline(__always)
    func text(of node: Node) -> ArraySlice<UInt8> {
        self.text[node.textRange]
    }

    func string(of node: Node) -> String {
        String(decoding: self.text(of: node), as: UTF8.self)
    }
}

// MARK: - From YAML

extension Document {
    /// Reads the first document of a YAML stream, resolves its scalars, and checks what its aliases
    /// and merge keys refer to.
    init(parsingYAML bytes: UnsafeRawBufferPointer, limits: YAML.Limits) throws(YAMLError) {
        try limits.checkInput(bytes.count)
        if let document = try unsafe Document(parsingYAMLAsJSON: bytes, limits: limits) {
            self = document
            return
        }
        try unsafe limits.checkTagDirectives(of: bytes)
        var builder = try unsafe DocumentBuilder(bytes, limits: limits)
        try builder.build()
        self = builder.finish()
        if self.nodes.isEmpty {
            // No document at all: null.
            self.nodes = [Node(kind: .scalar, isImplicit: true, end: 1)]
        }
        if !self.hasReferences, try self.resolveAll() {
            return
        }
        try self.resolveWithReferences(limits: limits)
    }
}

/// Turns events into nodes.
private struct DocumentBuilder: ~Copyable {
    private var parser: EventParser
    private var document = Document()
    private var anchors: [String: UInt32] = [:]
    /// The collections that are open.
    private var open: [UInt32] = []
    private var tagBytes = 0
    private var flowDepth = 0
    private let limits: YAML.Limits

    init(_ bytes: UnsafeRawBufferPointer, limits: YAML.Limits) throws(YAMLError) {
        self.parser = try unsafe EventParser(bytes)
        self.limits = limits
        self.document.text.reserveCapacity(bytes.count)
        // A guess that is right for most manifests.
        self.document.nodes.reserveCapacity(bytes.count / 12 + 4)
    }

    consuming func finish() -> Document {
        self.document
    }

    mutating func build() throws(YAMLError) {
        while true {
            try self.parser.next()
            switch self.parser.kind {
            case .scalar:
                try self.scalar()
            case .alias:
                try self.alias()
            case .sequenceStart:
                try self.start(.sequence)
            case .mappingStart:
                try self.start(.mapping)
            case .collectionEnd:
                if let index = self.open.popLast() {
                    self.flowDepth -= self.flowDepth > 0 ? 1 : 0
                    self.document.nodes[Int(index)].end = UInt32(self.document.nodes.count)
                }
            case .documentEnd, .streamEnd:
                return
            case .other:
                break
            }
        }
    }

    private mutating func append(_ node: Node) throws(YAMLError) {
        try self.limits.check(
            .nodes,
            self.document.nodes.count + 1,
            maximum: self.limits.nodes
        )
        self.tagBytes += self.parser.tagByteCount
        try self.limits.check(.tagBytes, self.tagBytes, maximum: self.limits.tagBytes)
        if node.kind != .alias, let anchor = self.parser.anchor {
            self.anchors[anchor] = UInt32(self.document.nodes.count)
        }
        self.document.nodes.append(node)
    }

    private mutating func start(_ kind: Node.Kind) throws(YAMLError) {
        try self.limits.check(.depth, self.open.count + 1, maximum: self.limits.depth)
        if self.parser.isFlow {
            // All that is within flow style is flow style.
            self.flowDepth += 1
            try self.limits.check(.flowDepth, self.flowDepth, maximum: self.limits.flowDepth)
        }
        self.open.append(UInt32(self.document.nodes.count))
        try self.append(Node(kind: kind, line: self.parser.line))
    }

    private mutating func scalar() throws(YAMLError) {
        let textStart = self.document.text.count
        let textCount = self.parser.appendText(to: &self.document.text)
        let index = UInt32(self.document.nodes.count)
        var node = Node(
            kind: .scalar,
            tag: self.parser.tag,
            isImplicit: self.parser.isImplicit,
            line: self.parser.line,
            textStart: UInt32(textStart),
            textCount: UInt32(textCount),
            end: index + 1
        )
        if node.tag == .none, !node.isImplicit {
            node.value = .string
        } else if node.isMergeKey(text: self.document.text) {
            self.document.hasReferences = true
        }
        try self.append(node)
    }

    private mutating func alias() throws(YAMLError) {
        let name = self.parser.anchor ?? ""
        guard let target = self.anchors[name] else {
            throw .content("unknown anchor '\(name)' referenced")
        }
        self.document.hasReferences = true
        let textStart = self.document.text.count
        self.document.text.append(contentsOf: name.utf8)
        let index = UInt32(self.document.nodes.count)
        try self.append(
            Node(
                kind: .alias,
                line: self.parser.line,
                textStart: UInt32(textStart),
                textCount: UInt32(self.document.text.count - textStart),
                end: index + 1,
                target: target
            )
        )
    }
}
