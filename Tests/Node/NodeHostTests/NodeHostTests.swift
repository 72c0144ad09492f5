// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import TestFolders
import Testing

@testable import NodeHost

@Suite("NodeHost")
struct NodeHostTests {
    @Test("changes all files of a folder at once")
    func atomicDirectory() throws {
        let temporary = TemporaryDirectory()
        defer { withExtendedLifetime(temporary) {} }
        let folder = temporary.path
        let directory = AtomicDirectory(path: folder)
        let first: [String: AtomicDirectory.File] = [
            "a": .init(bytes: [1], mode: 0o640), "d/b": .init(bytes: [2], mode: 0o400),
        ]
        #expect(try directory.update(first, version: "1"))
        #expect(try directory.update(first, version: "2") == false)
        #expect(HostFiles.linkTarget("\(folder)/a") == "..data/a")
        #expect(HostFiles.linkTarget("\(folder)/..data") == "..1")
        #expect(try HostFiles.read("\(folder)/d/b") == [2])
        #expect(HostFiles.status("\(folder)/a").map { $0.st_mode & 0o777 } == 0o640)
        #expect(try directory.update(["a": .init(bytes: [3], mode: 0o640)], version: "3"))
        #expect(try HostFiles.read("\(folder)/a") == [3])
        #expect(!HostFiles.exists("\(folder)/d"))
        #expect(!HostFiles.exists("\(folder)/..1"))
    }

    @Test(
        "refuses paths that leave the folder",
        arguments: ["", "/a", "..", "../a", "a/../b", "..data", "a//b", "./a", "..a"]
    )
    func unsafe(path: String) {
        #expect(!AtomicDirectory.isSafe(path))
        #expect(throws: HostError.self) {
            try AtomicDirectory(path: "/tmp").update(
                [path: .init(bytes: [], mode: 0o644)],
                version: "1"
            )
        }
    }

    @Test("removes links, not what they lead to")
    func removeTree() throws {
        let (directory, otherDirectory) = (TemporaryDirectory(), TemporaryDirectory())
        defer { withExtendedLifetime((directory, otherDirectory)) {} }
        let (folder, other) = (directory.path, otherDirectory.path)
        try HostFiles.write([1], to: "\(other)/kept")
        try HostFiles.makeDirectory("\(folder)/a/b")
        symlink(other, "\(folder)/a/link")
        try HostFiles.removeTree(folder)
        #expect(!HostFiles.exists(folder))
        #expect(HostFiles.exists("\(other)/kept"))
    }

    @Test(
        "opens nothing outside a volume",
        arguments: ["out/secret", "abs/secret", "deep/up/secret"]
    )
    func subpath(path: String) throws {
        let temporary = TemporaryDirectory()
        defer { withExtendedLifetime(temporary) {} }
        let folder = temporary.path
        let volume = "\(folder)/volume"
        try HostFiles.makeDirectory("\(volume)/deep")
        try HostFiles.makeDirectory("\(folder)/outside")
        try HostFiles.write([1], to: "\(folder)/outside/secret")
        symlink("../outside", "\(volume)/out")
        symlink("\(folder)/outside", "\(volume)/abs")
        symlink("../../outside", "\(volume)/deep/up")
        let root = open(volume, O_RDONLY | O_DIRECTORY)
        defer { close(root) }
        #expect(throws: HostError.self) {
            try Subpath.open(path, beneath: root, path: volume, mode: 0o755)
        }
    }

    @Test("never leaves a volume while links in it are exchanged")
    func subpathRace() throws {
        let temporary = TemporaryDirectory()
        defer { withExtendedLifetime(temporary) {} }
        let folder = temporary.path
        let volume = "\(folder)/volume"
        try HostFiles.makeDirectory("\(volume)/real")
        try HostFiles.makeDirectory("\(folder)/outside/sub")
        try HostFiles.makeDirectory("\(volume)/real/sub")
        let outside = HostFiles.status("\(folder)/outside/sub").map(\.st_ino)
        let root = open(volume, O_RDONLY | O_DIRECTORY)
        defer { close(root) }
        symlink("real", "\(volume)/here")
        for round in 0..<2_000 {
            let link = "\(volume)/swap"
            unlink(link)
            symlink(round % 2 == 0 ? "../outside" : "real", link)
            rename(link, "\(volume)/here")
            guard
                let found = try? Subpath.open("here/sub", beneath: root, path: volume, mode: 0o755)
            else { continue }
            var status = stat()
            fstat(found, &status)
            close(found)
            #expect(status.st_ino != outside)
        }
    }

    @Test("reads lines of mountinfo")
    func mountinfo() {
        let line = "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw"
        #expect(
            Mounts.entry(line[...])
                == Mounts.Entry(path: "/mnt 2", type: "ext3", source: "/dev/root")
        )
        #expect(Mounts.entry("36 35") == nil)
    }
}
