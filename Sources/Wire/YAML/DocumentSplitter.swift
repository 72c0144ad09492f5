// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension YAML {
    /// Splits a stream of YAML into documents, as it arrives: at lines that start with `---`.
    ///
    /// A separator may be followed by white space and a comment. Line ends become `\n`, the last line
    /// gets one. Documents may be empty or consist of a separator only (`YAML.json` makes null of
    /// them). Source: `YAMLReader` in `k8s.io/apimachinery/pkg/util/yaml/decoder.go`.
    ///
    /// ```swift
    /// splitter.append(bytes)
    /// while let document = try splitter.next() { ... }
    /// // at the end of the stream
    /// splitter.finish()
    /// while let document = try splitter.next() { ... }
    /// ```
    public struct DocumentSplitter: Sendable {
        /// The largest document, in bytes.
        public let maximumDocumentBytes: Int

        /// Bytes that are not yet taken apart, from `start` on.
        private var pending: [UInt8] = []
        private var start = 0
        /// How far `pending` was searched for the end of a line.
        private var searched = 0
        private var document: [UInt8] = []
        private var isFinished = false

        public init(maximumDocumentBytes: Int = Limits().bytes) {
            self.maximumDocumentBytes = maximumDocumentBytes
        }

        /// Adds the next bytes of the stream.
        public mutating func append(_ bytes: some Collection<UInt8>) {
            if self.start > 0 {
                self.pending.removeFirst(self.start)
                self.searched -= self.start
                self.start = 0
            }
            self.pending.append(contentsOf: bytes)
        }

        /// Tells that there are no more bytes.
        public mutating func finish() {
            self.isFinished = true
        }

        /// The next document that is complete, or nil when more bytes are needed or, after `finish`,
        /// there are none left.
        public mutating func next() throws(YAMLError) -> [UInt8]? {
            while let line = self.nextLine() {
                if line.starts(with: "---".utf8) {
                    try self.checkSeparator(line.dropFirst(3))
                    if !self.document.isEmpty {
                        return self.takeDocument()
                    }
                }
                guard self.document.count + line.count < self.maximumDocumentBytes else {
                    throw .limit(.bytes, maximum: self.maximumDocumentBytes)
                }
                self.document.append(contentsOf: line)
                self.document.append(UInt8(ascii: "\n"))
            }
            guard self.pending.count - self.start + self.document.count <= self.maximumDocumentBytes
            else { throw .limit(.bytes, maximum: self.maximumDocumentBytes) }
            return self.isFinished && !self.document.isEmpty ? self.takeDocument() : nil
        }

        private mutating func takeDocument() -> [UInt8] {
            defer { self.document = [] }
            return self.document
        }

        /// The next line without its end.
        private mutating func nextLine() -> ArraySlice<UInt8>? {
            var end = self.pending[self.searched...].firstIndex(of: UInt8(ascii: "\n"))
            self.searched = end ?? self.pending.count
            if end == nil, self.isFinished, self.start < self.pending.count {
                end = self.pending.count
            }
            guard let end else { return nil }
            var line = self.pending[self.start..<end]
            self.start = min(end + 1, self.pending.count)
            self.searched = self.start
            if line.last == UInt8(ascii: "\r"), end < self.pending.count {
                line.removeLast()
            }
            return line
        }

        private func checkSeparator(_ rest: ArraySlice<UInt8>) throws(YAMLError) {
            let text = String(decoding: rest.prefix(1024), as: UTF8.self)
            let isSpace: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
            let scalars = text.unicodeScalars
            guard let first = scalars.firstIndex(where: { !isSpace($0) }), scalars[first] != "#",
                let last = scalars.lastIndex(where: { !isSpace($0) })
            else { return }
            throw .invalidSeparator(String(scalars[first...last]))
        }
    }
}
