// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Engine
internal import EtcdServer
internal import Flags
import Glibc

extension Command {
    /// `apus etcd check`: whether a store is sound.
    static let etcdCheck = Command(
        "check",
        summary: "Check every record, lease and page of a store that is not running",
        usage: "--data-dir DIR",
        discussion: """
            Opens the store in a directory as `apus etcd` does: the structure of its file, the
            checksum of every record, their sum, the leases, and the log. The first defect is named
            and the exit code is 1.

            What the log holds is moved to the table, as by every opening.
            """,
        flags: [EtcdFlags.dataDir, EtcdFlags.name]
    ) { invocation in
        try invocation.expectNoArguments()
        let path = try EtcdFlags(invocation.flags).dataDirectory()
        let report = try StoreTool.check(path)
        invocation.output.line("revision        \(report.revision)")
        invocation.output.line("compacted       \(report.compactRevision)")
        invocation.output.line("keys            \(report.keys)")
        invocation.output.line("records         \(report.records)")
        invocation.output.line("leases          \(report.leases)")
        invocation.output.line("bytes on disk   \(report.allocatedBytes)")
        invocation.output.line("bytes in use    \(report.usedBytes)")
        invocation.output.line("\(path) is sound")
        return .success
    }

    /// `apus etcd snapshot`.
    static let etcdSnapshot = Command(
        "snapshot",
        summary: "Save, restore and look at snapshots",
        subcommands: [.snapshotSave, .snapshotRestore, .snapshotStatus]
    )

    private static let endpoint = Flag(
        "endpoint",
        default: "http://127.0.0.1:2379",
        help: "`URL` of the running store or etcd"
    )
    private static let caFile = Flag("cacert", default: "", help: "PEM `file` of its authority")
    private static let certFile = Flag("cert", default: "", help: "PEM `file` of our certificate")
    private static let keyFile = Flag("key", default: "", help: "PEM `file` of its key")

    private static let snapshotSave = Command(
        "save",
        summary: "Save a snapshot of a running store, or of an etcd",
        usage: "FILE [flags]",
        flags: [endpoint, caFile, certFile, keyFile]
    ) { invocation in
        let path = try invocation.singleArgument("FILE")
        let connection = StoreTool.Connection(
            url: invocation.flags[endpoint],
            authorityPath: invocation.flags[caFile],
            certificatePath: invocation.flags[certFile],
            privateKeyPath: invocation.flags[keyFile]
        )
        let bytes = try await StoreTool.save(connection, to: path)
        invocation.output.line("saved \(bytes) bytes to \(path)")
        return .success
    }

    private static let skipHashCheck = Flag(
        "skip-hash-check",
        default: false,
        help: "do without the file's SHA-256, which a copy of etcd's data file has not"
    )
    private static let bump = Flag(
        "bump-revision",
        default: 0,
        help: "what to add to the revision, so that clients that saw later ones notice"
    )
    private static let markCompacted = Flag(
        "mark-compacted",
        default: false,
        help: "accepted for compatibility: a bumped revision always leaves the rest compacted"
    )

    private static let snapshotRestore = Command(
        "restore",
        summary: "Make a store from a snapshot of this store or of an etcd",
        usage: "FILE --data-dir DIR [flags]",
        flags: [EtcdFlags.dataDir, EtcdFlags.name, skipHashCheck, bump, markCompacted]
    ) { invocation in
        let path = try invocation.singleArgument("FILE")
        let directory = try EtcdFlags(invocation.flags).dataDirectory()
        let amount = invocation.flags[bump]
        guard amount >= 0 else { throw UsageError("--bump-revision cannot be below 0") }
        let revision = try StoreTool.restore(
            path,
            into: directory,
            skipsHashCheck: invocation.flags[skipHashCheck],
            revisionBump: Int64(amount)
        )
        invocation.output.line("restored revision \(revision) into \(directory)")
        return .success
    }

    private static let snapshotStatus = Command(
        "status",
        summary: "Tell what a snapshot holds",
        usage: "FILE"
    ) { invocation in
        let status = try SnapshotFile.status(invocation.singleArgument("FILE"))
        invocation.output.line("hash         \(String(status.hash, radix: 16))")
        invocation.output.line("revision     \(status.revision)")
        invocation.output.line("total keys   \(status.totalKeys)")
        invocation.output.line("total bytes  \(status.totalBytes)")
        return .success
    }
}
