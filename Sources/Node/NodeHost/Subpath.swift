// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CLinux
import Glibc

/// A place inside a volume, found without ever leaving it, whatever links the pods of the volume
/// make and exchange meanwhile.
///
/// The kernel resolves the path beneath an open folder and gives a handle; the mount is made from
/// the handle, so what was checked is what is mounted (CVE-2017-1002101, CVE-2021-25741).
package enum Subpath {
    /// Mounts `relative` of the volume at `volume` on `target`, which is made: a folder, or a file
    /// when the source is one.
    ///
    /// What is missing of `relative` is made as folders.
    package static func bind(
        _ relative: String,
        of volume: String,
        to target: String,
        mode: UInt32 = 0o755
    ) throws(HostError) {
        let root = apus_open(volume, apus_o_path | O_DIRECTORY | O_CLOEXEC, 0)
        guard root >= 0 else { throw HostError("open", volume) }
        defer { close(root) }
        let source = try Self.open(relative, beneath: root, path: volume, mode: mode)
        defer { close(source) }
        var status = stat()
        guard fstat(source, &status) == 0 else { throw HostError("stat", relative) }
        if status.st_mode & S_IFMT == S_IFDIR {
            try HostFiles.makeDirectory(target)
        } else {
            if let slash = target.lastIndex(of: "/") {
                try HostFiles.makeDirectory(String(target[..<slash]))
            }
            let file = apus_open(target, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
            guard file >= 0 else { throw HostError("open", target) }
            close(file)
        }
        let handle = "/proc/self/fd/\(source)"
        guard apus_mount(handle, target, nil, apus_ms_bind | apus_ms_rec, nil) == 0 else {
            throw HostError("mount", target)
        }
    }

    /// A handle of `relative` beneath `root`; what is missing is made as folders.
    static func open(
        _ relative: String,
        beneath root: Int32,
        path: String,
        mode: UInt32
    ) throws(HostError) -> Int32 {
        let resolve = apus_resolve_beneath | apus_resolve_no_magiclinks
        let flags = UInt64(apus_o_path | O_CLOEXEC)
        let parts = relative.split(separator: "/")
        guard !parts.contains("..") else {
            throw HostError(code: EINVAL, operation: "open", path: relative)
        }
        let clean = parts.isEmpty ? "." : parts.joined(separator: "/")
        let whole = apus_openat2(root, clean, flags, 0, resolve)
        if whole >= 0 { return whole }
        guard errno == ENOENT else { throw HostError("open", "\(path)/\(relative)") }
        var current = dup(root)
        for part in parts {
            var next = apus_openat2(current, String(part), flags, 0, resolve)
            if next < 0, errno == ENOENT {
                guard mkdirat(current, String(part), mode) == 0 || errno == EEXIST else {
                    let error = HostError("mkdir", "\(path)/\(relative)")
                    close(current)
                    throw error
                }
                let only = apus_resolve_beneath | apus_resolve_no_symlinks
                next = apus_openat2(current, String(part), flags | UInt64(O_DIRECTORY), 0, only)
            }
            guard next >= 0 else {
                let error = HostError("open", "\(path)/\(relative)")
                close(current)
                throw error
            }
            close(current)
            current = next
        }
        return current
    }
}
