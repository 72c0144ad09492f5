// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Glibc

/// Another program, run for a test.
public struct Program: Sendable {
    /// Where the program is, in one of the directories of `PATH`; nil if it is not installed.
    public static func find(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    public let pid: pid_t
    /// What it prints, errors too.
    public let output: Int32

    /// Starts a program.
    public init(_ path: String, _ arguments: [String], environment: [String] = []) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure("pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        var variables: [UnsafeMutablePointer<CChar>?] = []
        var entry = environ
        while let variable = entry.pointee {
            variables.append(strdup(variable))
            entry += 1
        }
        for variable in environment { variables.append(strdup(variable)) }
        variables.append(nil)
        defer { for word in words + variables { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, path, &actions, nil, words, variables)
        close(ends[1])
        if code != 0 { close(ends[0]) }
        guard code == 0 else { throw Failure(path, code) }
        self.pid = child
        self.output = ends[0]
    }

    /// Reads what it prints until it ends; answers that and its exit status.
    public func finish() -> (status: Int32, output: String) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(self.output, &buffer, buffer.count)
            if count <= 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        close(self.output)
        var status: Int32 = 0
        waitpid(self.pid, &status, 0)
        return (status >> 8 & 0xFF, String(decoding: bytes, as: UTF8.self))
    }

    /// Runs a program to its end.
    public static func run(
        _ path: String,
        _ arguments: [String],
        environment: [String] = []
    ) throws -> (status: Int32, output: String) {
        try Program(path, arguments, environment: environment).finish()
    }

    /// Asks it to end, and waits until it has.
    public func stop() {
        kill(self.pid, SIGTERM)
        _ = self.finish()
    }

    /// A system call that failed.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String

        init(_ what: String, _ code: Int32) {
            self.description = "\(what): \(String(cString: strerror(code)))"
        }
    }

    /// A port of the loopback that nothing listens on now.
    public static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("socket", errno) }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, size) == 0 ? getsockname(descriptor, pointer, &size) : -1
            }
        }
        guard code == 0 else { throw Failure("bind", errno) }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
