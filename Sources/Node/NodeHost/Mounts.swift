// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CLinux
import Glibc

/// Mounts of the node. Every function blocks.
package enum Mounts {
    /// One mount.
    package struct Entry: Sendable, Equatable {
        package var path: String
        package var type: String
        package var source: String
    }

    /// What is mounted now, in the order it was.
    package static func list() -> [Entry] {
        guard let bytes = try? HostFiles.read("/proc/self/mountinfo", limit: 64 << 20) else {
            return []
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap {
            Self.entry($0)
        }
    }

    /// A line of mountinfo.
    static func entry(_ line: Substring) -> Entry? {
        let fields = line.split(separator: " ")
        guard fields.count >= 10, let dash = fields.firstIndex(of: "-"), dash + 2 < fields.count
        else { return nil }
        return Entry(
            path: Self.unescaped(fields[4]),
            type: String(fields[dash + 1]),
            source: Self.unescaped(fields[dash + 2])
        )
    }

    /// The kernel writes space, tab, newline and backslash in octal.
    private static func unescaped(_ text: Substring) -> String {
        guard text.contains("\\") else { return String(text) }
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count,
                let value = UInt8(
                    String(decoding: bytes[(index + 1)...(index + 3)], as: UTF8.self),
                    radix: 8
                )
            {
                result.append(value)
                index += 4
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Paths of mounts at `path` or below, deepest first.
    package static func below(_ path: String) -> [String] {
        Self.list().map(\.path).filter { $0 == path || $0.hasPrefix(path + "/") }.sorted(by: >)
    }

    package static func isMounted(_ path: String) -> Bool {
        Self.list().contains { $0.path == path }
    }

    /// Mounts a tmpfs.
    package static func tmpfs(
        on path: String,
        sizeBytes: Int64? = nil,
        mode: UInt32 = 0o777
    ) throws(HostError) {
        var options = "mode=0\(String(mode, radix: 8))"
        if let sizeBytes { options += ",size=\(sizeBytes)" }
        guard apus_mount("tmpfs", path, "tmpfs", 0, options) == 0 else {
            throw HostError("mount", path)
        }
    }

    /// Mounts a folder a second time.
    package static func bind(
        _ source: String,
        to target: String,
        readOnly: Bool = false
    ) throws(HostError) {
        guard apus_mount(source, target, nil, apus_ms_bind | apus_ms_rec, nil) == 0 else {
            throw HostError("mount", target)
        }
        guard readOnly else { return }
        let flags = apus_ms_bind | apus_ms_remount | apus_ms_rdonly
        guard apus_mount(nil, target, nil, flags, nil) == 0 else {
            throw HostError("mount", target)
        }
    }

    /// Undoes a mount; one that is busy is taken out of sight and ends with its last user.
    package static func unmount(_ path: String) throws(HostError) {
        if apus_unmount(path, apus_umount_nofollow) == 0 || errno == EINVAL || errno == ENOENT {
            return
        }
        guard errno == EBUSY else { throw HostError("umount", path) }
        guard apus_unmount(path, apus_umount_nofollow | apus_mnt_detach) == 0 else {
            throw HostError("umount", path)
        }
    }

    /// Undoes every mount at `path` and below.
    package static func unmountAll(below path: String) throws(HostError) {
        for mount in Self.below(path) { try Self.unmount(mount) }
    }
}
