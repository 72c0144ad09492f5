// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Flags

extension Command {
    private static let help = Flag("help", shorthand: "h", default: false, help: "this text")

    /// Finds the command that a process' arguments call, and runs it.
    ///
    /// - Parameter arguments: all of them, the program's name first. When that is the name of a
    ///   program among the subcommands, the rest is its command line; otherwise the next word
    ///   names the command.
    public func execute(_ arguments: [String], output: Output) async -> ExitCode {
        let program = arguments.first.map { Command.lastPathComponent($0) } ?? self.name
        let rest = arguments.dropFirst()
        if let command = self.subcommands.first(where: { $0.isProgram && $0.name == program }) {
            return await command.execute(rest, path: command.name, output: output)
        }
        return await self.execute(rest, path: self.name, output: output)
    }

    /// Runs this command or one below it; `path` is how it was called, for messages.
    private func execute(
        _ arguments: ArraySlice<String>,
        path: String,
        output: Output
    ) async -> ExitCode {
        let parsed: ParsedFlags
        do {
            parsed = try self.flags.adding([Command.help])
                .parse(
                    arguments,
                    stopsAtArgument: !self.subcommands.isEmpty || self.passesArguments
                )
        } catch {
            return self.reject(error.description, path: path, output: output)
        }
        if parsed[Command.help] {
            output.write(self.helpText(path: path))
            return .success
        }
        guard let run = self.run, !self.isSubcommand(parsed.arguments.first) else {
            return await self.dispatch(parsed.arguments[...], path: path, output: output)
        }
        do {
            let flags = try self.settings?(parsed, self.flags) ?? parsed
            return try await run(Invocation(flags: flags, output: output))
        } catch let error as UsageError {
            return self.reject(error.description, path: path, output: output)
        } catch {
            output.writeError("\(path): error: \(error)\n")
            return .failure
        }
    }

    /// Whether a first argument goes to a subcommand rather than to the command itself.
    private func isSubcommand(_ word: String?) -> Bool {
        guard let word, !self.subcommands.isEmpty else { return false }
        return word == "help" || self.subcommands.contains { $0.name == word }
    }

    /// Goes on to the subcommand that the first word names.
    private func dispatch(
        _ words: ArraySlice<String>,
        path: String,
        output: Output
    ) async -> ExitCode {
        guard let name = words.first else {
            output.writeError(self.helpText(path: path))
            return .usage
        }
        if name == "help" { return self.showHelp(words.dropFirst(), path: path, output: output) }
        guard let command = self.subcommands.first(where: { $0.name == name }) else {
            return self.reject("unknown command: \(name)", path: path, output: output)
        }
        return await command.execute(words.dropFirst(), path: "\(path) \(name)", output: output)
    }

    /// `help COMMAND...`.
    private func showHelp(
        _ words: ArraySlice<String>,
        path: String,
        output: Output
    ) -> ExitCode {
        guard let name = words.first else {
            output.write(self.helpText(path: path))
            return .success
        }
        guard let command = self.subcommands.first(where: { $0.name == name }) else {
            return self.reject("unknown command: \(name)", path: path, output: output)
        }
        return command.showHelp(words.dropFirst(), path: "\(path) \(name)", output: output)
    }

    private func reject(_ reason: String, path: String, output: Output) -> ExitCode {
        output.writeError("\(path): error: \(reason)\nTry: \(path) --help\n")
        return .usage
    }

    private static func lastPathComponent(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}

// MARK: - Help

extension Command {
    /// The help of this command when it is called as `path`.
    public func helpText(path: String) -> String {
        var text = self.discussion.isEmpty ? "\(self.summary)\n" : "\(self.discussion)\n"
        text += "\nUsage:\n  \(path) \(self.usage)\n"
        if !self.subcommands.isEmpty {
            let programs = self.subcommands.filter(\.isProgram)
            let others = self.subcommands.filter { !$0.isProgram && !$0.isHidden }
            let width = (programs + others).map(\.name.count).max() ?? 0
            text += Command.list(programs, title: "Components", width: width)
            text += Command.list(others, title: "Commands", width: width)
        }
        text += "\nFlags:\n" + self.flags.adding([Command.help]).help
        return text
    }

    private static func list(_ commands: [Command], title: String, width: Int) -> String {
        if commands.isEmpty { return "" }
        let lines = commands.map { command in
            let padding = String(repeating: " ", count: width - command.name.count)
            return "  \(command.name)\(padding)   \(command.summary)\n"
        }
        return "\n\(title):\n" + lines.joined()
    }
}
