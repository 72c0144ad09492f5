// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
public import KeyValueStore

/// What a store under test needs around it.
public protocol StoreEnvironment: Sendable {
    /// The store.
    var store: any KeyValueStore { get }

    /// Lets time pass for the store: really, or on its clock.
    func pass(seconds: Double) async throws
}

/// One behaviour that every implementation of `KeyValueStore` has.
///
/// A behaviour keeps to keys of its own and counts revisions from where it finds the store, so that
/// all of them can be run one after the other on a store that holds other things.
public struct Behavior: Sendable, CustomStringConvertible {
    /// What the store does.
    public let name: String
    public let run: @Sendable (any StoreEnvironment) async throws -> Void

    init(
        _ name: String,
        _ run: @escaping @Sendable (any StoreEnvironment) async throws -> Void
    ) {
        self.name = name
        self.run = run
    }

    public var description: String { self.name }

    /// All behaviours.
    public static let all: [Behavior] =
        rangeBehaviors + writeBehaviors + txnBehaviors + compactionBehaviors + watchBehaviors
        + leaseBehaviors + maintenanceBehaviors
}

/// A store that does not behave.
public struct BehaviorFailure: Error, CustomStringConvertible {
    public let message: String
    public let file: String
    public let line: Int

    public var description: String { "\(self.file):\(self.line): \(self.message)" }
}

/// Fails unless `condition` holds.
func expect(
    _ condition: Bool,
    _ message: @autoclosure () -> String = "the condition does not hold",
    file: String = #fileID,
    line: Int = #line
) throws {
    if !condition { throw BehaviorFailure(message: message(), file: file, line: line) }
}

/// Fails unless both are equal.
func expectEqual<T: Equatable>(
    _ actual: T,
    _ expected: T,
    file: String = #fileID,
    line: Int = #line
) throws {
    if actual != expected {
        throw BehaviorFailure(
            message: "is \(actual), should be \(expected)",
            file: file,
            line: line
        )
    }
}

/// Fails unless `body` throws `error`.
func expectError<T>(
    _ error: StoreError,
    file: String = #fileID,
    line: Int = #line,
    _ body: () async throws -> T
) async throws {
    do {
        _ = try await body()
    } catch let thrown as StoreError {
        try expectEqual(thrown, error, file: file, line: line)
        return
    }
    throw BehaviorFailure(message: "does not throw \(error)", file: file, line: line)
}

/// Fails unless there is a value.
func require<T>(_ value: T?, file: String = #fileID, line: Int = #line) throws -> T {
    guard let value else {
        throw BehaviorFailure(message: "there is nothing", file: file, line: line)
    }
    return value
}

/// Keys under a prefix of their own.
struct KeySpace {
    let prefix: String
    let store: any KeyValueStore

    init(_ environment: any StoreEnvironment, _ name: String) {
        let unique = UInt64.random(in: 0...UInt64.max)
        self.prefix = "/suite/\(name)/\(unique)/"
        self.store = environment.store
    }

    func key(_ name: String) -> Bytes { Bytes(utf8: self.prefix + name) }

    /// The first key of the space, and the end of its range.
    var start: Bytes { Bytes(utf8: self.prefix) }
    var end: Bytes { RangeEnd.prefix(self.start) }

    @discardableResult
    func put(_ name: String, _ value: String, lease: Int64 = 0) async throws -> Int64 {
        let request = PutRequest(key: self.key(name), value: Bytes(utf8: value), lease: lease)
        return try await self.store.put(request).header.revision
    }

    @discardableResult
    func delete(_ name: String) async throws -> DeleteRangeResponse {
        try await self.store.deleteRange(DeleteRangeRequest(key: self.key(name)))
    }

    func get(_ name: String, revision: Int64 = 0) async throws -> KeyValue? {
        let request = RangeRequest(key: self.key(name), revision: revision)
        return try await self.store.range(request).kvs.first
    }

    func value(_ name: String, revision: Int64 = 0) async throws -> String? {
        try await self.get(name, revision: revision).map {
            String(decoding: $0.value, as: UTF8.self)
        }
    }

    /// All keys of the space.
    func range(revision: Int64 = 0) async throws -> RangeResponse {
        try await self.store.range(
            RangeRequest(key: self.start, rangeEnd: self.end, revision: revision)
        )
    }

    /// The names of keys, without the prefix.
    func names(_ response: RangeResponse) -> [String] {
        response.kvs.map { kv in
            String(String(decoding: kv.key, as: UTF8.self).dropFirst(self.prefix.count))
        }
    }

    /// The store's revision.
    func revision() async throws -> Int64 {
        try await self.store.range(RangeRequest(key: self.start, countOnly: true)).header.revision
    }
}
