// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ObjectModel
import Testing
import WatchCache

@testable import APIServer

@Suite("StartGate")
struct StartGateTests {
    @Test("holds everybody until it is opened")
    func opens() async throws {
        let gate = StartGate(DeadlineQueue(), limit: .seconds(600))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<20 { tasks.addTask { try await gate.pass() } }
            gate.open()
            try await tasks.waitForAll()
        }
        try await gate.pass()
    }

    @Test("refuses when it takes too long")
    func refuses() async {
        let gate = StartGate(DeadlineQueue(), limit: .milliseconds(1))
        await #expect(throws: StatusError.self) { try await gate.pass() }
    }

    @Test("lets go of who no longer waits")
    func cancels() async {
        let gate = StartGate(DeadlineQueue(), limit: .seconds(600))
        let task = Task { try await gate.pass() }
        task.cancel()
        await #expect(throws: StatusError.self) { try await task.value }
    }
}
