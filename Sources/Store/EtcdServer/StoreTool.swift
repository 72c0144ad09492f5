// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import Engine
internal import EtcdClient
internal import Glibc
internal import HTTP2Transport
internal import KeyValueStore
internal import NIOPosix
internal import RPC
internal import TLS

/// What an operator does with stores that are not served by this process.
package enum StoreTool {
    /// What `check` found.
    package struct Report: Sendable {
        package var revision: Int64
        package var compactRevision: Int64
        package var keys: Int
        package var records: Int64
        package var leases: Int
        package var allocatedBytes: Int64
        package var usedBytes: Int64
    }

    /// How to reach a store that runs.
    package struct Connection: Sendable {
        package var url: String
        package var authorityPath: String
        package var certificatePath: String
        package var privateKeyPath: String

        package init(
            url: String,
            authorityPath: String = "",
            certificatePath: String = "",
            privateKeyPath: String = ""
        ) {
            self.url = url
            self.authorityPath = authorityPath
            self.certificatePath = certificatePath
            self.privateKeyPath = privateKeyPath
        }
    }

    /// Opens the store in `path` and checks all of it.
    ///
    /// - Throws: the first defect.
    package static func check(_ path: String) throws(StoreServer.Failure) -> Report {
        guard access(path + "/data.mdb", F_OK) == 0 else {
            throw .configuration("\(path) holds no store")
        }
        do throws(BackendError) {
            let backend = try DirectoryBackend(opening: path) {
                TableState(clusterID: 1, memberID: 1)
            }
            let state = backend.state
            let store = try EmbeddedStore(backend: backend)
            let figures = store.figures
            do throws(StoreError) {
                try store.close()
            } catch {
                throw BackendError.failed(error.description)
            }
            return Report(
                revision: figures.revision,
                compactRevision: figures.compactRevision,
                keys: figures.keys,
                records: state.recordCount,
                leases: figures.leases,
                allocatedBytes: figures.allocatedBytes,
                usedBytes: figures.usedBytes
            )
        } catch {
            throw .storage(error)
        }
    }

    /// Makes a store in `directory` from a snapshot.
    ///
    /// - Returns: Its revision.
    package static func restore(
        _ path: String,
        into directory: String,
        skipsHashCheck: Bool,
        revisionBump: Int64
    ) throws(StoreServer.Failure) -> Int64 {
        var options = SnapshotFile.Options(
            clusterID: UInt64.random(in: 1...UInt64.max),
            memberID: UInt64.random(in: 1...UInt64.max)
        )
        options.skipsHashCheck = skipsHashCheck
        options.revisionBump = revisionBump
        do throws(BackendError) {
            return try SnapshotFile.restore(path, into: directory, options: options)
        } catch {
            throw .storage(error)
        }
    }

    /// Saves a snapshot of a running store. The file appears under its name when it is whole and
    /// on the disk.
    ///
    /// - Returns: Its size in bytes.
    package static func save(_ connection: Connection, to path: String) async throws -> Int {
        let client = try self.connect(connection)
        defer { client.close() }
        let stream = try await RemoteStore(channel: client).openSnapshot()
        defer { stream.close() }
        let partial = path + ".part"
        let file = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw self.failure("open", partial) }
        var isWhole = false
        defer {
            close(file)
            if !isWhole { unlink(partial) }
        }
        var total = 0
        while let part = try await stream.next() {
            total += part.count
            try part.withUnsafeBytes { try self.write($0, to: file, partial) }
        }
        guard total > 0 else {
            throw StoreServer.Failure.configuration("the snapshot is empty")
        }
        guard fsync(file) == 0 else { throw self.failure("fsync", partial) }
        guard rename(partial, path) == 0 else { throw self.failure("rename", path) }
        isWhole = true
        return total
    }

    private static func connect(_ connection: Connection) throws -> RPCClient {
        guard let url = EtcdURL(connection.url) else {
            throw StoreServer.Failure.configuration("'\(connection.url)' is no address")
        }
        var source: TLSContextSource?
        if url.isTLS {
            var tls = TLSClientConfiguration()
            if !connection.authorityPath.isEmpty { tls.authorityPath = connection.authorityPath }
            if !connection.certificatePath.isEmpty {
                tls.identity = TLSServerConfiguration.Identity(
                    certificatePath: connection.certificatePath,
                    privateKeyPath: connection.privateKeyPath
                )
            }
            source = try TLSContextSource(client: tls)
        }
        return RPCClient(
            to: url.endpoint,
            tls: source,
            group: MultiThreadedEventLoopGroup.singleton
        )
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer,
        to file: Int32,
        _ path: String
    ) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(file, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw self.failure("write", path) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private static func failure(_ call: String, _ path: String) -> StoreServer.Failure {
        .configuration("\(call) \(path): \(String(cString: strerror(errno)))")
    }
}
