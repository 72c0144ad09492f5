// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CLinux
import Glibc

/// A folder whose files change all at once: they are links through `..data` into a folder with the
/// present version, and one rename changes where `..data` leads.
///
/// Programs that watch such volumes know this layout from upstream.
///
/// Source: upstream `pkg/volume/util/atomic_writer.go`.
package struct AtomicDirectory: Sendable {
    /// One file.
    package struct File: Sendable, Equatable {
        package var bytes: [UInt8]
        package var mode: UInt32
        /// Owner, when not the kubelet's.
        package var owner: UInt32?

        package init(bytes: [UInt8], mode: UInt32, owner: UInt32? = nil) {
            self.bytes = bytes
            self.mode = mode
            self.owner = owner
        }
    }

    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Whether a relative path stays in the folder and does not touch its own names.
    package static func isSafe(_ relative: String) -> Bool {
        if relative.isEmpty || relative.hasPrefix("/") || relative.utf8.count > 4096 {
            return false
        }
        let parts = relative.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, !first.hasPrefix("..") else { return false }
        return parts.allSatisfy { !$0.isEmpty && $0 != ".." && $0 != "." && $0.utf8.count <= 255 }
    }

    /// Makes the folder hold exactly `files`, by relative path.
    ///
    /// - Parameters:
    ///   - version: the name of the new version, without dots at its start; unique.
    ///   - group: the group of every file; nil for the kubelet's.
    /// - Returns: whether anything changed.
    @discardableResult
    package func update(
        _ files: [String: File],
        version: String,
        group: UInt32? = nil
    ) throws(HostError) -> Bool {
        for relative in files.keys where !Self.isSafe(relative) {
            throw HostError(code: EINVAL, operation: "write", path: relative)
        }
        let link = self.path + "/..data"
        let old = HostFiles.linkTarget(link)
        if let old, self.holds(files, in: "\(self.path)/\(old)", group: group) { return false }
        let name = "..\(version)"
        let folder = "\(self.path)/\(name)"
        try HostFiles.makeDirectory(folder)
        chmod(folder, 0o755)
        for (relative, file) in files {
            try self.write(file, to: "\(folder)/\(relative)", group: group)
        }
        let temporary = self.path + "/..data_tmp"
        unlink(temporary)
        guard symlink(name, temporary) == 0 else { throw HostError("symlink", temporary) }
        guard rename(temporary, link) == 0 else { throw HostError("rename", temporary) }
        try self.link(files)
        if let old, old != name { try? HostFiles.removeTree("\(self.path)/\(old)") }
        return true
    }

    private func write(
        _ file: File,
        to path: String,
        group: UInt32?
    ) throws(HostError) {
        if let slash = path.lastIndex(of: "/") {
            try HostFiles.makeDirectory(String(path[..<slash]))
        }
        try HostFiles.write(file.bytes, to: path, mode: file.mode)
        // The mask of the process does not count.
        guard chmod(path, file.mode) == 0 else { throw HostError("chmod", path) }
        if file.owner != nil || group != nil {
            guard chown(path, file.owner ?? .max, group ?? .max) == 0 else {
                throw HostError("chown", path)
            }
        }
    }

    /// Makes the visible links of `files`, and removes those of files that are gone.
    private func link(_ files: [String: File]) throws(HostError) {
        let wanted = Set(files.keys.map { String($0.prefix { $0 != "/" }) })
        for name in wanted {
            let path = "\(self.path)/\(name)"
            if HostFiles.linkTarget(path) == "..data/\(name)" { continue }
            unlink(path)
            guard symlink("..data/\(name)", path) == 0 else { throw HostError("symlink", path) }
        }
        for name in HostFiles.list(self.path) where !name.hasPrefix("..") && !wanted.contains(name)
        {
            unlink("\(self.path)/\(name)")
        }
    }

    private func holds(_ files: [String: File], in folder: String, group: UInt32?) -> Bool {
        guard Self.count(in: folder) == files.count else { return false }
        return files.allSatisfy { relative, file in
            let path = "\(folder)/\(relative)"
            guard let status = HostFiles.status(path, follows: false),
                Int(status.st_size) == file.bytes.count,
                status.st_mode & 0o7777 == file.mode,
                file.owner == nil || status.st_uid == file.owner,
                group == nil || status.st_gid == group
            else { return false }
            return (try? HostFiles.read(path)) == file.bytes
        }
    }

    private static func count(in folder: String) -> Int {
        HostFiles.list(folder).reduce(0) { sum, name in
            let path = "\(folder)/\(name)"
            guard let status = HostFiles.status(path, follows: false) else { return sum }
            return sum + (status.st_mode & S_IFMT == S_IFDIR ? Self.count(in: path) : 1)
        }
    }
}
