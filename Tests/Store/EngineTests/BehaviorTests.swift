// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KeyValueStore
import KeyValueStoreSuite
import TestFolders
import Testing

@testable import Engine

@Suite("Behaviour of the embedded store", .serialized)
struct BehaviorTests {
    @Test("in memory", arguments: Behavior.all)
    func memory(behavior: Behavior) async throws {
        let clock = ManualClock()
        let store = try EmbeddedStore(
            backend: MemoryBackend(),
            options: testOptions(),
            clock: clock
        )
        defer { try? store.close() }
        await #expect(throws: Never.self) {
            try await behavior.run(EmbeddedEnvironment(embedded: store, clock: clock))
        }
    }

    @Test("on disk", arguments: Behavior.all)
    func disk(behavior: Behavior) async throws {
        let directory = TemporaryDirectory()
        let clock = ManualClock()
        let store = try openStore(directory.path, clock: clock)
        defer { try? store.close() }
        await #expect(throws: Never.self) {
            try await behavior.run(EmbeddedEnvironment(embedded: store, clock: clock))
        }
    }

    @Test("on disk, all in the log")
    func log() async throws {
        let directory = TemporaryDirectory()
        let clock = ManualClock()
        var options = testOptions()
        options.applyDelay = .seconds(3600)
        let store = try openStore(directory.path, options: options, clock: clock)
        defer { try? store.close() }
        for behavior in Behavior.all {
            await #expect(throws: Never.self, "\(behavior)") {
                try await behavior.run(EmbeddedEnvironment(embedded: store, clock: clock))
            }
        }
    }
}
