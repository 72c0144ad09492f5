// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Processes
import Testing

@Suite("ChildProcess")
struct ChildProcessTests {
    @Test(
        "says how a process ended",
        arguments: [
            ("exit 0", ChildProcess.Exit.code(0)), ("exit 7", .code(7)),
            ("kill -9 $$", .signal(9)),
        ]
    )
    func exit(script: String, expected: ChildProcess.Exit) throws {
        let child = try ChildProcess.start(.init("/bin/sh", ["-c", script]))
        #expect(try child.waitForExit() == expected)
    }

    @Test("a program that is not there is named")
    func missing() {
        #expect {
            try ChildProcess.start(.init("/no/such/program"))
        } throws: { error in
            "\(error)" == "cannot start /no/such/program: No such file or directory"
        }
    }

    @Test("appends both outputs to the log, with the environment given")
    func log() throws {
        let path = "/tmp/apus-processes-\(getpid())-\(UInt32.random(in: 0 ... .max)).log"
        defer { unlink(path) }
        for _ in 0..<2 {
            let command = ChildProcess.Command(
                "/bin/sh",
                ["-c", "echo $WORD; echo err >&2"],
                environment: ["WORD": "out"],
                logPath: path
            )
            #expect(try ChildProcess.start(command).waitForExit().isSuccess)
        }
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = fread(&buffer, 1, buffer.count, file)
        #expect(String(decoding: buffer[..<count], as: UTF8.self) == "out\nerr\nout\nerr\n")
    }
}

@Suite("ProcessStatistics")
struct ProcessStatisticsTests {
    @Test("reads this process")
    func own() throws {
        let statistics = try #require(ProcessStatistics(processID: getpid()))
        #expect(statistics.residentBytes > 1 << 20)
        #expect(!statistics.isZombie)
        #expect(ProcessStatistics(processID: getpid())?.startTicks == statistics.startTicks)
        #expect(ProcessStatistics(processID: 0) == nil)
    }
}
