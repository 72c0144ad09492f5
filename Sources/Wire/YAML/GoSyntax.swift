// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Document {
    /// The most bytes of a value that an error message shows.
    static let maximumSyntaxBytes = 1024

    /// A node in Go's syntax, as `%#v` prints it in upstream's messages. Long values are cut.
    ///
    /// - Parameter isWhole: whether the value is an argument of its own, so that null is `<nil>`.
    func goSyntax(of index: Int, isWhole: Bool = false) -> String {
        let node = self.dereferenced(index)
        if isWhole, node.value == .null {
            return "<nil>"
        }
        var out = ""
        self.appendGoSyntax(of: index, to: &out, depth: 0)
        return out
    }

    private func appendGoSyntax(of index: Int, to out: inout String, depth: Int) {
        // Aliases can make a value much larger than the document, or endless.
        guard out.utf8.count < Document.maximumSyntaxBytes, depth < 32 else {
            out += "..."
            return
        }
        let node = self.nodes[index]
        switch node.kind {
        case .alias:
            self.appendGoSyntax(of: Int(node.target), to: &out, depth: depth + 1)
        case .scalar:
            out += self.goSyntax(ofScalar: node)
        case .sequence:
            out += "[]interface {}{"
            var child = index + 1
            while child < node.end {
                out += child > index + 1 ? ", " : ""
                self.appendGoSyntax(of: child, to: &out, depth: depth + 1)
                child = Int(self.nodes[child].end)
            }
            out += "}"
        case .mapping:
            out += "map[interface {}]interface {}{"
            var key = index + 1
            while key < node.end {
                let value = Int(self.nodes[key].end)
                out += key > index + 1 ? ", " : ""
                self.appendGoSyntax(of: key, to: &out, depth: depth + 1)
                out += ":"
                self.appendGoSyntax(of: value, to: &out, depth: depth + 1)
                key = Int(self.nodes[value].end)
            }
            out += "}"
        }
    }

    /// A resolved scalar in Go's syntax.
    func goSyntax(ofScalar node: Node) -> String {
        switch node.value {
        case .null: "interface {}(nil)"
        case .boolean: node.bits != 0 ? "true" : "false"
        case .integer: String(Int64(bitPattern: node.bits))
        case .unsigned: "0x" + String(node.bits, radix: 16)
        case .float: goFloatSyntax(Double(bitPattern: node.bits))
        case .string, .binary, .unresolved: goQuoted(self.text(of: node))
        }
    }
}

private func goFloatSyntax(_ value: Double) -> String {
    if !value.isFinite {
        return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf"
    }
    return goFloatText(value)
}

/// A string in Go's syntax (`strconv.Quote`), cut to `Document.maximumSyntaxBytes`.
func goQuoted(_ text: ArraySlice<UInt8>) -> String {
    var out = "\""
    var rest = text.prefix(Document.maximumSyntaxBytes)
    while let first = rest.first {
        var decoder = UTF8()
        var bytes = rest.makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&bytes),
            scalar != "\u{FFFD}" || first == 0xEF
        else {
            out += "\\x" + hexadecimal(UInt32(first), digits: 2)
            rest = rest.dropFirst()
            continue
        }
        out += goEscaped(scalar)
        rest = rest.dropFirst(UTF8.width(scalar))
    }
    return out + (text.count > Document.maximumSyntaxBytes ? "...\"" : "\"")
}

private func goEscaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\u{7}": return "\\a"
    case "\u{8}": return "\\b"
    case "\u{C}": return "\\f"
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    case "\u{B}": return "\\v"
    default: break
    }
    if isPrintableInGo(scalar) {
        return String(Character(scalar))
    }
    if scalar.value < 0x80 {
        return "\\x" + hexadecimal(scalar.value, digits: 2)
    }
    return scalar.value < 0x10000
        ? "\\u" + hexadecimal(scalar.value, digits: 4)
        : "\\U" + hexadecimal(scalar.value, digits: 8)
}

/// Letters, marks, numbers, punctuation, symbols, and the ASCII space.
private func isPrintableInGo(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
        return (0x20..<0x7F).contains(scalar.value)
    }
    return switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator,
        .lineSeparator, .paragraphSeparator:
        false
    default:
        true
    }
}

private func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
