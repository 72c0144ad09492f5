// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import NodeHost
import Testing

@testable import Kubelet

@Suite("RotatedLogs")
struct RotatedLogsTests {
    @Test(
        "keeps the newest, compresses them, and removes garbage",
        arguments: [
            ([], 5, [], []),
            (["0.log"], 5, [], []),
            (["0.log", "0.log.1"], 5, [], ["0.log.1"]),
            (["0.log.1.gz", "0.log.2", "0.log"], 5, [], ["0.log.2"]),
            (
                ["0.log.1.gz", "0.log.2.gz", "0.log.3.gz", "0.log.4"], 5, ["0.log.1.gz"],
                ["0.log.4"]
            ),
            (["0.log.1", "0.log.2"], 2, ["0.log.1", "0.log.2"], []),
            (["0.log.1", "0.log.1.gz", "0.log.2.gz.tmp"], 5, ["0.log.1", "0.log.2.gz.tmp"], []),
            (["1.log.1", "10.log.1"], 2, [], []),
        ] as [([String], Int, [String], [String])]
    )
    func plans(_ names: [String], _ maximum: Int, _ removals: [String], _ compressions: [String]) {
        let logs = RotatedLogs(of: "0.log", among: names, maximum: maximum)
        #expect(logs.removals == removals)
        #expect(logs.compressions == compressions)
    }

    @Test("names parts by their time")
    func names() {
        #expect(RotatedLogs.name(of: "0.log", at: 1_136_214_245) == "0.log.20060102-150405")
    }

    @Test("puts a log aside, compresses the one before, and drops the oldest")
    func prepares() throws {
        let folder = "/tmp/apus-rotated-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try HostFiles.makeDirectory(folder)
        defer { try? HostFiles.removeTree(folder) }
        let log = "\(folder)/0.log"
        for second in 0..<4 {
            try HostFiles.write(Array("part \(second)\n".utf8), to: log)
            let aside = try LogRotator.prepare(log, maximum: 3, now: Int64(second))
            #expect(aside == "\(folder)/0.log.19700101-00000\(second)")
            #expect(!HostFiles.exists(log))
        }
        #expect(
            HostFiles.list(folder) == ["0.log.19700101-000002.gz", "0.log.19700101-000003"]
        )
        let packed = try HostFiles.read("\(folder)/0.log.19700101-000002.gz")
        #expect(packed.prefix(2) == [0x1f, 0x8b])
        #expect(RotatedLogs.paths(of: log).count == 2)
    }

    @Test("puts no second log aside in one second")
    func collides() throws {
        let folder = "/tmp/apus-rotated-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try HostFiles.makeDirectory(folder)
        defer { try? HostFiles.removeTree(folder) }
        try HostFiles.write([1], to: "\(folder)/0.log")
        #expect(try LogRotator.prepare("\(folder)/0.log", maximum: 5, now: 7) != nil)
        try HostFiles.write([2], to: "\(folder)/0.log")
        _ = try LogRotator.prepare("\(folder)/0.log", maximum: 5, now: 8)
        try HostFiles.write([3], to: "\(folder)/0.log")
        #expect(try LogRotator.prepare("\(folder)/0.log", maximum: 5, now: 8) == nil)
        #expect(try HostFiles.read("\(folder)/0.log") == [3])
    }

    @Test(
        "foresees when a log is too large",
        arguments: [
            (0, 50, Duration.seconds(10)), (50, 50, nil), (50, 40, nil), (90, 95, .seconds(10)),
        ] as [(Int64, Int64, Duration?)]
    )
    func foresees(_ before: Int64, _ after: Int64, _ expected: Duration?) {
        let start = ContinuousClock.now
        var growth = LogRotator.Growth(size: before, time: start)
        #expect(growth.next(size: after, limit: 100, now: start + .seconds(10)) == expected)
    }
}

@Suite("VolumeRefresh")
struct VolumeRefreshTests {
    @Test("is due at first, then when it was planned")
    func plans() {
        var refresh = VolumeRefresh()
        #expect(refresh.isDue)
        refresh.isStale = false
        #expect(!refresh.isDue)
        #expect(refresh.pause == nil)
        refresh.succeeded(next: .seconds(3600))
        #expect(!refresh.isDue)
        refresh.succeeded(next: .zero)
        #expect(refresh.isDue)
        refresh.succeeded(next: nil)
        #expect(!refresh.isDue)
    }

    @Test("waits longer after each failure, up to a limit")
    func backsOff() throws {
        var refresh = VolumeRefresh()
        refresh.isStale = false
        refresh.failed()
        #expect(try #require(refresh.pause) <= .milliseconds(500))
        for _ in 0..<20 { refresh.failed() }
        let pause = try #require(refresh.pause)
        #expect(pause > .seconds(60) && pause <= VolumeRefresh.maximumPause)
    }
}
