// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a text could not be converted. The descriptions are upstream's where upstream has one.
public enum YAMLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text is no YAML. Line and column count from one; the description has the line that
    /// upstream names, which is one less in places.
    case syntax(line: Int, column: Int, problem: String, description: String)
    /// The text is YAML, but its meaning is not to be found: an unknown anchor, a value that is not
    /// of its tag, too many aliases.
    case content(String)
    /// Keys occur more than once.
    case duplicateKeys([YAML.DuplicateKey])
    /// The value has no JSON form: infinity, a key that is null.
    case notRepresentable(String)
    /// The text handed in as JSON is none. The offset counts bytes from zero.
    case invalidJSON(offset: Int, problem: String)
    /// A line that starts with `---` goes on with something else.
    case invalidSeparator(String)
    /// A limit is exceeded.
    case limit(YAML.Limits.Name, maximum: Int)
    /// libyaml could not allocate.
    case outOfMemory

    public var description: String {
        switch self {
        case .syntax(_, _, _, let description): description
        case .content(let problem): "yaml: \(problem)"
        case .duplicateKeys(let keys): YAMLError.message(for: keys)
        case .notRepresentable(let problem): problem
        case .invalidJSON(let offset, let problem): "json: offset \(offset): \(problem)"
        case .invalidSeparator(let rest): "invalid Yaml document separator: \(rest)"
        case .limit(.depth, let maximum): "yaml: exceeded max depth of \(maximum)"
        case .limit(let name, let maximum): "yaml: more than \(maximum) \(name.rawValue)"
        case .outOfMemory: "yaml: out of memory"
        }
    }

    static func message(for keys: [YAML.DuplicateKey]) -> String {
        keys.reduce(into: "yaml: unmarshal errors:") { $0 += "\n  \($1)" }
    }
}
