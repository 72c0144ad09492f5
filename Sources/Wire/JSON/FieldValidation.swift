// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf

/// What to do with JSON fields that a message does not have, and with keys that appear twice.
public enum FieldValidation: Sendable {
    /// Drop unknown fields; the last of equal keys wins.
    case ignore
    /// As `ignore`, and report each.
    case warn
    /// Refuse the message, and report each.
    case strict
}

/// The `kind` and `apiVersion` of an object, as its JSON has them.
public struct TypeMeta: Hashable, Sendable {
    public var kind: String
    public var apiVersion: String

    public init(kind: String = "", apiVersion: String = "") {
        self.kind = kind
        self.apiVersion = apiVersion
    }
}

/// A message read from JSON, with what was found beside its fields.
public struct DecodedJSON<Content: Sendable>: Sendable {
    public var message: Content

    /// As written; empty where absent.
    public var typeMeta: TypeMeta

    /// Unknown and duplicate fields in upstream's words (`unknown field "spec.foo"`), in the order
    /// of the text, each once, at most `FieldProblems.limit`.
    public var problems: [String]

    public init(message: Content, typeMeta: TypeMeta, problems: [String]) {
        self.message = message
        self.typeMeta = typeMeta
        self.problems = problems
    }
}

/// The place in a document that is being read: keys and indices from the root.
///
/// Steps refer to key text in the input or in a schema, both of which outlive the reading; a path
/// is only turned into text when there is something to report.
///
/// The steps are plain values in memory of its own: one is pushed for every key and item, and an
/// array's checks took a tenth of the decoder's time.
struct JSONPath: ~Copyable {
    private struct Step: BitwiseCopyable {
        /// The text of a key; nil for an item of a list.
        var key: UnsafeRawPointer?
        /// The length of the key, or the index of the item.
        var count: Int
        /// The type that has the field of that name.
        var owner: UnsafePointer<MessageTable>?

        var keyText: String? {
            self.key.map { key in
                String(
                    decoding: UnsafeRawBufferPointer(start: key, count: self.count),
                    as: UTF8.self
                )
            }
        }
    }

    private var memory: UnsafeMutablePointer<Step>
    private var capacity = 32
    private var count = 0

    init() {
        self.memory = .allocate(capacity: 32)
    }

    deinit {
        self.memory.deallocate()
    }

    @inline(__always)
    private mutating func push(_ step: Step) {
        if self.count == self.capacity { self.grow() }
        (self.memory + self.count).initialize(to: step)
        self.count += 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Step>.allocate(capacity: self.capacity * 2)
        larger.initialize(from: self.memory, count: self.count)
        self.memory.deallocate()
        self.memory = larger
        self.capacity *= 2
    }

    @inline(__always)
    mutating func push(
        _ key: UnsafeRawBufferPointer,
        of owner: UnsafePointer<MessageTable>?
    ) {
        // The empty key has no address; the address of the steps is never read through.
        let start = key.baseAddress ?? UnsafeRawPointer(self.memory)
        self.push(Step(key: start, count: key.count, owner: owner))
    }

    @inline(__always)
    mutating func push(index: Int) {
        self.push(Step(key: nil, count: index, owner: nil))
    }

    @inline(__always)
    mutating func pop() {
        self.count -= 1
    }

    /// Whether this is the outermost value.
    var isRoot: Bool { self.count == 0 }

    private var steps: UnsafeBufferPointer<Step> {
        UnsafeBufferPointer(start: self.memory, count: self.count)
    }

    /// The type that has the innermost field.
    var owner: UnsafePointer<MessageTable>? {
        self.steps.last { $0.owner != nil }?.owner
    }

    /// `spec.containers[0].name`
    var text: String {
        var text = ""
        for step in self.steps {
            if let key = step.keyText {
                if !text.isEmpty { text += "." }
                text += key
            } else {
                text += "[\(step.count)]"
            }
        }
        return text
    }

    /// `spec.containers.name`: as Go's type errors have it.
    var fieldText: String {
        self.steps.compactMap(\.keyText).joined(separator: ".")
    }

    /// The path of a key below this one.
    func text(of key: String) -> String {
        let path = self.text
        return path.isEmpty ? key : path + "." + key
    }
}

/// Collects unknown and duplicate fields.
struct FieldProblems {
    /// Upstream stops collecting at this number.
    static let limit = 100

    let isCollecting: Bool
    private(set) var texts: [String] = []
    private var seen: Set<String> = []

    init(_ validation: FieldValidation) {
        self.isCollecting = validation != .ignore
    }

    mutating func add(_ kind: StaticString, _ path: String) {
        self.add("\(kind) field \"\(path)\"")
    }

    /// Adds what was found in a value that was read on its own, below `path`.
    mutating func add(_ texts: [String], below path: String) {
        for text in texts {
            guard let quote = text.firstIndex(of: "\"") else { continue }
            let rest = text[text.index(after: quote)...]
            self.add(path.isEmpty ? text : "\(text[...quote])\(path).\(rest)")
        }
    }

    private mutating func add(_ text: String) {
        guard self.texts.count < Self.limit else { return }
        if self.seen.insert(text).inserted { self.texts.append(text) }
    }
}

/// Which keys of an object have been met.
struct SeenKeys {
    private var low: UInt64 = 0
    private var high: Set<Int> = []

    /// Notes a key and tells whether it is new.
    @inline(__always)
    mutating func insert(_ index: Int) -> Bool {
        if index < 64 {
            let bit: UInt64 = 1 << UInt64(index)
            defer { self.low |= bit }
            return self.low & bit == 0
        }
        return self.high.insert(index).inserted
    }
}
