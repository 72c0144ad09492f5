// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The parameters of a query, in their order, names and values decoded.
///
/// A malformed query is refused as a whole. Upstream drops the parameters that it cannot read,
/// which turns a misspelt selector into none.
///
/// Source: WHATWG URL section 5.1, Go `net/url` ParseQuery.
public struct QueryParameters: Sendable, Hashable {
    /// The most parameters of a query; a command of `exec` takes one for each word.
    public static let maximumCount = 4096

    /// One parameter. A name without an equals sign has the empty value.
    public struct Parameter: Sendable, Hashable {
        public let name: String
        public let value: String
    }

    public let parameters: [Parameter]

    /// No parameters.
    public init() {
        self.parameters = []
    }

    /// Reads the text after the question mark.
    public init(parsing text: String) throws(RequestTargetError) {
        let bytes = Array(text.utf8)
        try self.init(parsing: bytes[...])
    }

    /// Reads the bytes after the question mark, which are UTF-8.
    init(parsing bytes: ArraySlice<UInt8>) throws(RequestTargetError) {
        var parameters: [Parameter] = []
        var start = bytes.startIndex
        while start < bytes.endIndex {
            var end = start
            var equals: Int?
            while end < bytes.endIndex, bytes[end] != UInt8(ascii: "&") {
                if bytes[end] == UInt8(ascii: ";") { throw .semicolon }
                if equals == nil, bytes[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            if end > start {
                guard parameters.count < Self.maximumCount else { throw .tooManyParameters }
                let name = try PercentEncoding.parameter(bytes[start..<(equals ?? end)])
                let value = try PercentEncoding.parameter(
                    bytes[(equals.map { $0 + 1 } ?? end)..<end]
                )
                parameters.append(Parameter(name: name, value: value))
            }
            start = end + 1
        }
        self.parameters = parameters
    }

    /// Whether there are no parameters.
    public var isEmpty: Bool { self.parameters.isEmpty }

    /// The first value of a parameter, or nil when it is absent. Later ones do not count, as
    /// upstream has it.
    public func first(_ name: String) -> String? {
        for parameter in self.parameters where parameter.name == name { return parameter.value }
        return nil
    }

    /// All values of a parameter, in their order.
    public func all(_ name: String) -> [String] {
        self.parameters.filter { $0.name == name }.map(\.value)
    }
}
