// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Foundation
import KeyValueStore
import KeyValueStoreSuite
import StoreTestSupport
import TestFolders
import Testing

@testable import Engine

/// Whether the long versions of tests are wanted (`APUS_TEST_LONG=1`).
let isLongRun = ProcessInfo.processInfo.environment["APUS_TEST_LONG"] == "1"

@Suite("Store against a model", .serialized)
struct ModelTests {
    /// How the store under test is put together.
    struct Setup: Sendable, CustomTestStringConvertible {
        var name: String
        var applyDelay: Duration
        var isOnDisk: Bool
        var seeds: Int

        var testDescription: String { self.name }
    }

    static let setups = [
        Setup(name: "memory", applyDelay: .milliseconds(1), isOnDisk: false, seeds: 160),
        Setup(name: "disk", applyDelay: .milliseconds(1), isOnDisk: true, seeds: 20),
        Setup(name: "disk, in the log", applyDelay: .seconds(60), isOnDisk: true, seeds: 20),
    ]

    /// Steps of each seed: 50,000 operations over the setups.
    static let steps = 250

    @Test("answers 50,000 random requests like the model", arguments: setups)
    func requests(setup: Setup) async throws {
        for seed in 1...UInt64(setup.seeds * (isLongRun ? 10 : 1)) {
            let directory = TemporaryDirectory()
            try await self.run(setup, seed: seed, directory.path)
        }
    }

    private func open(
        _ setup: Setup,
        _ backend: any StorageBackend
    ) throws -> EmbeddedStore {
        var options = StoreOptions()
        options.applyDelay = setup.applyDelay
        options.compactionStep = 3
        return try EmbeddedStore(backend: backend, options: options, clock: ManualClock())
    }

    private func run(_ setup: Setup, seed: UInt64, _ path: String) async throws {
        if setup.isOnDisk {
            func reopen() throws -> EmbeddedStore {
                let backend = try DirectoryBackend(
                    opening: path,
                    options: testBackendOptions(),
                    fresh: testState
                )
                return try self.open(setup, backend)
            }
            try await self.run(seed: seed, open: reopen)
        } else {
            let backend = MemoryBackend()
            try await self.run(seed: seed) { try self.open(setup, backend) }
        }
    }

    private func run(
        seed: UInt64,
        open: () throws -> EmbeddedStore
    ) async throws {
        var generator = RequestGenerator(seed: seed)
        var model = ModelStore()
        var current: EmbeddedStore? = try open()
        defer { try? current?.close() }
        for step in 0..<Self.steps {
            let next = generator.step(
                revision: model.revision,
                compactRevision: model.compactRevision
            )
            let comment = "seed \(seed), step \(step): \(next)"
            if case .restart = next {
                try current?.close()
                // The directory is let go of with the last reference.
                current = nil
                current = try open()
                continue
            }
            let store = try #require(current)
            switch next {
            case .range(let request):
                try await self.compare(comment) {
                    try model.range(request)
                } _: {
                    try await store.range(request)
                }
            case .put(let request):
                try await self.compare(comment) {
                    try model.put(request)
                } _: {
                    try await store.put(request)
                }
            case .deleteRange(let request):
                try await self.compare(comment) {
                    try model.deleteRange(request)
                } _: {
                    try await store.deleteRange(request)
                }
            case .txn(let request):
                try await self.compare(comment) {
                    try model.txn(request)
                } _: {
                    try await store.txn(request)
                }
            case .compact(let revision):
                try await self.compare(comment) {
                    try model.compact(revision)
                    return CompactionResponse(header: ResponseHeader(revision: model.revision))
                } _: {
                    let request = CompactionRequest(revision: revision, physical: seed % 2 == 0)
                    return try await store.compact(request)
                }
            case .grant(let id, let ttl):
                try await self.compare(comment) {
                    try model.grant(id, ttl: ttl)
                    let header = ResponseHeader(revision: model.revision)
                    return LeaseGrantResponse(header: header, id: id, ttl: ttl)
                } _: {
                    try await store.leaseGrant(LeaseGrantRequest(ttl: ttl, id: id))
                }
            case .revoke(let id):
                try await self.compare(comment) {
                    try model.revoke(id)
                    return LeaseRevokeResponse(header: ResponseHeader(revision: model.revision))
                } _: {
                    try await store.leaseRevoke(LeaseRevokeRequest(id: id))
                }
            case .restart:
                continue
            }
        }
        try await self.checkEnd(try #require(current), model, seed)
    }

    /// Compares everything that can be read, and what watchers are told.
    private func checkEnd(
        _ store: EmbeddedStore,
        _ model: ModelStore,
        _ seed: UInt64
    ) async throws {
        let comment = "seed \(seed)"
        #expect(store.state.withLock { $0.index.defect() } == nil, "\(comment)")
        // Of the revisions that can be read each third; which of them changes with the seed.
        let first = max(1, model.compactRevision)
        let step = isLongRun ? 1 : 3
        let offset = isLongRun ? 0 : Int64(seed % 3)
        for revision in stride(from: first + offset, through: model.revision, by: step) {
            let request = RangeRequest(key: [0], rangeEnd: [0], revision: revision)
            try await self.compare("\(comment), revision \(revision)") {
                try model.range(request)
            } _: {
                try await store.range(request)
            }
        }
        let leases = try await store.leaseLeases().leases
        #expect(leases == model.leases.keys.sorted(), "\(comment)")
        for id in leases {
            let told = try await store.leaseTimeToLive(LeaseTimeToLiveRequest(id: id, keys: true))
            let keys = model.current.values.filter { $0.lease == id }.map(\.key).sorted()
            #expect(told.keys == keys, "\(comment), lease \(id)")
        }
        let start = max(1, model.compactRevision)
        let expected = model.events(from: start, key: [0], rangeEnd: [0], prevKV: true)
        let reader = WatchReader(try await store.openWatchStream())
        try await reader.create(
            WatchCreateRequest(key: [0], rangeEnd: [0], startRevision: start, prevKV: true)
        )
        let told = expected.isEmpty ? [] : try await reader.events(expected.count)
        #expect(told.map(\.kv.modRevision) == expected.map(\.kv.modRevision), "\(comment)")
        #expect(Set(told) == Set(expected), "\(comment)")
        reader.stream.close()
    }

    /// Runs both sides and compares what they answer or throw, headers included.
    private func compare<Response: Masked>(
        _ comment: String,
        _ model: () throws -> Response,
        _ store: () async throws -> Response
    ) async throws {
        let expected = Result { try model() }
        let actual: Result<Response, any Error>
        do {
            actual = .success(try await store())
        } catch {
            actual = .failure(error)
        }
        switch (expected, actual) {
        case (.success(let expected), .success(let actual)):
            try #require(actual.masked == expected.masked, "\(comment)")
        case (.failure(let expected), .failure(let actual)):
            try #require(actual as? StoreError == expected as? StoreError, "\(comment)")
        case (.success, .failure(let error)):
            Issue.record(error, "\(comment)")
        case (.failure(let error), .success):
            Issue.record("does not throw \(error): \(comment)")
        }
    }
}

/// A response whose header can be reduced to what a model knows.
protocol Masked: Equatable {
    var header: ResponseHeader { get set }
}

extension Masked {
    var masked: Self {
        var copy = self
        copy.header = ResponseHeader(revision: self.header.revision)
        return copy
    }
}

extension RangeResponse: Masked {}
extension PutResponse: Masked {}
extension DeleteRangeResponse: Masked {}
extension TxnResponse: Masked {}
extension CompactionResponse: Masked {}
extension LeaseGrantResponse: Masked {}
extension LeaseRevokeResponse: Masked {}
