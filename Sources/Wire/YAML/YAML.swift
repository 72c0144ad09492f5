// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// YAML as Kubernetes reads and writes it: a way of writing JSON.
///
/// Documents become compact JSON and back, byte for byte as `sigs.k8s.io/yaml` 1.6 (over
/// `go.yaml.in/yaml/v2` 2.4) does: YAML 1.1 booleans (`y`, `yes`, `on`), octal `010`, underscores in
/// numbers, merge keys, anchors, sorted keys, keys that are no strings turned into strings, dates
/// left as strings. Parsing is done by libyaml, event by event.
///
/// Known differences, all in what is refused at the edge: libyaml takes a `?` within a plain scalar of a flow
/// collection for text, refuses `{a:}` and the escape `\'`, and knows the escape `\/`; a document that
/// is JSON is read as such, whatever its keys and control characters; limits are ours.
public enum YAML {
    /// The JSON of a document, and what strict decoding has to say about it.
    public struct Conversion: Sendable {
        /// Compact JSON, keys sorted.
        public var json: [UInt8]
        /// Keys that occur more than once in a mapping, in document order.
        public var duplicateKeys: [DuplicateKey]

        /// The text for all duplicate keys at once, as upstream has it, or nil when there are none:
        /// `yaml: unmarshal errors:`, then a line for each.
        public var duplicateKeysMessage: String? {
            self.duplicateKeys.isEmpty ? nil : YAMLError.message(for: self.duplicateKeys)
        }
    }

    /// A key that a mapping has had before.
    public struct DuplicateKey: Sendable, Equatable, CustomStringConvertible {
        /// The line of the value, from one.
        public let line: Int
        /// The key in Go's syntax: quoted when it is a string.
        public let key: String

        public var description: String { "line \(self.line): key \(self.key) already set in map" }
    }

    /// What becomes of a mapping that has a key twice.
    public enum DuplicateKeys: Sendable {
        /// The last one wins.
        case lastWins
        /// An error names them all.
        case refused
    }

    /// Converts the first document to JSON. Of duplicate keys, the last one wins.
    ///
    /// What follows the first document is not looked at. An empty input is `null`.
    public static func json(
        from bytes: UnsafeRawBufferPointer,
        duplicateKeys: DuplicateKeys = .lastWins,
        limits: Limits = Limits()
    ) throws(YAMLError) -> [UInt8] {
        switch duplicateKeys {
        case .lastWins:
            var document = try unsafe Document(parsingYAML: bytes, limits: limits)
            return try document.json(limits: limits)
        case .refused:
            let conversion = try unsafe YAML.convert(bytes, limits: limits)
            guard conversion.duplicateKeys.isEmpty else {
                throw .duplicateKeys(conversion.duplicateKeys)
            }
            return conversion.json
        }
    }

    /// Converts the first document to JSON. Of duplicate keys, the last one wins.
    public static func json(
        from bytes: [UInt8],
        duplicateKeys: DuplicateKeys = .lastWins,
        limits: Limits = Limits()
    ) throws(YAMLError) -> [UInt8] {
        try unsafe bytes.span.withUnsafeBytes { (bytes) throws(YAMLError) -> [UInt8] in
            try unsafe YAML.json(from: bytes, duplicateKeys: duplicateKeys, limits: limits)
        }
    }

    /// Converts the first document to JSON and finds its duplicate keys, of which the last one wins:
    /// for servers that warn.
    public static func convert(
        _ bytes: UnsafeRawBufferPointer,
        limits: Limits = Limits()
    ) throws(YAMLError) -> Conversion {
        var document = try unsafe Document(parsingYAML: bytes, limits: limits)
        let json = try document.json(limits: limits)
        // Looking for them in document order takes a second walk, which is rarely needed.
        let duplicates = document.hasDuplicateKeys ? document.duplicateKeys() : []
        return Conversion(json: json, duplicateKeys: duplicates)
    }

    /// Converts the first document to JSON and finds its duplicate keys.
    public static func convert(
        _ bytes: [UInt8],
        limits: Limits = Limits()
    ) throws(YAMLError) -> Conversion {
        try unsafe bytes.span.withUnsafeBytes { (bytes) throws(YAMLError) -> Conversion in
            try unsafe YAML.convert(bytes, limits: limits)
        }
    }

    /// Converts each document of a stream to JSON, as `kubectl` reads a file: split at lines that
    /// start with `---`, documents that are empty or null left out.
    ///
    /// Limits hold for each document, that of the bytes for the whole stream.
    public static func documents(
        _ bytes: [UInt8],
        duplicateKeys: DuplicateKeys = .lastWins,
        limits: Limits = Limits()
    ) throws(YAMLError) -> [[UInt8]] {
        try limits.check(.bytes, bytes.count, maximum: limits.bytes)
        // The line feed that a last line may get does not count.
        var limits = limits
        limits.bytes += limits.bytes < .max ? 1 : 0
        var splitter = DocumentSplitter(maximumDocumentBytes: limits.bytes)
        splitter.append(bytes)
        splitter.finish()
        var out: [[UInt8]] = []
        while let document = try splitter.next() {
            let json = try YAML.json(from: document, duplicateKeys: duplicateKeys, limits: limits)
            if json != Array("null".utf8) {
                out.append(json)
            }
        }
        return out
    }

    /// The YAML text of a JSON value, as `kubectl -o yaml` prints it: keys in goyaml's order (numbers
    /// in names by value), two spaces, sequences not indented below their key, strings quoted where
    /// they would read as something else, lines folded after 80 columns.
    public static func text(
        fromJSON bytes: UnsafeRawBufferPointer,
        limits: Limits = Limits()
    ) throws(YAMLError) -> [UInt8] {
        var document = try unsafe Document(parsingJSON: bytes, limits: limits)
        return try document.yaml(limits: limits)
    }

    /// The YAML text of a JSON value, as `kubectl -o yaml` prints it.
    public static func text(
        fromJSON bytes: [UInt8],
        limits: Limits = Limits()
    ) throws(YAMLError) -> [UInt8] {
        try unsafe bytes.span.withUnsafeBytes { (bytes) throws(YAMLError) -> [UInt8] in
            try unsafe YAML.text(fromJSON: bytes, limits: limits)
        }
    }
}
