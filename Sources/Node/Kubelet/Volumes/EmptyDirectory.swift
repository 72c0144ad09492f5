// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import NodeHost
import PodLifecycle
import Protobuf
import Scalars

/// Volumes that begin empty and end with their pod: on the node's disk or in memory.
///
/// Source: upstream `pkg/volume/emptydir/empty_dir.go`.
enum EmptyDirectory {
    /// Makes the folder when it is not there. Blocks.
    static func ensure(
        _ path: String,
        _ source: CoreV1.EmptyDirVolumeSource,
        pod: CoreV1.Pod,
        group: UInt32?
    ) throws(HostError) -> MountedVolume {
        let isNew = !HostFiles.exists(path)
        try HostFiles.makeDirectory(path)
        if source.medium == "Memory", !Mounts.isMounted(path) {
            try Mounts.tmpfs(on: path, sizeBytes: Self.memorySize(source, pod))
        }
        if isNew || source.medium == "Memory" {
            guard chmod(path, group == nil ? 0o777 : 0o2777) == 0 else {
                throw HostError("chmod", path)
            }
            if let group {
                guard chown(path, .max, group) == 0 else { throw HostError("chown", path) }
                chmod(path, 0o2777)
            }
        }
        return MountedVolume(path: path)
    }

    /// The size of a volume in memory: the smaller of its own limit and the pod's memory limit.
    static func memorySize(_ source: CoreV1.EmptyDirVolumeSource, _ pod: CoreV1.Pod) -> Int64? {
        let resources = PodResources(of: pod)
        let own = (try? source.sizeLimit?.parsed())?.value
        let limit = resources.limited.contains("memory") ? resources.limits["memory"]?.value : nil
        guard let own, own > 0 else { return limit }
        return limit.map { min($0, own) } ?? own
    }
}

/// Folders and files of the node.
///
/// Source: upstream `pkg/volume/hostpath/host_path.go`.
enum HostPathVolume {
    /// What is at the path is not what the type asks for.
    struct Mismatch: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    /// Checks the type, and makes what it says to make. Blocks.
    static func check(_ source: CoreV1.HostPathVolumeSource) throws(Mismatch) -> MountedVolume {
        let path = source.path
        let type = source.type ?? ""
        if path.split(separator: "/").contains("..") {
            throw Mismatch(description: "path must not contain '..'")
        }
        let isThere = HostFiles.exists(path)
        do throws(HostError) {
            if !isThere, type == "DirectoryOrCreate" { try HostFiles.makeDirectory(path) }
            if !isThere, type == "FileOrCreate" { try HostFiles.write([], to: path) }
        } catch {
            throw Mismatch(description: error.description)
        }
        let kind = HostFiles.mode(path).map { $0 & S_IFMT }
        let (wanted, word): (mode_t?, String) =
            switch type {
            case "Directory", "DirectoryOrCreate": (S_IFDIR, "a directory")
            case "File", "FileOrCreate": (S_IFREG, "a file")
            case "Socket": (S_IFSOCK, "a socket file")
            case "CharDevice": (S_IFCHR, "a character device")
            case "BlockDevice": (S_IFBLK, "a block device")
            default: (nil, "")
            }
        if let wanted, kind != wanted {
            throw Mismatch(
                description: "hostPath type check failed: \(path) is not \(word)"
            )
        }
        return MountedVolume(path: path, isOwned: false)
    }
}

/// Groups of files of a volume.
enum Ownership {
    /// Gives every file below `path` a group and its members the owner's rights. Links are not
    /// followed. Blocks.
    static func set(group: UInt32, below path: String) {
        guard let mode = HostFiles.mode(path, follows: false) else { return }
        lchown(path, .max, group)
        let kind = mode & S_IFMT
        if kind == S_IFLNK { return }
        let isFolder = kind == S_IFDIR
        chmod(path, mode & 0o7777 | (isFolder ? 0o2770 : 0o660))
        guard isFolder else { return }
        for name in HostFiles.list(path) { Self.set(group: group, below: "\(path)/\(name)") }
    }
}
