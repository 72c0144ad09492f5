// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree

extension Command {
    /// `apus completion`: a script for a shell.
    static let completion = Command(
        "completion",
        summary: "Print a script that makes a shell complete apus' command lines",
        usage: "bash|zsh|fish",
        discussion: """
            Prints a script that makes a shell complete apus' command lines:

              source <(apus completion bash)
              source <(apus completion zsh)
              apus completion fish | source
            """
    ) { invocation in
        let name = try invocation.singleArgument("bash, zsh or fish")
        guard let shell = CompletionShell(rawValue: name) else {
            throw UsageError("'\(name)' is no shell that is known: bash, zsh, fish")
        }
        invocation.output.write(Apus.root.completionScript(for: shell))
        return .success
    }

    /// What the scripts ask.
    static let complete = Command(
        "__complete",
        summary: "Print what may follow on a command line",
        usage: "-- [WORD...] PREFIX",
        isHidden: true
    ) { invocation in
        guard let prefix = invocation.arguments.last else { return .usage }
        let words = invocation.arguments.dropLast()
        for word in Apus.root.completions(after: words, prefix: prefix) {
            invocation.output.line(word)
        }
        return .success
    }

    /// What `docs/reference.md` is made with.
    static let reference = Command(
        "__reference",
        summary: "Print every command with its flags as Markdown",
        isHidden: true
    ) { invocation in
        try invocation.expectNoArguments()
        invocation.output.write(Apus.root.reference)
        return .success
    }
}
