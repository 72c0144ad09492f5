// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Flags

/// One thing that the executable can be asked to do: a component to run, a tool, or a group of
/// further commands.
public struct Command: Sendable {
    /// The word that calls it.
    public let name: String
    /// One line for the list of commands.
    public let summary: String
    /// What stands behind its name in its usage line, such as `DIR [flags]`.
    public let usage: String
    /// What it does, at length; shown by its help. Empty for the summary alone.
    public let discussion: String
    /// Whether the executable is this command when it is started under its name
    /// (`ln -s apus kube-apiserver`).
    public let isProgram: Bool
    /// Whether the first argument ends its flags: what follows is another program's command line.
    public let passesArguments: Bool
    /// Whether help leaves it out: it is there for programs.
    public let isHidden: Bool
    /// The flags it takes; `--help` comes by itself.
    public let flags: FlagSet
    /// Commands below it.
    public let subcommands: [Command]
    /// Fills in flags that the command line does not say, from the environment or a file.
    public let settings: Settings?
    /// What it does; nil for a group, which shows its help.
    public let run: Run?

    /// Gets what the command line says and the command's flags.
    public typealias Settings =
        @Sendable (ParsedFlags, FlagSet) throws(UsageError) -> ParsedFlags

    /// Runs a command to its end.
    ///
    /// Cancelling the task ends it. An error that it throws is printed and ends the process with
    /// exit code 1; a ``UsageError`` with code 2 and a hint at the help.
    public typealias Run = @Sendable (Invocation) async throws -> ExitCode

    /// A command that does something. With subcommands, it does it unless its first argument names
    /// one of them.
    public init(
        _ name: String,
        summary: String,
        usage: String = "[flags]",
        discussion: String = "",
        isProgram: Bool = false,
        passesArguments: Bool = false,
        isHidden: Bool = false,
        flags: [any AnyFlag] = [],
        settings: Settings? = nil,
        subcommands: [Command] = [],
        run: @escaping Run
    ) {
        let names = subcommands.map(\.name)
        precondition(Set(names).count == names.count, "two commands of one name in \(names)")
        self.name = name
        self.summary = summary
        self.usage = usage
        self.discussion = discussion
        self.isProgram = isProgram
        self.passesArguments = passesArguments
        self.isHidden = isHidden
        self.flags = FlagSet(flags)
        self.subcommands = subcommands
        self.settings = settings
        self.run = run
    }

    /// A group of commands.
    public init(
        _ name: String,
        summary: String,
        discussion: String = "",
        subcommands: [Command]
    ) {
        let names = subcommands.map(\.name)
        precondition(Set(names).count == names.count, "two commands of one name in \(names)")
        self.name = name
        self.summary = summary
        self.usage = "COMMAND"
        self.discussion = discussion
        self.isProgram = false
        self.passesArguments = false
        self.isHidden = false
        self.flags = FlagSet()
        self.subcommands = subcommands
        self.settings = nil
        self.run = nil
    }
}

/// How a process ends.
public struct ExitCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    public static let success = ExitCode(rawValue: 0)
    public static let failure = ExitCode(rawValue: 1)
    /// The command line was not understood.
    public static let usage = ExitCode(rawValue: 2)
}

/// A command line that a command does not accept, in words for people.
public struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    /// The error with these words.
    public init(_ description: String) {
        self.description = description
    }
}

/// What a command is run with.
public struct Invocation: Sendable {
    /// The flags of the command line.
    public let flags: ParsedFlags
    /// Where its output goes.
    public let output: Output

    /// The words that are no flags.
    public var arguments: [String] { self.flags.arguments }

    /// The only argument; throws a `UsageError` that names it when there is another number.
    public func singleArgument(_ name: String) throws(UsageError) -> String {
        guard self.arguments.count == 1, let argument = self.arguments.first else {
            throw UsageError("expected one argument, \(name), got \(self.arguments.count)")
        }
        return argument
    }

    /// Throws a `UsageError` when there are arguments.
    public func expectNoArguments() throws(UsageError) {
        guard let first = self.arguments.first else { return }
        throw UsageError("unexpected argument: \(first)")
    }
}

/// Where a command writes text for people and for pipes.
public struct Output: Sendable {
    /// Writes to standard output.
    public let write: @Sendable (String) -> Void
    /// Writes to standard error.
    public let writeError: @Sendable (String) -> Void

    /// Output that goes to these.
    public init(
        write: @escaping @Sendable (String) -> Void,
        writeError: @escaping @Sendable (String) -> Void
    ) {
        self.write = write
        self.writeError = writeError
    }

    /// Writes a line to standard output.
    public func line(_ text: String) {
        self.write(text + "\n")
    }
}
