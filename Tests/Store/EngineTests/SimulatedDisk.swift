// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Synchronization

@testable import Engine

/// What outlives a crash in a simulation: the frames of the log, and the table.
///
/// Operations on it are counted, and one of them can be made to fail in one of two ways: before it
/// has done anything, or after it has done everything. A real disk does either, and does not say
/// which.
final class SimulatedDisk: Sendable {
    enum Fault: Sendable, CaseIterable {
        case beforeEffect
        case afterEffect
    }

    private struct State {
        var frames: [(sequence: UInt64, bytes: [UInt8])] = []
        var operations = 0
        var failsAt = Int.max
        var fault = Fault.beforeEffect
        var hasFailed = false
        var isFull = false
    }

    let table = MemoryBackend()
    private let state = Mutex(State())

    /// Makes operation `number`, counted from 1 on from now, fail.
    func fail(at number: Int, _ fault: Fault) {
        self.state.withLock { state in
            state.operations = 0
            state.failsAt = number
            state.fault = fault
            state.hasFailed = false
        }
    }

    /// Whether the failure has happened.
    var hasFailed: Bool { self.state.withLock { $0.hasFailed } }

    /// How many operations there were.
    var operations: Int { self.state.withLock { $0.operations } }

    /// Whether there is space for growth.
    var isFull: Bool {
        get { self.state.withLock { $0.isFull } }
        set { self.state.withLock { $0.isFull = newValue } }
    }

    func append(_ frame: UnsafeRawBufferPointer, sequence: UInt64) throws(BackendError) {
        let bytes = [UInt8](frame)
        let failed = self.state.withLock { state in
            state.operations += 1
            let fails = state.operations == state.failsAt
            if fails { state.hasFailed = true }
            if !fails || state.fault == .afterEffect { state.frames.append((sequence, bytes)) }
            return fails
        }
        if failed { throw .failed("injected: append \(sequence)") }
    }

    func apply(_ batch: borrowing TableBatch) throws(BackendError) {
        let (fails, takesEffect) = self.state.withLock { state in
            state.operations += 1
            let fails = state.operations == state.failsAt
            if fails { state.hasFailed = true }
            return (fails, !fails || state.fault == .afterEffect)
        }
        if takesEffect {
            try self.table.apply(batch)
            let sequence = batch.state.sequence
            self.state.withLock { $0.frames.removeAll { $0.sequence <= sequence } }
        }
        if fails { throw .failed("injected: apply") }
    }

    /// What opening a real store does: brings the table up to the log.
    func recover() throws(BackendError) {
        let frames = self.state.withLock { state in
            state.failsAt = .max
            return state.frames
        }
        var batch = TableBatch(state: self.table.state)
        for (sequence, bytes) in frames where sequence > self.table.state.sequence {
            let isSound = bytes.withUnsafeBytes { frame in
                Frame.open(frame).map { batch.add(frame, $0) } ?? false
            }
            if !isSound { throw .damaged("frame \(sequence)") }
        }
        batch.state.term += 1
        try self.table.apply(batch)
        withExtendedLifetime(frames) {}
        self.state.withLock { $0.frames.removeAll() }
    }
}

/// A backend on a simulated disk.
final class SimulatedBackend: StorageBackend {
    let disk: SimulatedDisk

    /// Opens what is on the disk.
    init(_ disk: SimulatedDisk) throws(BackendError) {
        try disk.recover()
        self.disk = disk
    }

    var name: String { "simulation" }

    func prepare(bytes: Int, pendingBytes: Int, isGrowth: Bool) throws(BackendError) {
        if isGrowth, self.disk.isFull { throw .noSpace("injected: no space") }
    }

    func append(_ frame: UnsafeRawBufferPointer, sequence: UInt64) throws(BackendError) {
        try self.disk.append(frame, sequence: sequence)
    }

    func apply(_ batch: borrowing TableBatch) throws(BackendError) {
        try self.disk.apply(batch)
    }

    func readRecord(
        _ revision: Revision,
        _ body: (UnsafeRawBufferPointer?) -> Void
    ) throws(BackendError) {
        try self.disk.table.readRecord(revision, body)
    }

    func readRecords(
        _ revisions: ArraySlice<Revision>,
        _ body: (Revision, UnsafeRawBufferPointer?) -> Bool
    ) throws(BackendError) {
        try self.disk.table.readRecords(revisions, body)
    }

    func measureRecords(
        _ revisions: ArraySlice<Revision>,
        _ body: (Revision, Int?) -> Bool
    ) throws(BackendError) {
        try self.disk.table.measureRecords(revisions, body)
    }

    func scanRecords(
        from first: Revision,
        _ body: (Revision, UnsafeRawBufferPointer) -> Bool
    ) throws(BackendError) {
        try self.disk.table.scanRecords(from: first, body)
    }

    func scanLeases(_ body: (Int64, Int64) -> Void) throws(BackendError) {
        try self.disk.table.scanLeases(body)
    }

    var state: TableState { self.disk.table.state }

    var usage: StorageUsage { self.disk.table.usage }

    func close() throws(BackendError) {}
}
