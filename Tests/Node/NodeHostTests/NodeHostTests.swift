// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Synchronization
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

    @Test("CVE-2017-1002102: removes links, not what they lead to")
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
        "CVE-2017-1002101: opens nothing outside a volume",
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

    @Test("CVE-2017-1002102: changes its own files, whatever a pod has put in their places")
    func atomicDirectoryWithLinks() throws {
        let (temporary, otherDirectory) = (TemporaryDirectory(), TemporaryDirectory())
        defer { withExtendedLifetime((temporary, otherDirectory)) {} }
        let (folder, other) = (temporary.path, otherDirectory.path)
        try HostFiles.write([1], to: "\(other)/a")
        try HostFiles.makeDirectory("\(other)/d")
        try HostFiles.write([1], to: "\(other)/d/b")
        let directory = AtomicDirectory(path: folder)
        try directory.update(["a": .init(bytes: [2], mode: 0o640)], version: "1")
        // The old version, a visible name and the temporary link lead out of the folder.
        try HostFiles.removeTree("\(folder)/..1")
        symlink(other, "\(folder)/..1")
        unlink("\(folder)/a")
        symlink("\(other)/a", "\(folder)/a")
        symlink(other, "\(folder)/..data_tmp")
        symlink(other, "\(folder)/d")
        let wanted: [String: AtomicDirectory.File] = [
            "a": .init(bytes: [3], mode: 0o640), "d/b": .init(bytes: [4], mode: 0o640),
        ]
        #expect(try directory.update(wanted, version: "2"))
        #expect(try HostFiles.read("\(folder)/a") == [3])
        #expect(try HostFiles.read("\(folder)/d/b") == [4])
        #expect(try HostFiles.read("\(other)/a") == [1])
        #expect(try HostFiles.read("\(other)/d/b") == [1])
    }

    /// Two seconds of exchanges; a minute when there is time.
    private static let raceDuration: Duration =
        getenv("APUS_TEST_LONG") == nil ? .seconds(2) : .seconds(60)

    @Test("CVE-2021-25741: never leaves a volume while a thread exchanges links in it")
    func subpathRace() async throws {
        let temporary = TemporaryDirectory()
        defer { withExtendedLifetime(temporary) {} }
        let folder = temporary.path
        let volume = "\(folder)/volume"
        try HostFiles.makeDirectory("\(volume)/real/sub")
        try HostFiles.makeDirectory("\(folder)/outside/sub")
        let outside = HostFiles.status("\(folder)/outside/sub").map(\.st_ino)
        let root = open(volume, O_RDONLY | O_DIRECTORY)
        defer { close(root) }
        symlink("real", "\(volume)/here")
        let isOver = Mutex(false)
        let (beginning, begins) = AsyncStream.makeStream(of: Void.self)
        let swapper = Task.detached {
            var round = 0
            repeat {
                let link = "\(volume)/swap"
                unlink(link)
                symlink(round % 2 == 0 ? "../outside" : "real", link)
                rename(link, "\(volume)/here")
                round += 1
                begins.finish()
            } while !isOver.withLock(\.self)
            return round
        }
        // On a busy machine it takes a while until the thread is there.
        for await _ in beginning {}
        let end = ContinuousClock.now + Self.raceDuration
        var (opened, refused) = (0, 0)
        while ContinuousClock.now < end {
            guard
                let found = try? Subpath.open("here/sub", beneath: root, path: volume, mode: 0o755)
            else {
                refused += 1
                continue
            }
            var status = stat()
            fstat(found, &status)
            close(found)
            opened += 1
            #expect(status.st_ino != outside)
        }
        isOver.withLock { $0 = true }
        #expect(await swapper.value > 0)
        #expect(opened + refused > 0)
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
