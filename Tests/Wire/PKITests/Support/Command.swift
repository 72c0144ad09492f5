// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Testing

@testable import PKI

/// What a program that ran printed, both streams together, and its exit code.
struct CommandResult {
    var code: Int32
    var output: String
}

/// Runs a program from PATH to its end and gives what it printed.
@discardableResult
func run(_ arguments: String..., allowFailure: Bool = false) throws -> CommandResult {
    try run(arguments, allowFailure: allowFailure)
}

/// Runs a program from PATH to its end and gives what it printed.
@discardableResult
func run(_ arguments: [String], allowFailure: Bool = false) throws -> CommandResult {
    var pipeEnds: [Int32] = [0, 0]
    let piped = pipe(&pipeEnds)
    try #require(piped == 0)
    // Other tests start programs at the same time, which must not keep this pipe open.
    for end in pipeEnds { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipeEnds[1], 1)
    posix_spawn_file_actions_adddup2(&actions, pipeEnds[1], 2)
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for argument in argv { free(argument) } }
    var process: pid_t = 0
    let spawned = posix_spawnp(&process, arguments[0], &actions, nil, &argv, environ)
    close(pipeEnds[1])
    defer { close(pipeEnds[0]) }
    try #require(spawned == 0, "\(arguments[0]): \(systemErrorText(spawned))")
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
        let count = read(pipeEnds[0], &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { break }
        output += buffer[..<count]
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    let result = CommandResult(code: code, output: String(decoding: output, as: UTF8.self))
    if !allowFailure {
        try #require(code == 0, "\(arguments.joined(separator: " ")): \(result.output)")
    }
    return result
}

/// Whether a program is there; tests with a peer are skipped without it.
func isInstalled(_ program: String) -> Bool {
    (try? run("sh", "-c", "command -v \(program)"))?.code == 0
}

let hasOpenSSL = isInstalled("openssl")

/// Whether Python's `cryptography` with its chain verifier is there.
let hasPythonCryptography =
    (try? run("python3", "-c", "import cryptography.x509.verification"))?.code == 0
