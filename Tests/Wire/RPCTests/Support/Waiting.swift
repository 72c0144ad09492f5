// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface
import Synchronization
import Testing

/// A value that tasks share.
final class Shared<Value: Sendable>: Sendable {
    private let box: Mutex<Value>

    init(_ value: Value) { self.box = Mutex(value) }

    var value: Value { self.box.withLock { $0 } }

    func set(_ value: Value) { self.box.withLock { $0 = value } }

    func update(_ body: @Sendable (inout Value) -> Void) {
        self.box.withLock { value in body(&value) }
    }
}

/// Waits until a condition holds, at most a minute: tests share the machine.
func poll(
    _ comment: Comment,
    until condition: @Sendable () -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let deadline = ContinuousClock.now.advanced(by: .seconds(60))
    while !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record(comment, sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// Waits until the task is cancelled, as a handler that sleeps does.
func sleepUntilCancelled() async throws {
    try await Task.sleep(for: .seconds(3600))
}

/// The error that `body` throws.
func rpcError(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async -> RPCError? {
    do {
        try await body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
    } catch let error as RPCError {
        return error
    } catch {
        Issue.record("another error was thrown: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

/// Expects that `body` throws an error with this code.
func expectStatus(
    _ code: RPCStatusCode,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    let error = await rpcError(sourceLocation: sourceLocation, body)
    #expect(error?.code == code, sourceLocation: sourceLocation)
}
