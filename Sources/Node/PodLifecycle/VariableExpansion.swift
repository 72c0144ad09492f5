// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Expands `$(NAME)` as Kubernetes does in commands, arguments, values of variables and
/// `subPathExpr`: `$$` is a dollar sign, a name that is not known stays as it is.
///
/// Source: upstream `k8s.io/kubernetes/third_party/forked/golang/expansion`.
package enum VariableExpansion {
    /// The text with its references replaced.
    ///
    /// - Parameter value: the value of a name; nil when it has none.
    package static func expand(_ text: String, _ value: (String) -> String?) -> String {
        let bytes = Array(text.utf8)
        guard bytes.contains(UInt8(ascii: "$")) else { return text }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count else {
                result.append(bytes[index])
                index += 1
                continue
            }
            switch bytes[index + 1] {
            case UInt8(ascii: "$"):
                result.append(UInt8(ascii: "$"))
                index += 2
            case UInt8(ascii: "("):
                guard let end = bytes[(index + 2)...].firstIndex(of: UInt8(ascii: ")")) else {
                    result += [UInt8(ascii: "$"), UInt8(ascii: "(")]
                    index += 2
                    continue
                }
                let name = String(decoding: bytes[(index + 2)..<end], as: UTF8.self)
                result += Array((value(name) ?? "$(\(name))").utf8)
                index = end + 1
            default:
                result += bytes[index...(index + 1)]
                index += 2
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Names that `text` refers to and that have no value.
    package static func missing(in text: String, _ value: (String) -> String?) -> [String] {
        var names: [String] = []
        _ = Self.expand(text) { name in
            let found = value(name)
            if found == nil { names.append(name) }
            return found ?? ""
        }
        return names
    }
}
