// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Flags
import Glibc
import Logging
import Synchronization
import Testing

@testable import Logs

/// Keeps what is written.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { self.lines.withLock { $0 } }

    func logger(_ level: Logger.Level, _ format: LogFormat = .text) -> Logger {
        Logger(label: "part") { label in
            LineLogHandler(label: label, format: format, level: level) { line in
                self.lines.withLock { $0.append(line) }
            }
        }
    }
}

private struct Trouble: Error, CustomStringConvertible {
    let description = "no \"luck\""
}

@Suite("LineLogHandler")
struct LineLogHandlerTests {
    static let time = LogTime(
        seconds: 1_796_000_000,
        nanoseconds: 12_345_678,
        month: 11,
        day: 9,
        hour: 1,
        minute: 2,
        second: 3
    )

    static func line(
        _ level: Logger.Level,
        _ metadata: Logger.Metadata = [:],
        error: (any Error)? = nil
    ) -> LogLine {
        LogLine(
            time: Self.time,
            process: 42,
            level: level,
            label: "etcd",
            message: "It\nhappened",
            file: "Module/Server.swift",
            line: 7,
            metadata: metadata,
            error: error
        )
    }

    @Test(
        "writes klog's lines",
        arguments: [
            (
                Self.line(.info),
                #"I1109 01:02:03.012345      42 Server.swift:7] "It\nhappened" logger="etcd""#
            ),
            (
                Self.line(.warning, ["b": "x y", "a": "\(1)", "n": .stringConvertible(3)]),
                #"W1109 01:02:03.012345      42 Server.swift:7] "It\nhappened" logger="etcd" a="1" b="x y" n=3"#
            ),
            (
                Self.line(.error, ["list": ["a", "b"]], error: Trouble()),
                #"E1109 01:02:03.012345      42 Server.swift:7] "It\nhappened" err="no \"luck\"" logger="etcd" list=["a","b"]"#
            ),
        ]
    )
    func klog(line: LogLine, text: String) {
        #expect(line.text(.text) == text + "\n")
    }

    @Test("writes JSON")
    func json() {
        let line = Self.line(
            .debug,
            ["d": ["k": .stringConvertible(true)], "e": .string("\u{1}\t\u{7F}é")]
        )
        #expect(
            line.text(.json)
                == #"{"ts":1796000000012.345,"caller":"Server.swift:7","msg":"It\nhappened","v":4,"logger":"etcd","d":{"k":true},"e":"\u0001\t\u007fé"}"#
                + "\n"
        )
    }

    @Test("adds the logger's metadata to the event's, which wins")
    func metadata() {
        let lines = Lines()
        var logger = lines.logger(.info, .json)
        logger[metadataKey: "a"] = "1"
        logger[metadataKey: "b"] = "2"
        logger.info("said", metadata: ["b": "3"])
        logger.debug("not said")
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.hasSuffix(#""logger":"part","a":"1","b":"3"}"# + "\n") == true)
    }

    @Test(
        "maps verbosity to levels",
        arguments: [(0, .info), (3, .info), (4, .debug), (6, .trace), (10, .trace)]
            as [(Int, Logger.Level)]
    )
    func verbosity(number: Int, level: Logger.Level) {
        #expect(Logger.Level(verbosity: number) == level)
    }

    @Test("reads upstream's flags")
    func flags() throws {
        let set = FlagSet(LogFlags.all)
        let parsed = try set.parse(["-v=4", "--logging-format=json"])
        #expect(LogFlags.logger("x", parsed).logLevel == .debug)
        #expect(parsed[LogFlags.format] == .json)
        #expect(throws: FlagError.self) { _ = try set.parse(["--logging-format=xml"]) }
    }
}
