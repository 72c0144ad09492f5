// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CProcesses
import Glibc

/// A process that this one started.
public struct ChildProcess: Sendable, Hashable {
    public let processID: Int32

    /// What a child is started with.
    public struct Command: Sendable, Hashable {
        /// A path, or a name that is looked for in `PATH`.
        public var executable: String
        /// Without the program's name.
        public var arguments: [String]
        /// The whole environment; nil for that of this process.
        public var environment: [String: String]?
        /// The file that standard output and error are appended to; nil for those of this process.
        public var logPath: String?
        /// Starts a session of its own, away from the terminal and its signals.
        public var startsSession: Bool

        public init(
            _ executable: String,
            _ arguments: [String] = [],
            environment: [String: String]? = nil,
            logPath: String? = nil,
            startsSession: Bool = true
        ) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.logPath = logPath
            self.startsSession = startsSession
        }
    }

    /// How a process ended.
    public enum Exit: Sendable, Hashable, CustomStringConvertible {
        case code(Int32)
        case signal(Int32)

        public var isSuccess: Bool { self == .code(0) }

        public var description: String {
            switch self {
            case .code(let code): "exit code \(code)"
            case .signal(let number): "signal \(number)"
            }
        }

        /// From what `waitpid` says.
        init(waitStatus status: Int32) {
            let signal = status & 0x7F
            self = signal == 0 ? .code((status >> 8) & 0xFF) : .signal(signal)
        }
    }

    /// Starts a process. It has standard input from `/dev/null`, no signal blocked, every signal at
    /// its default, and no descriptor but the three.
    public static func start(_ command: Command) throws(ProcessError) -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        if let path = command.logPath {
            let flags = O_WRONLY | O_CREAT | O_APPEND
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, path, flags, 0o640)
            posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        if command.startsSession { flags |= Int32(APUS_SPAWN_SETSID) }
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var processID: Int32 = 0
        let code = self.withVector([command.executable] + command.arguments) { arguments in
            guard let environment = command.environment else {
                return posix_spawnp(
                    &processID,
                    command.executable,
                    &actions,
                    &attributes,
                    arguments,
                    environ
                )
            }
            let entries = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return self.withVector(entries) { entries in
                posix_spawnp(
                    &processID,
                    command.executable,
                    &actions,
                    &attributes,
                    arguments,
                    entries
                )
            }
        }
        guard code == 0 else {
            throw ProcessError(call: "start", subject: command.executable, code)
        }
        return ChildProcess(processID: processID)
    }

    /// Waits until the process has ended and forgets it. Blocks: call it on a thread of its own, once.
    public func waitForExit() throws(ProcessError) -> Exit {
        var status: Int32 = 0
        while waitpid(self.processID, &status, 0) < 0 {
            guard errno == EINTR else {
                throw ProcessError(call: "wait for", subject: "\(self.processID)", errno)
            }
        }
        return Exit(waitStatus: status)
    }

    /// Runs `body` with a C array of C strings.
    private static func withVector<Result>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else {
                preconditionFailure("the vector holds a terminator")
            }
            return body(base)
        }
    }
}

/// A call about a process that the system refused.
public struct ProcessError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was to be done, and with what.
    public let call: String
    public let subject: String
    public let errno: Int32

    init(call: String, subject: String, _ errno: Int32) {
        self.call = call
        self.subject = subject
        self.errno = errno
    }

    public var description: String {
        "cannot \(self.call) \(self.subject): \(String(cString: strerror(self.errno)))"
    }
}

extension ChildProcess {
    /// Waits for the end on a thread of its own, which then calls `body`.
    public func onExit(_ body: @escaping @Sendable (Exit) -> Void) {
        let context = Unmanaged.passRetained(ExitWaiter(process: self, body: body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, ExitWaiter.stackBytes)
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ExitWaiter>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        precondition(code == 0, "no thread to wait for process \(self.processID): errno \(code)")
    }

    private final class ExitWaiter: Sendable {
        /// The thread only waits and hands on.
        static let stackBytes = 128 << 10

        private let process: ChildProcess
        private let body: @Sendable (Exit) -> Void

        init(process: ChildProcess, body: @escaping @Sendable (Exit) -> Void) {
            self.process = process
            self.body = body
        }

        func run() {
            // Nobody else waits for it; a process that is not ours any more has ended somehow.
            self.body((try? self.process.waitForExit()) ?? .code(-1))
        }
    }

    /// Sends a signal; a process that has ended gets none.
    public func send(signal number: Int32) {
        kill(self.processID, number)
    }
}
