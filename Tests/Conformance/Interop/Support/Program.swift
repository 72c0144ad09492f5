// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Foundation
import RPCInterface
import Testing

/// A program that a test runs. It is ended with the test.
final class Program: @unchecked Sendable {
    // SAFETY: `Process` is started once and asked from the owning test's task only.
    private let process = Process()
    private let output = Pipe()
    private let input = Pipe()

    /// Starts a program found in PATH.
    init(_ name: String, _ arguments: [String], in directory: String? = nil) throws {
        self.process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        self.process.arguments = [name] + arguments
        if let directory {
            self.process.currentDirectoryURL = URL(fileURLWithPath: directory)
        }
        var environment = ProcessInfo.processInfo.environment
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        self.process.environment = environment
        self.process.standardOutput = self.output
        self.process.standardInput = self.input
        self.process.standardError = FileHandle.nullDevice
        try self.process.run()
    }

    /// Whether a program with these arguments exits with 0: for conditions of tests.
    static func succeeds(_ name: String, _ arguments: [String]) -> Bool {
        guard let program = try? Program(name, arguments) else { return false }
        try? program.input.fileHandleForWriting.close()
        _ = try? program.output.fileHandleForReading.readToEnd()
        program.process.waitUntilExit()
        return program.process.terminationStatus == 0
    }

    /// The first line that it prints.
    func firstLine() async throws -> String {
        try await self.blocking {
            var line: [UInt8] = []
            while let byte = try self.output.fileHandleForReading.read(upToCount: 1)?.first,
                byte != UInt8(ascii: "\n")
            {
                line.append(byte)
            }
            return String(decoding: line, as: UTF8.self)
        }
    }

    /// All that it prints until it exits.
    func allOutput() async throws -> String {
        try await self.blocking {
            let data = try self.output.fileHandleForReading.readToEnd() ?? Data()
            self.process.waitUntilExit()
            return String(decoding: data, as: UTF8.self)
        }
    }

    /// Ends it and waits until it is gone.
    func stop() {
        try? self.input.fileHandleForWriting.close()
        if self.process.isRunning { self.process.terminate() }
        self.process.waitUntilExit()
    }

    private func blocking<R: Sendable>(
        _ body: @escaping @Sendable () throws -> R
    ) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try body() })
            }
        }
    }
}

/// A directory that is removed with the test.
struct TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/apus-interop-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw CocoaError(.fileWriteUnknown) }
        self.path = String(cString: made)
    }

    func remove() { try? FileManager.default.removeItem(atPath: self.path) }
}

/// Where this suite's programs are.
enum Programs {
    static let directory =
        URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Programs").path

    /// Whether grpcio and what belongs to it are installed.
    static let hasGRPCIO = Program.succeeds(
        "python3",
        ["-c", "import grpc, grpc_tools, grpc_health, grpc_reflection"]
    )
}

/// The error of a call that has to fail.
func failure(_ body: () async throws -> Void) async -> String? {
    do {
        try await body()
        return nil
    } catch {
        return "\(error)"
    }
}

/// The status code that a call ends with; `nil` when it ends well.
func statusCode(_ body: () async throws -> Void) async -> RPCStatusCode? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? RPCError)?.code ?? .unknown
    }
}
