// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Document {
    /// Resolves all scalars of a document without aliases and merge keys.
    ///
    /// - Returns: false when a key is a collection, which a slower walk has to describe.
    mutating func resolveAll() throws(YAMLError) -> Bool {
        for index in self.nodes.indices {
            switch self.nodes[index].kind {
            case .scalar:
                try self.resolve(index)
            case .mapping:
                guard self.hasScalarKeys(index) else { return false }
            case .sequence, .alias:
                break
            }
        }
        return true
    }

    private func hasScalarKeys(_ mapping: Int) -> Bool {
        var key = mapping + 1
        while key < self.nodes[mapping].end {
            guard self.nodes[key].kind == .scalar else { return false }
            key = Int(self.nodes[key + 1].end)
        }
        return true
    }

    /// Finds out the type and value of a scalar, once.
    mutating func resolve(_ index: Int) throws(YAMLError) {
        let node = self.nodes[index]
        guard node.value == .unresolved else { return }
        switch node.tag {
        case .string, .other, .merge:
            self.nodes[index].value = .string
        case .binary:
            try self.decodeBinary(index)
        case .none:
            let resolution = ScalarResolution(
                resolving: self.text.span.extracting(node.textRange)
            )
            self.nodes[index].value = resolution.type
            self.nodes[index].bits = resolution.bits
        case .boolean, .integer, .float, .null, .timestamp:
            let resolution = try self.taggedResolution(of: node)
            self.nodes[index].value = resolution.type
            self.nodes[index].bits = resolution.bits
        }
    }

    /// The resolution of a scalar that must be what its tag says.
    private func taggedResolution(of node: Node) throws(YAMLError) -> ScalarResolution {
        let text = self.text.span.extracting(node.textRange)
        let resolution = ScalarResolution(
            resolving: text,
            mayBeTimestamp: node.tag == .timestamp
        )
        let (actual, wanted) = (resolution.tag, node.tag)
        if actual == wanted {
            return resolution
        }
        if wanted == .float, resolution.type == .integer {
            return .float(Double(Int64(bitPattern: resolution.bits)))
        }
        throw .content(
            "cannot decode \(actual.shortName) `\(self.string(of: node))` as a \(wanted.shortName)"
        )
    }

    /// Refuses a collection as key.
    func checkKey(_ index: Int) throws(YAMLError) {
        let node = self.dereferenced(index)
        guard node.kind != .scalar else { return }
        throw .content("invalid map key: \(self.goSyntax(of: index))")
    }

    /// The node itself, or the one an alias stands for.
    func dereferenced(_ index: Int) -> Node {
        let node = self.nodes[index]
        return node.kind == .alias ? self.nodes[Int(node.target)] : node
    }

    /// Replaces the text of a `!!binary` scalar by its bytes.
    private mutating func decodeBinary(_ index: Int) throws(YAMLError) {
        let start = self.text.count
        var group: UInt32 = 0
        var digits = 0
        var padding = 0
        for position in self.nodes[index].textRange {
            let byte = self.text[position]
            // Go's decoder reads over line breaks.
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                continue
            }
            if byte == UInt8(ascii: "="), digits % 4 >= 2, padding < 2 {
                padding += 1
                digits += 1
                group <<= 6
            } else if padding == 0, let value = base64Value(byte) {
                digits += 1
                group = group << 6 | value
            } else {
                throw .content("!!binary value contains invalid base64 data")
            }
            if digits % 4 == 0 {
                let bytes = [group >> 16, group >> 8, group].map(UInt8.init(truncatingIfNeeded:))
                self.text.append(contentsOf: bytes.prefix(3 - padding))
                group = 0
                if padding > 0 {
                    // More may not follow; more padding may not, either.
                    padding = 2
                }
            }
        }
        guard digits % 4 == 0 else {
            throw .content("!!binary value contains invalid base64 data")
        }
        self.nodes[index].value = .binary
        self.nodes[index].textStart = UInt32(start)
        self.nodes[index].textCount = UInt32(self.text.count - start)
    }
}

extension ScalarResolution {
    /// The tag that a scalar of this type has.
    fileprivate var tag: Node.Tag {
        switch self.type {
        case .null: .null
        case .boolean: .boolean
        case .integer, .unsigned: .integer
        case .float: .float
        case .string, .binary, .unresolved: self.isTimestamp ? .timestamp : .string
        }
    }
}

extension Node.Tag {
    /// The tag as error messages have it.
    fileprivate var shortName: String {
        switch self {
        case .string: "!!str"
        case .boolean: "!!bool"
        case .integer: "!!int"
        case .float: "!!float"
        case .null: "!!null"
        case .timestamp: "!!timestamp"
        case .binary: "!!binary"
        case .merge: "!!merge"
        case .none, .other: ""
        }
    }
}

private func base64Value(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
}
