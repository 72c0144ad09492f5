// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Runs programs and keeps their files in a directory of the test's own.
struct Tools {
    let directory: String

    /// Makes a temporary directory.
    init() throws {
        var template = Array("/tmp/apus-http-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { throw ToolError.failed("mkdtemp", errno) }
        self.directory = made
    }

    /// Removes the directory and its files.
    func remove() {
        guard let entries = opendir(self.directory) else { return }
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { unlink(self.path(name)) }
        }
        closedir(entries)
        rmdir(self.directory)
    }

    func path(_ name: String) -> String { "\(self.directory)/\(name)" }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = self.path(name)
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw ToolError.failed("open", errno) }
        defer { close(file) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.write(file, $0.baseAddress, $0.count)
            }
            guard count > 0 else { throw ToolError.failed("write", errno) }
            done += count
        }
        return path
    }

    static func read(_ path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { throw ToolError.failed("open", errno) }
        defer { close(file) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count >= 0 else { throw ToolError.failed("read", errno) }
            if count == 0 { return all }
            all += chunk[..<count]
        }
    }

    struct Result {
        let status: Int32
        let output: [UInt8]
        var text: String { String(decoding: self.output, as: UTF8.self) }
    }

    /// Starts a program found in PATH; output and errors go to a file.
    func start(_ arguments: [String], output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // The sockets of tests that run beside this one stay theirs.
        for descriptor in Int32(3)..<1024 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, &pointers, environ)
        guard code == 0 else { throw ToolError.failed(arguments[0], code) }
        return pid
    }

    /// Runs a program to its end without holding up the caller's thread for long.
    func run(_ arguments: String..., timeout: Duration = .seconds(30)) async throws -> Result {
        try await self.run(arguments, timeout: timeout)
    }

    /// Runs a program to its end without holding up the caller's thread for long.
    func run(_ arguments: [String], timeout: Duration = .seconds(30)) async throws -> Result {
        let output = self.path("output-\(UInt64.random(in: 0..<(.max)))")
        let pid = try self.start(arguments, output: output)
        let deadline = ContinuousClock.now + timeout
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            if ContinuousClock.now > deadline {
                kill(pid, SIGKILL)
                waitpid(pid, &status, 0)
                throw ToolError.timedOut(arguments.joined(separator: " "))
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        let exit = status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
        return Result(status: exit, output: try Self.read(output))
    }

    /// Ends a program that ``start(_:output:)`` began.
    static func stop(_ pid: pid_t) {
        kill(pid, SIGTERM)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    /// Whether a program is installed.
    static func has(_ name: String) -> Bool {
        let paths = getenv("PATH").map { String(cString: $0) } ?? ""
        return paths.split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
    }

    /// Certificates made by openssl: an authority, a server for localhost, a client.
    func makeCertificates() async throws {
        for name in ["ca", "server", "client", "other"] {
            let key = try await self.run(
                "openssl",
                "ecparam",
                "-name",
                "prime256v1",
                "-genkey",
                "-noout",
                "-out",
                self.path("\(name).key")
            )
            guard key.status == 0 else { throw ToolError.output(key.text) }
        }
        let ca = try await self.run(
            "openssl",
            "req",
            "-x509",
            "-new",
            "-key",
            self.path("ca.key"),
            "-subj",
            "/CN=test-ca",
            "-days",
            "2",
            "-out",
            self.path("ca.crt")
        )
        guard ca.status == 0 else { throw ToolError.output(ca.text) }
        for (name, subject) in [
            ("server", "/CN=localhost"), ("client", "/O=system:masters/CN=admin"),
            ("other", "/CN=other.example"),
        ] { try await self.issue(name, subject: subject, days: 2) }
    }

    func issue(_ name: String, subject: String, days: Int) async throws {
        let host = name == "other" ? "other.example" : "localhost"
        let extensions = try self.write(
            "\(name).ext",
            Array("subjectAltName=DNS:\(host),IP:127.0.0.1\n".utf8)
        )
        let request = try await self.run(
            "openssl",
            "req",
            "-new",
            "-key",
            self.path("\(name).key"),
            "-subj",
            subject,
            "-out",
            self.path("\(name).csr")
        )
        guard request.status == 0 else { throw ToolError.output(request.text) }
        let signed = try await self.run(
            "openssl",
            "x509",
            "-req",
            "-in",
            self.path("\(name).csr"),
            "-CA",
            self.path("ca.crt"),
            "-CAkey",
            self.path("ca.key"),
            "-CAcreateserial",
            "-days",
            "\(days)",
            "-extfile",
            extensions,
            "-out",
            self.path("\(name).crt")
        )
        guard signed.status == 0 else { throw ToolError.output(signed.text) }
    }
}

enum ToolError: Error {
    case failed(String, Int32)
    case timedOut(String)
    case output(String)
}
