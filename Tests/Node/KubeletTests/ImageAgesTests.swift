// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NodeHost
import PodLifecycle
import Testing

@testable import Kubelet

@Suite("ImageAges")
struct ImageAgesTests {
    private static let second: Int64 = 1_000_000_000

    @Test("removes what was not used for longest, and nothing that is used, pinned or young")
    func orders() {
        var ages = ImageAges()
        let image = { (id: String, isUsed: Bool) in
            ImageAges.Image(id: id, bytes: 1, isUsed: isUsed, isPinned: id == "pinned")
        }
        ages.note([image("a", true), image("b", true), image("pinned", false)], now: Self.second)
        ages.note(
            [image("a", true), image("b", false), image("pinned", false)],
            now: 2 * Self.second
        )
        let now = 100 * Self.second
        let images = [
            image("a", false), image("b", false), image("c", false), image("used", true),
            image("pinned", false),
        ]
        ages.note(images, now: now)
        #expect(ages.removable(images, now: now, minimumAge: .zero).map(\.id) == ["c", "b", "a"])
        #expect(
            ages.removable(images, now: now, minimumAge: .seconds(50)).map(\.id) == ["b", "a"]
        )
    }

    @Test("forgets images that are gone")
    func forgets() {
        var ages = ImageAges()
        let image = ImageAges.Image(id: "a", bytes: 1)
        ages.note([image], now: 0)
        ages.note([], now: Self.second)
        ages.note([image], now: 2 * Self.second)
        let removable = ages.removable([image], now: 3 * Self.second, minimumAge: .seconds(2))
        #expect(removable.isEmpty)
    }

    @Test(
        "removes down to the lower limit once the upper one is reached",
        arguments: [(160, nil), (151, 49), (150, 50), (100, 100), (0, 200)]
            as [(UInt64, Int64?)]
    )
    func limits(_ available: UInt64, _ expected: Int64?) throws {
        var disk = try #require(FileSystemUse(of: "/"))
        disk.capacityBytes = 1000
        disk.availableBytes = available
        #expect(ImageAges.excess(disk, high: 85, low: 80) == expected)
        #expect(ImageAges.excess(disk, high: 100, low: 80) == nil)
    }
}

@Suite("KubeletSettings+Eviction")
struct EvictionSettingsTests {
    @Test("has upstream's thresholds, and watches what pods may have together")
    func defaults() throws {
        let thresholds = try KubeletSettings(nodeName: "n").evictionThresholds()
        #expect(
            thresholds.map(\.signal.rawValue) == [
                "imagefs.available", "imagefs.inodesFree", "memory.available",
                "allocatableMemory.available", "nodefs.available", "nodefs.inodesFree",
            ]
        )
        #expect(thresholds.allSatisfy { $0.grace == nil })
    }

    @Test(
        "refuses what it cannot use",
        arguments: [
            ("memory.free", "1Gi", false), ("memory.available", "-1", false),
            ("memory.available", "110%", false), ("nodefs.available", "1Gi", true),
        ]
    )
    func refuses(_ signal: String, _ value: String, _ isSoft: Bool) {
        var settings = KubeletSettings(nodeName: "n")
        if isSoft {
            settings.evictionSoft = [signal: value]
        } else {
            settings.evictionHard = [signal: value]
        }
        #expect(throws: EvictionSettingsError.self) { try settings.evictionThresholds() }
    }

    @Test("takes 0% and 100% as none", arguments: ["0%", "100%"])
    func none(_ value: String) throws {
        var settings = KubeletSettings(nodeName: "n")
        settings.evictionHard = ["memory.available": value]
        #expect(try settings.evictionThresholds().isEmpty)
    }
}
