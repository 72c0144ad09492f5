// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One service (`google.protobuf.ServiceDescriptorProto`).
public struct ServiceDescriptor: Hashable, Sendable {
    /// Simple name.
    public var name: String
    /// Methods in source order.
    public var methods: [MethodDescriptor]
    /// The serialized `ServiceOptions`.
    public var options: DescriptorOptions

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        name: String = "",
        methods: [MethodDescriptor] = [],
        options: DescriptorOptions = DescriptorOptions(),
    ) {
        self.name = name
        self.methods = methods
        self.options = options
    }
}

// MARK: - Binary form

extension ServiceDescriptor {
    /// Parses a serialized `ServiceDescriptorProto`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `ServiceDescriptorProto`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `ServiceDescriptorProto`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension ServiceDescriptor: DescriptorMessage {
    init() {
        self.init(name: "")
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.name = try field.string()
        case 2: self.methods.append(try field.message(MethodDescriptor.self))
        case 3: try field.append(to: &self.options)
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.writeNonempty(1, self.name)
        writer.write(2, self.methods)
        writer.write(3, self.options)
    }
}

/// One method of a service (`google.protobuf.MethodDescriptorProto`).
public struct MethodDescriptor: Hashable, Sendable {
    /// Simple name.
    public var name: String
    /// Full name of the request message with a leading dot.
    public var inputType: String
    /// Full name of the response message with a leading dot.
    public var outputType: String
    /// The serialized `MethodOptions`.
    public var options: DescriptorOptions
    /// Whether the client sends any number of requests.
    public var clientStreaming: Bool
    /// Whether the server sends any number of responses.
    public var serverStreaming: Bool

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        name: String = "",
        inputType: String = "",
        outputType: String = "",
        options: DescriptorOptions = DescriptorOptions(),
        clientStreaming: Bool = false,
        serverStreaming: Bool = false,
    ) {
        self.name = name
        self.inputType = inputType
        self.outputType = outputType
        self.options = options
        self.clientStreaming = clientStreaming
        self.serverStreaming = serverStreaming
    }
}

// MARK: - Binary form

extension MethodDescriptor {
    /// Parses a serialized `MethodDescriptorProto`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `MethodDescriptorProto`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `MethodDescriptorProto`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension MethodDescriptor: DescriptorMessage {
    init() {
        self.init(name: "")
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.name = try field.string()
        case 2: self.inputType = try field.string()
        case 3: self.outputType = try field.string()
        case 4: try field.append(to: &self.options)
        case 5: self.clientStreaming = try field.bool()
        case 6: self.serverStreaming = try field.bool()
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.writeNonempty(1, self.name)
        writer.writeNonempty(2, self.inputType)
        writer.writeNonempty(3, self.outputType)
        writer.write(4, self.options)
        if self.clientStreaming { writer.write(5, true) }
        if self.serverStreaming { writer.write(6, true) }
    }
}
