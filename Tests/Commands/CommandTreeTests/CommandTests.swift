// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CommandTree
import Flags
import Synchronization
import Testing

/// Keeps what commands write.
final class Recorder: Sendable {
    private let texts = Mutex((out: "", error: ""))

    var output: Output {
        Output(
            write: { text in self.texts.withLock { $0.out += text } },
            writeError: { text in self.texts.withLock { $0.error += text } }
        )
    }

    var out: String { self.texts.withLock { $0.out } }
    var error: String { self.texts.withLock { $0.error } }
}

@Suite("Command")
struct CommandTests {
    struct Broken: Error, CustomStringConvertible {
        var description: String { "it broke" }
    }

    static let port = Flag("port", default: 6_443, help: "the `PORT`")

    static let root = Command(
        "apus",
        summary: "the whole",
        subcommands: [
            Command(
                "kube-thing",
                summary: "a component",
                isProgram: true,
                flags: [port]
            ) { invocation in
                invocation.output.line("thing \(invocation.flags[port]) \(invocation.arguments)")
                return .success
            },
            Command(
                "tools",
                summary: "a group",
                subcommands: [
                    Command("one", summary: "takes one argument") { invocation in
                        invocation.output.line(try invocation.singleArgument("NAME"))
                        return .success
                    },
                    Command("none", summary: "takes none") { invocation in
                        try invocation.expectNoArguments()
                        return .failure
                    },
                    Command("breaks", summary: "throws") { _ in throw Broken() },
                ]
            ),
        ]
    )

    struct Line: Sendable, CustomTestStringConvertible {
        var words: [String]
        var code: ExitCode
        var out = ""
        var error = ""
        var testDescription: String { self.words.joined(separator: " ") }
    }

    @Test(
        "finds the command, runs it, and says what is wrong",
        arguments: [
            Line(words: ["apus", "kube-thing"], code: .success, out: "thing 6443 []\n"),
            Line(
                words: ["/usr/bin/apus", "kube-thing", "--port=1", "a"],
                code: .success,
                out: "thing 1 [\"a\"]\n"
            ),
            Line(words: ["kube-thing", "--port", "2"], code: .success, out: "thing 2 []\n"),
            Line(words: ["/opt/bin/kube-thing"], code: .success, out: "thing 6443 []\n"),
            Line(words: ["renamed", "kube-thing"], code: .success, out: "thing 6443 []\n"),
            // A group or tool is not a program of its own.
            Line(
                words: ["tools", "one"],
                code: .usage,
                error: "apus: error: unknown command: one\nTry: apus --help\n"
            ),
            Line(words: ["apus", "tools", "one", "x"], code: .success, out: "x\n"),
            Line(
                words: ["apus", "tools", "one"],
                code: .usage,
                error: "apus tools one: error: expected one argument, NAME, got 0\n"
                    + "Try: apus tools one --help\n"
            ),
            Line(words: ["apus", "tools", "none"], code: .failure),
            Line(
                words: ["apus", "tools", "none", "x"],
                code: .usage,
                error: "apus tools none: error: unexpected argument: x\n"
                    + "Try: apus tools none --help\n"
            ),
            Line(
                words: ["apus", "tools", "breaks"],
                code: .failure,
                error: "apus tools breaks: error: it broke\n"
            ),
            Line(
                words: ["apus", "nothing"],
                code: .usage,
                error: "apus: error: unknown command: nothing\nTry: apus --help\n"
            ),
            Line(
                words: ["apus", "--nothing"],
                code: .usage,
                error: "apus: error: unknown flag: --nothing\nTry: apus --help\n"
            ),
            Line(
                words: ["apus", "kube-thing", "--port=x"],
                code: .usage,
                error: "apus kube-thing: error: invalid argument \"x\" for \"--port\" flag: "
                    + "expected int\nTry: apus kube-thing --help\n"
            ),
        ]
    )
    func runs(_ line: Line) async {
        let recorder = Recorder()
        let code = await Self.root.execute(line.words, output: recorder.output)
        #expect(code == line.code)
        #expect(recorder.out == line.out)
        #expect(recorder.error == line.error)
    }

    static let rootHelp = """
        the whole

        Usage:
          apus COMMAND

        Components:
          kube-thing   a component

        Commands:
          tools        a group

        Flags:
          -h, --help   this text

        """

    static let thingHelp = """
        a component

        Usage:
          apus kube-thing [flags]

        Flags:
          -h, --help        this text
              --port PORT   the PORT (default 6443)

        """

    @Test(
        "helps",
        arguments: [
            Line(words: ["apus", "--help"], code: .success, out: rootHelp),
            Line(words: ["apus", "-h"], code: .success, out: rootHelp),
            Line(words: ["apus", "help"], code: .success, out: rootHelp),
            Line(words: ["apus"], code: .usage, error: rootHelp),
            Line(words: [], code: .usage, error: rootHelp),
            Line(words: ["apus", "kube-thing", "--help"], code: .success, out: thingHelp),
            Line(words: ["apus", "help", "kube-thing"], code: .success, out: thingHelp),
            Line(
                words: ["apus", "help", "nothing"],
                code: .usage,
                error: "apus: error: unknown command: nothing\nTry: apus --help\n"
            ),
        ]
    )
    func helps(_ line: Line) async {
        await self.runs(line)
    }
}
