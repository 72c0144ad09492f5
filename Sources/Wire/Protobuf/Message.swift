// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import RPCInterface

/// A message type made by the generator.
///
/// A message is a value of 16 bytes: a reference to the block that holds its tree and its place in
/// it. Copies share the block until one of them is changed.
public protocol Message: FieldValue, RPCMessage, CustomStringConvertible {
    /// Names, fields and options, from the schema file.
    static var schema: MessageSchema { get }

    var storage: MessageStorage { get set }

    /// Takes the tree at `storage`, which is of this type.
    init(storage: MessageStorage)
}

extension Message {
    /// The empty message.
    @inlinable
    public init() {
        self.init(storage: MessageStorage())
    }

    /// An empty message that `build` fills in: an expression for a message with fields.
    ///
    /// ```swift
    /// let port = ContainerPort.with { $0.name = "http"; $0.containerPort = 80 }
    /// ```
    @inlinable
    public static func with<E: Error>(_ build: (inout Self) throws(E) -> Void) throws(E) -> Self {
        var message = Self()
        try build(&message)
        return message
    }
}

// MARK: - FieldValue

extension Message {
    @inlinable public static var slotBytes: Int { 4 }
    @inlinable public static var zero: Self { Self() }

    @inlinable
    public static func load(_ block: Block, _ address: UInt32) -> Self {
        let offset = UInt32.load(block, address)
        if offset == 0 { return Self() }
        return Self(storage: MessageStorage(block: block, offset: offset))
    }

    @inlinable
    public static func store(_ value: Self, _ block: Block, _ address: UInt32) {
        let isReplaced = UInt32.load(block, address) != 0
        let used = block.used
        let offset = block.adopt(value.storage, Self.schema.table)
        UInt32.store(offset, block, address)
        if isReplaced { block.wasted &+= block.used &- used }
    }

    public static func borrow(_ block: Block, _ address: UInt32) -> Self {
        var offset = UInt32.load(block, address)
        if offset == 0 {
            offset = block.allocate(Self.schema.table.pointee.size)
            UInt32.store(offset, block, address)
        }
        return Self(storage: MessageStorage(block: block.lend(), offset: offset))
    }

    public static func giveBack(_ value: inout Self, _ block: Block, _ address: UInt32) {
        let isLoan = block.endLoan(&value.storage.block)
        if isLoan && value.storage.offset == UInt32.load(block, address) { return }
        if isLoan { value.storage.block = block }
        Self.store(value, block, address)
    }
}

// MARK: - Comparison

extension Message {
    /// Whether all fields are equal, unknown ones included.
    public static func == (left: Self, right: Self) -> Bool {
        MessageTree.areEqual(Self.schema.table, left.storage, right.storage)
    }

    public func hash(into hasher: inout Hasher) {
        self.withSerializedBytes { hasher.combine(bytes: $0) }
    }

    /// The fields in protobuf's text format, for logs and failing tests.
    public var description: String {
        var writer = TextFormat()
        defer { withExtendedLifetime(self.storage.block) {} }
        writer.write(Self.schema.table, self.storage.block.base, self.storage.address)
        return "\(Self.schema.fullName) {\(writer.text)}"
    }
}
