// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Positions and comments of a file's declarations (`google.protobuf.SourceCodeInfo`).
public struct SourceCodeInfo: Hashable, Sendable {
    /// Declarations, outer before inner.
    public var locations: [SourceLocation]

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        locations: [SourceLocation] = [],
    ) {
        self.locations = locations
    }
}

// MARK: - Binary form

extension SourceCodeInfo {
    /// Parses a serialized `SourceCodeInfo`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `SourceCodeInfo`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `SourceCodeInfo`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension SourceCodeInfo: DescriptorMessage {
    init() {
        self.init(locations: [])
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.locations.append(try field.message(SourceLocation.self))
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.write(1, self.locations)
    }
}

/// One declaration's position and comments (`SourceCodeInfo.Location`).
public struct SourceLocation: Hashable, Sendable {
    /// Field numbers and indexes that lead from the file to the declaration.
    public var path: [Int32]
    /// Start line, start column, end line (left out when the same), end column; all from zero.
    public var span: [Int32]
    /// The comment right above the declaration, without its markers.
    public var leadingComments: String?
    /// The comment behind the declaration, without its markers.
    public var trailingComments: String?
    /// Comments further above, set apart by blank lines.
    public var leadingDetachedComments: [String]

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        path: [Int32] = [],
        span: [Int32] = [],
        leadingComments: String? = nil,
        trailingComments: String? = nil,
        leadingDetachedComments: [String] = [],
    ) {
        self.path = path
        self.span = span
        self.leadingComments = leadingComments
        self.trailingComments = trailingComments
        self.leadingDetachedComments = leadingDetachedComments
    }
}

// MARK: - Binary form

extension SourceLocation {
    /// Parses a serialized `SourceCodeInfo.Location`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `SourceCodeInfo.Location`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `SourceCodeInfo.Location`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension SourceLocation: DescriptorMessage {
    init() {
        self.init(path: [])
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: try field.appendInt32s(to: &self.path)
        case 2: try field.appendInt32s(to: &self.span)
        case 3: self.leadingComments = try field.string()
        case 4: self.trailingComments = try field.string()
        case 6: self.leadingDetachedComments.append(try field.string())
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.write(1, packed: self.path)
        writer.write(2, packed: self.span)
        if let leadingComments = self.leadingComments { writer.write(3, leadingComments) }
        if let trailingComments = self.trailingComments { writer.write(4, trailingComments) }
        writer.write(6, self.leadingDetachedComments)
    }
}
