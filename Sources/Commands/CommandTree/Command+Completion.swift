// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Flags

/// A shell that completion is written for.
public enum CompletionShell: String, Sendable, CaseIterable {
    case bash
    case zsh
    case fish
}

extension Command {
    /// What may stand at the end of a command line: the commands below the one that `words` call,
    /// or, behind a dash, its flags.
    ///
    /// - Parameters:
    ///   - words: the words between the program's name and the one that is being typed.
    ///   - prefix: what has been typed of that word.
    public func completions(after words: some Sequence<String>, prefix: String) -> [String] {
        var command = self
        for word in words where !word.hasPrefix("-") {
            guard let next = command.subcommands.first(where: { $0.name == word }) else { break }
            command = next
        }
        let candidates =
            prefix.hasPrefix("-")
            ? (command.flags.names + ["help"]).map { "--\($0)" }
            : command.subcommands.filter { !$0.isHidden }.map(\.name)
        return candidates.filter { $0.hasPrefix(prefix) }.sorted()
    }

    /// A script that makes a shell complete this command's lines. It asks the program itself, by
    /// `__complete`, so that it does not age.
    public func completionScript(for shell: CompletionShell) -> String {
        let name = self.name
        switch shell {
        case .bash:
            return """
                _\(name)() {
                    local word=${COMP_WORDS[COMP_CWORD]}
                    mapfile -t COMPREPLY < <(
                        \(name) __complete -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$word"
                    )
                }
                complete -o default -F _\(name) \(name)

                """
        case .zsh:
            return """
                #compdef \(name)
                _\(name)() {
                    local -a found
                    found=("${(@f)$(\(name) __complete -- "${(@)words[2,CURRENT]}")}")
                    compadd -a found
                }
                compdef _\(name) \(name)

                """
        case .fish:
            return """
                complete -c \(name) -f -a \
                '(\(name) __complete -- (commandline -opc)[2..] (commandline -ct))'

                """
        }
    }
}
