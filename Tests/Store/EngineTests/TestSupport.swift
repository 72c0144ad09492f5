// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc
import KeyValueStore
import KeyValueStoreSuite
import Synchronization
import Testing

@testable import Engine

/// Settings that make tests quick: small log files, little delay.
func testOptions() -> StoreOptions {
    var options = StoreOptions()
    options.applyDelay = .milliseconds(5)
    return options
}

func testBackendOptions() -> DirectoryBackend.Options {
    var options = DirectoryBackend.Options()
    options.logFileBytes = 1 << 20
    return options
}

func testState() -> TableState {
    TableState(clusterID: 0xC1, memberID: 0xA1)
}

/// Opens a store on disk.
func openStore(
    _ path: String,
    options: StoreOptions = testOptions(),
    clock: any StoreClock = MonotonicClock()
) throws -> EmbeddedStore {
    let backend = try DirectoryBackend(
        opening: path,
        options: testBackendOptions(),
        fresh: testState
    )
    return try EmbeddedStore(backend: backend, options: options, clock: clock)
}

/// An environment for the behaviour suite around an embedded store with a clock of its own.
struct EmbeddedEnvironment: StoreEnvironment {
    let embedded: EmbeddedStore
    let clock: ManualClock

    var store: any KeyValueStore { self.embedded }

    func pass(seconds: Double) async throws {
        self.clock.advance(seconds: seconds)
    }
}

/// Waits until `condition` holds, for at most 20 seconds.
func poll(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<2000 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
