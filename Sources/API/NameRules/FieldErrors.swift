// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The faults found so far while validation walks down an object.
///
/// It keeps the path of the field at hand, so that valid objects cost no paths:
///
/// ```swift
/// var errors = FieldErrors()
/// errors.within("spec") { errors in
///     errors.within("containers", index: 0) { errors in
///         if image.isEmpty { errors.required(at: "image") }   // spec.containers[0].image
///     }
/// }
/// ```
///
/// At most ``maximumErrors`` are kept: a request must not grow an answer without bound.
public struct FieldErrors: Sendable {
    /// The most errors that are kept. Upstream keeps all.
    public static let maximumErrors = 1000

    /// The place of the field at hand.
    public var path: FieldPath

    /// The errors in the order they were found.
    public private(set) var list: [FieldError] = []

    /// How many errors were found after the list was full.
    public private(set) var droppedCount = 0

    /// Starts at a place.
    public init(at path: FieldPath = FieldPath()) {
        self.path = path
    }

    /// Whether no error was found.
    public var isEmpty: Bool { self.list.isEmpty }

    /// Adds an error.
    public mutating func add(_ error: FieldError) {
        if self.list.count < Self.maximumErrors {
            self.list.append(error)
        } else {
            self.droppedCount += 1
        }
    }

    /// Adds errors.
    public mutating func add(_ errors: some Sequence<FieldError>) {
        for error in errors { self.add(error) }
    }

    /// Walks into a member.
    @inlinable
    public mutating func within<R, E: Error>(
        _ name: String,
        _ body: (inout FieldErrors) throws(E) -> R
    ) throws(E) -> R {
        self.path.push(.name(name))
        defer { self.path.pop() }
        return try body(&self)
    }

    /// Walks into an item.
    @inlinable
    public mutating func within<R, E: Error>(
        index: Int,
        _ body: (inout FieldErrors) throws(E) -> R
    ) throws(E) -> R {
        self.path.push(.index(index))
        defer { self.path.pop() }
        return try body(&self)
    }

    /// Walks into the value of a map.
    @inlinable
    public mutating func within<R, E: Error>(
        key: String,
        _ body: (inout FieldErrors) throws(E) -> R
    ) throws(E) -> R {
        self.path.push(.key(key))
        defer { self.path.pop() }
        return try body(&self)
    }

    /// Walks into an item of a member.
    @inlinable
    public mutating func within<R, E: Error>(
        _ name: String,
        index: Int,
        _ body: (inout FieldErrors) throws(E) -> R
    ) throws(E) -> R {
        self.path.push(.name(name))
        self.path.push(.index(index))
        defer {
            self.path.pop()
            self.path.pop()
        }
        return try body(&self)
    }
}

// MARK: - Adding at the path

extension FieldErrors {
    /// The path of the field at hand, or of its member.
    private func place(_ name: String?) -> FieldPath {
        guard let name else { return self.path }
        return self.path.child(name)
    }

    /// A value is missing.
    public mutating func required(at name: String? = nil, _ detail: String = "") {
        self.add(.required(self.place(name), detail))
    }

    /// A value is malformed or out of bounds.
    public mutating func invalid(
        at name: String? = nil,
        _ value: FieldError.Value,
        _ detail: String
    ) {
        self.add(.invalid(self.place(name), value, detail))
    }

    /// A value is malformed, for each of the reasons.
    public mutating func invalid(
        at name: String? = nil,
        _ value: FieldError.Value,
        _ reasons: [String]
    ) {
        for reason in reasons { self.add(.invalid(self.place(name), value, reason)) }
    }

    /// A well-formed value is not permitted here.
    public mutating func forbidden(at name: String? = nil, _ detail: String) {
        self.add(.forbidden(self.place(name), detail))
    }

    /// A value is none of the known ones.
    public mutating func notSupported(
        at name: String? = nil,
        _ value: FieldError.Value,
        supported: some Sequence<String>
    ) {
        self.add(.notSupported(self.place(name), value, supported: supported))
    }

    /// Values that must differ are equal.
    public mutating func duplicate(at name: String? = nil, _ value: FieldError.Value) {
        self.add(.duplicate(self.place(name), value))
    }

    /// A value that is referred to does not exist.
    public mutating func notFound(at name: String? = nil, _ value: FieldError.Value) {
        self.add(.notFound(self.place(name), value))
    }

    /// A text has more than `limit` bytes.
    public mutating func tooLong(at name: String? = nil, limit: Int) {
        self.add(.tooLong(self.place(name), limit: limit))
    }

    /// A list has more than `limit` items.
    public mutating func tooMany(at name: String? = nil, count: Int, limit: Int) {
        self.add(.tooMany(self.place(name), count: count, limit: limit))
    }

    /// A fault of the server's.
    public mutating func internalError(at name: String? = nil, _ detail: String) {
        self.add(.internalError(self.place(name), detail))
    }
}

// MARK: - Status

extension FieldErrors {
    /// One entry of `details.causes` of a Status.
    public struct Cause: Sendable, Hashable {
        public let reason: String
        public let message: String
        public let field: String

        public init(reason: String, message: String, field: String) {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    /// The causes that a Status of reason Invalid lists.
    public var causes: [Cause] {
        self.list.map { error in
            Cause(reason: error.type.rawValue, message: error.body, field: error.field)
        }
    }

    /// The messages of all errors, each once: the message alone, or `[a, b]`.
    public var aggregate: String {
        aggregateText(self.list.map(\.description))
    }

    /// The message of a Status of reason Invalid:
    /// `Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: ...`.
    public func message(kind: String, group: String, name: String) -> String {
        let qualified = group.isEmpty ? kind : "\(kind).\(group)"
        let start = "\(qualified) \(GoText.quoted(name)) is invalid"
        return self.list.isEmpty ? start : "\(start): \(self.aggregate)"
    }
}

/// Several messages as one, as upstream's aggregated errors: each once, in order, in brackets when
/// there is more than one.
public func aggregateText(_ messages: some Sequence<String>) -> String {
    var seen: Set<String> = []
    let distinct = messages.filter { seen.insert($0).inserted }
    if distinct.count == 1, let only = distinct.first { return only }
    return distinct.isEmpty ? "" : "[" + distinct.joined(separator: ", ") + "]"
}
