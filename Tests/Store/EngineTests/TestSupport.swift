// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc
import KeyValueStore
import KeyValueStoreSuite
import Synchronization
import Testing

@testable import Engine

/// A directory of its own for a test, removed with the value.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/apus-store-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) } != nil
        }
        precondition(made, "no temporary directory: \(errno)")
        self.path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    deinit {
        Self.remove(self.path)
    }

    /// Removes a directory tree.
    static func remove(_ path: String) {
        if let handle = opendir(path) {
            while let entry = readdir(handle) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { buffer in
                    String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name == "." || name == ".." { continue }
                let child = "\(path)/\(name)"
                if unlink(child) != 0 { self.remove(child) }
            }
            closedir(handle)
        }
        rmdir(path)
    }
}

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
