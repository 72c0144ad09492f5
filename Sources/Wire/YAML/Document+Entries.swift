// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A key of a mapping with its value.
struct Entry {
    /// Where the key's text is in the text of the document.
    var keyStart: Int
    var keyCount: Int
    /// The node of the value.
    var value: Int
    /// Where the entry stands among those of the mapping.
    var order: Int

    var keyRange: Range<Int> { self.keyStart..<self.keyStart + self.keyCount }
}

/// How the keys of a mapping are ordered.
enum KeyOrder {
    /// By their bytes: Go's JSON.
    case bytes
    /// Letters before other characters and digits by value: goyaml.
    case natural
}

extension Document {
    /// Appends the entries of a mapping, with merged ones, sorted by key; of those with the same text,
    /// the last one stays.
    ///
    /// Keys that are not strings get a text at the end of the document's text.
    mutating func appendEntries(
        ofMapping index: Int,
        to entries: inout [Entry],
        order: KeyOrder
    ) throws(YAMLError) {
        let start = entries.count
        try self.collectEntries(ofMapping: index, to: &entries, from: start)
        self.sort(&entries, from: start)
        if order == .natural {
            // goyaml's order is no order in the strict sense (`10` < `1e` < `2.5` < `10`), so that
            // duplicates have to be out before, and the outcome depends on where this starts from.
            let text = self.text
            entries[start...].sort { compareNaturally(text.span, $0, $1) < 0 }
        }
    }

    /// Appends the entries of a mapping in document order.
    private mutating func collectEntries(
        ofMapping index: Int,
        to entries: inout [Entry],
        from start: Int
    ) throws(YAMLError) {
        // Mappings that are merged into one another; usually just the one. The last is worked on.
        var open = [(next: index + 1, end: Int(self.nodes[index].end))]
        while let (key, end) = open.last {
            guard key < end else {
                open.removeLast()
                continue
            }
            let value = Int(self.nodes[key].end)
            open[open.count - 1].next = Int(self.nodes[value].end)
            if self.hasReferences, self.nodes[key].isMergeKey(text: self.text) {
                for source in try self.mergeSources(value).reversed() {
                    let node = self.nodes[source]
                    let mapping = node.kind == .alias ? Int(node.target) : source
                    open.append((mapping + 1, Int(self.nodes[mapping].end)))
                }
            } else {
                let range = try self.keyText(of: self.dereferenced(key), value: value)
                entries.append(
                    Entry(
                        keyStart: range.lowerBound,
                        keyCount: range.count,
                        value: value,
                        order: entries.count - start
                    )
                )
            }
        }
    }

    /// The text that a key has in JSON.
    private mutating func keyText(
        of node: Node,
        value: Int
    ) throws(YAMLError) -> Range<Int> {
        let start = self.text.count
        switch node.value {
        case .string, .binary:
            return node.textRange
        case .integer:
            self.text.append(contentsOf: String(Int64(bitPattern: node.bits)).utf8)
        case .boolean:
            self.text.append(contentsOf: (node.bits != 0 ? "true" : "false").utf8)
        case .float:
            // In single precision, which is what goyaml writes keys in.
            let number = Double(bitPattern: node.bits)
            self.text.append(contentsOf: goFloatText(Float(number)).utf8)
        case .null, .unsigned, .unresolved:
            let type = node.value == .unsigned ? "uint64" : "%!s(<nil>)"
            let key =
                node.value == .unsigned ? "0x\(String(node.bits, radix: 16))" : "<nil>"
            let syntax = self.goSyntax(of: value, isWhole: true)
            throw .notRepresentable(
                "unsupported map key of type: \(type), key: \(key), value: \(syntax)"
            )
        }
        return start..<self.text.count
    }

    /// Sorts entries by the bytes of their keys and takes out those that a later one overrides.
    private mutating func sort(_ entries: inout [Entry], from start: Int) {
        guard entries.count - start > 1 else { return }
        let text = self.text
        var isSorted = true
        for index in start + 1..<entries.count
        where compareBytes(text.span, entries[index - 1], entries[index]) >= 0 {
            isSorted = false
            break
        }
        guard !isSorted else { return }
        entries[start...].sort { left, right in
            let order = compareBytes(text.span, left, right)
            return order != 0 ? order < 0 : left.order < right.order
        }
        var last = start
        for index in start + 1..<entries.count {
            if compareBytes(text.span, entries[last], entries[index]) != 0 {
                last += 1
            }
            entries[last] = entries[index]
        }
        if last + 1 < entries.count {
            entries.removeLast(entries.count - last - 1)
            self.hasDuplicateKeys = true
        }
    }
}

private func compareBytes(_ text: borrowing Span<UInt8>, _ left: Entry, _ right: Entry) -> Int {
    for index in 0..<min(left.keyCount, right.keyCount) {
        let (first, second) = (text[left.keyStart + index], text[right.keyStart + index])
        if first != second {
            return first < second ? -1 : 1
        }
    }
    return left.keyCount < right.keyCount ? -1 : left.keyCount == right.keyCount ? 0 : 1
}
