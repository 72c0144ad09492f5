// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CommandTree
import Flags
import Testing

@Suite("Completion")
struct CompletionTests {
    private static let root = Command(
        "apus",
        summary: "the whole",
        subcommands: [
            Command(
                "status",
                summary: "tells",
                flags: [Flag("output", default: "", help: "how")]
            ) { _ in .success },
            Command("start", summary: "starts") { _ in .success },
            Command("__secret", summary: "for programs", isHidden: true) { _ in .success },
            Command(
                "certs",
                summary: "a group",
                subcommands: [Command("list", summary: "lists") { _ in .success }]
            ),
        ]
    )

    @Test(
        "offers what fits",
        arguments: [
            ([], "", ["certs", "start", "status"]),
            ([], "sta", ["start", "status"]),
            ([], "x", []),
            (["certs"], "", ["list"]),
            (["certs", "list"], "", []),
            (["--v=1", "certs"], "l", ["list"]),
            (["status"], "--", ["--help", "--output"]),
            (["status"], "--o", ["--output"]),
        ] as [([String], String, [String])]
    )
    func offers(words: [String], prefix: String, expected: [String]) {
        #expect(Self.root.completions(after: words, prefix: prefix) == expected)
    }

    @Test("every shell's script asks the program", arguments: CompletionShell.allCases)
    func scripts(shell: CompletionShell) {
        #expect(Self.root.completionScript(for: shell).contains("apus __complete -- "))
    }

    @Test("help leaves hidden commands out")
    func hidden() {
        #expect(!Self.root.helpText(path: "apus").contains("__secret"))
    }

    @Test("a command that passes its arguments on leaves their flags alone")
    func passesArguments() async {
        let recorder = Recorder()
        let root = Command(
            "apus",
            summary: "the whole",
            subcommands: [
                Command("run", summary: "runs", passesArguments: true) { invocation in
                    invocation.output.line(invocation.arguments.joined(separator: " "))
                    return .success
                }
            ]
        )
        let code = await root.execute(
            ["apus", "run", "get", "pods", "-A", "--help"],
            output: recorder.output
        )
        #expect(code == .success)
        #expect(recorder.out == "get pods -A --help\n")
    }

    @Test("settings fill in what the command line does not say")
    func settings() async {
        let place = Flag("place", default: "here", help: "where")
        let recorder = Recorder()
        let root = Command(
            "apus",
            summary: "the whole",
            subcommands: [
                Command(
                    "go",
                    summary: "goes",
                    flags: [place],
                    settings: { (parsed, flags) throws(UsageError) in
                        do throws(FlagSettingError) {
                            return try flags.filling(
                                parsed,
                                from: [FlagSetting("place", ["there"], source: "a file")]
                            )
                        } catch {
                            throw UsageError(error.description)
                        }
                    }
                ) { invocation in
                    invocation.output.line(invocation.flags[place])
                    return .success
                }
            ]
        )
        _ = await root.execute(["apus", "go"], output: recorder.output)
        _ = await root.execute(["apus", "go", "--place=away"], output: recorder.output)
        #expect(recorder.out == "there\naway\n")
    }
}
