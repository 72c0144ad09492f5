// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import Testing

@testable import Images

@Suite("Images")
struct ImagesTests {
    @Test("writes what it reads", arguments: [1, 99, 100, 101, 255, 300])
    func names(length: Int) throws {
        var writer = TarWriter()
        let name = String(repeating: "n", count: length)
        writer.add(name, kind: .file, mode: 0o755, content: [1, 2, 3])
        writer.add("link", kind: .symbolicLink, mode: 0o777, target: name)
        let bytes = writer.finished()
        let entries = try TarReader.entries(bytes)
        #expect(entries.map(\.name) == [name, "link"])
        #expect(Array(bytes[entries[0].content]) == [1, 2, 3])
        #expect(entries[1].linkTarget == name)
    }

    @Test("never traps on an archive that is cut off or damaged")
    func damaged() {
        let archive = ImageBuilder(.init(name: "a.b/c:1")).archive(layer: TarWriter().finished())
        for cut in stride(from: 0, to: archive.count, by: 7) {
            _ = try? ImageArchive(Array(archive[..<cut]))
            var damaged = archive
            damaged[cut] ^= 0xff
            _ = try? ImageArchive(damaged)
        }
    }

    @Test("builds an image whose parts lead to each other")
    func archive() throws {
        let archive = try #require(ImageBuilder.pause(architecture: "amd64"))
        let image = try ImageArchive(archive)
        #expect(image.images.map(\.name) == [ImageBuilder.pauseName])
        #expect(image.blobs.count == 3)
        #expect(image.blobs.last?.labels.count == 2)
        let config = try #require(image.blobs.first { $0.mediaType == ImageBuilder.configType })
        let value = try DynamicValue(json: Array(config.bytes))
        #expect(value["config"]?["Entrypoint"]?.items.first?.string == "/pause")
        #expect(archive == ImageBuilder.pause(architecture: "amd64"))
    }

    @Test("has a pause program for each processor", arguments: ["amd64", "arm64"])
    func pause(architecture: String) {
        #expect(ImageBuilder.pause(architecture: architecture) != nil)
    }

    @Test("finds a blob that is damaged")
    func digest() throws {
        var archive = try #require(ImageBuilder.pause(architecture: "amd64"))
        // The first bytes of the pause program.
        let place = try #require(archive.firstRange(of: [0x7f, 0x45, 0x4c, 0x46]))
        archive[place.lowerBound + 4] ^= 1
        #expect(throws: ImageArchive.Malformed.self) { _ = try ImageArchive(archive) }
    }

    @Test(
        "CVE-2018-1002100: names of an archive lead to nothing on the disk",
        arguments: ["../index.json", "/index.json", "blobs/../index.json", "a/../../index.json"]
    )
    func names(entry: String) {
        var writer = TarWriter()
        writer.add(entry, kind: .file, mode: 0o644, content: Array("{\"manifests\":[]}".utf8))
        // Names are looked up, never followed: only `index.json` itself is the index.
        #expect(throws: ImageArchive.Malformed.self) { _ = try ImageArchive(writer.finished()) }
    }
}
