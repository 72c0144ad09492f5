// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf
public import Scalars

// The types with meaning of their own, as values that one can calculate with.

extension MetaV1.Time {
    /// A time in whole seconds; what lies below a second is cut off, as upstream stores it.
    public init(_ timestamp: Timestamp) {
        self.init()
        guard !timestamp.isZero else { return }
        self.seconds = timestamp.seconds
        self.nanos = 0
    }

    /// The point in time; nil when it is unset.
    public var timestamp: Timestamp? {
        guard let seconds = self.seconds, seconds != 0 else { return nil }
        return Timestamp(seconds: seconds)
    }
}

extension MetaV1.MicroTime {
    /// A time in whole microseconds; what lies below is cut off, as upstream stores it.
    public init(_ timestamp: Timestamp) {
        self.init()
        guard !timestamp.isZero else { return }
        self.seconds = timestamp.seconds
        self.nanos = timestamp.nanoseconds / 1000 * 1000
    }

    /// The point in time; nil when it is unset.
    public var timestamp: Timestamp? {
        guard let seconds = self.seconds, seconds != 0 || self.nanos ?? 0 != 0 else { return nil }
        return Timestamp(seconds: seconds, nanoseconds: self.nanos ?? 0)
    }
}

extension MetaV1.Duration {
    public init(_ duration: GoDuration) {
        self.init()
        self.duration = duration.nanoseconds
    }

    public var goDuration: GoDuration { GoDuration(nanoseconds: self.duration) }
}

extension Resource.Quantity {
    public init(_ quantity: Scalars.Quantity) {
        self.init()
        self.string = quantity.description
    }

    /// The amount.
    /// - Throws: when the text is not a quantity, which JSON never lets in but protobuf may.
    public func parsed() throws(QuantityError) -> Scalars.Quantity {
        try Scalars.Quantity(parsing: self.string ?? "0")
    }
}

extension IntStr.IntOrString {
    /// A number, or a text such as a port's name or `25%`.
    public enum Value: Hashable, Sendable {
        case int(Int32)
        case string(String)
    }

    public init(_ value: Value) {
        self.init()
        switch value {
        case .int(let number): self.intVal = number
        case .string(let text):
            self.type = 1
            self.strVal = text
        }
    }

    public var value: Value {
        self.type == 0 ? .int(self.intVal) : .string(self.strVal)
    }
}

extension IntStr.IntOrString: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    public init(integerLiteral value: Int32) { self.init(.int(value)) }
    public init(stringLiteral value: String) { self.init(.string(value)) }
}
