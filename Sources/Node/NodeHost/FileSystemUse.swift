// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// How full a file system is.
package struct FileSystemUse: Sendable, Equatable {
    package var capacityBytes: UInt64
    package var availableBytes: UInt64
    package var usedBytes: UInt64
    package var inodes: UInt64
    package var inodesFree: UInt64
    package var device: UInt64

    /// Of the file system that `path` lies on; nil when it cannot be asked.
    package init?(of path: String) {
        var info = statvfs()
        guard statvfs(path, &info) == 0 else { return nil }
        let block = UInt64(info.f_frsize > 0 ? info.f_frsize : info.f_bsize)
        self.capacityBytes = UInt64(info.f_blocks) * block
        self.availableBytes = UInt64(info.f_bavail) * block
        self.usedBytes = (UInt64(info.f_blocks) - UInt64(info.f_bfree)) * block
        self.inodes = UInt64(info.f_files)
        self.inodesFree = UInt64(info.f_ffree)
        self.device = HostFiles.status(path).map { UInt64($0.st_dev) } ?? 0
    }
}

/// What a folder takes on disk.
package struct FolderUse: Sendable, Equatable {
    package var bytes: UInt64 = 0
    package var inodes: UInt64 = 0

    /// Walks the folder without following links and without leaving its file system.
    package init(of path: String) {
        guard let root = HostFiles.status(path, follows: false) else { return }
        var seen: Set<UInt64> = []
        self.add(path, root, device: root.st_dev, &seen)
    }

    private mutating func add(
        _ path: String,
        _ status: stat,
        device: dev_t,
        _ seen: inout Set<UInt64>
    ) {
        if status.st_nlink > 1, status.st_mode & S_IFMT != S_IFDIR,
            !seen.insert(UInt64(status.st_ino)).inserted
        {
            return
        }
        self.bytes += UInt64(status.st_blocks) * 512
        self.inodes += 1
        guard status.st_mode & S_IFMT == S_IFDIR, let directory = opendir(path) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = HostFiles.name(of: entry)
            if name == "." || name == ".." { continue }
            let child = "\(path)/\(name)"
            guard let status = HostFiles.status(child, follows: false), status.st_dev == device
            else { continue }
            self.add(child, status, device: device, &seen)
        }
    }
}
