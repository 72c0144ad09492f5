// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Cuts a stream of bytes into the JSON objects that follow each other in it, however they are
/// spread over lines. It finds where an object ends and leaves what is in it to the decoder.
public struct JSONObjectSplitter: Sendable {
    /// What cannot be cut into objects.
    public enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
        /// Something else than an object, or than white space between objects.
        case notAnObject
        /// The input ended inside an object.
        case truncated
        /// An object has more bytes than this limit.
        case tooLarge(limit: Int)

        public var description: String {
            switch self {
            case .notAnObject: "expected JSON objects, one after the other"
            case .truncated: "the input ends inside a JSON object"
            case .tooLarge(let limit): "a JSON object has more than \(limit) bytes"
            }
        }
    }

    private let maximumObjectBytes: Int
    private var object: [UInt8] = []
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var complete: [String] = []
    private var next = 0

    /// - Parameter maximumObjectBytes: the largest object that is gathered.
    public init(maximumObjectBytes: Int = 64 << 20) {
        self.maximumObjectBytes = maximumObjectBytes
    }

    /// Takes bytes in.
    public mutating func append(_ bytes: some Sequence<UInt8>) throws(Failure) {
        for byte in bytes {
            if self.depth == 0 {
                switch byte {
                case UInt8(ascii: "{"):
                    self.depth = 1
                    self.object = [byte]
                case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                    continue
                default:
                    throw .notAnObject
                }
                continue
            }
            guard self.object.count < self.maximumObjectBytes else {
                throw .tooLarge(limit: self.maximumObjectBytes)
            }
            self.object.append(byte)
            self.look(at: byte)
        }
    }

    private mutating func look(at byte: UInt8) {
        if self.isEscaped {
            self.isEscaped = false
        } else if self.isInString {
            if byte == UInt8(ascii: "\\") { self.isEscaped = true }
            if byte == UInt8(ascii: "\"") { self.isInString = false }
        } else {
            switch byte {
            case UInt8(ascii: "\""): self.isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): self.depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                self.depth -= 1
                if self.depth == 0 {
                    self.complete.append(String(decoding: self.object, as: UTF8.self))
                    self.object = []
                }
            default: break
            }
        }
    }

    /// The next object that is whole; nil when more bytes are needed.
    public mutating func popFirst() -> String? {
        guard self.next < self.complete.count else { return nil }
        defer {
            self.next += 1
            if self.next == self.complete.count {
                self.complete = []
                self.next = 0
            }
        }
        return self.complete[self.next]
    }

    /// Says that the input has ended.
    public func finish() throws(Failure) {
        guard self.depth == 0 else { throw .truncated }
    }
}
