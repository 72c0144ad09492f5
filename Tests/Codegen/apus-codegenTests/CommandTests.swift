// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
import Glibc
import SwiftEmitter
import Testing

/// A folder that lives as long as a test.
private final class Workspace {
    struct Failure: Error {}

    let path: String

    init() throws {
        var template = Array("/tmp/apus-codegen-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure() }
        self.path = String(cString: made)
    }

    deinit { _ = system("rm -rf '\(self.path)'") }

    /// The command, which is built beside the tests.
    static let command: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = max(0, readlink("/proc/self/exe", &buffer, buffer.count - 1))
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        return "/\(folder)/apus-codegen"
    }()

    struct Outcome {
        var code: Int32
        var output: String
        var errors: String
    }

    /// Runs the command in the folder.
    func run(_ arguments: String) throws -> Outcome {
        let command = "cd '\(self.path)' && '\(Self.command)' \(arguments) >.out 2>.err"
        let status = system(command)
        // The exit code is in the second byte (wait(2)).
        return Outcome(
            code: status >> 8 & 0xff,
            output: try self.read(".out") ?? "",
            errors: try self.read(".err") ?? "",
        )
    }

    func write(_ text: String, to name: String) throws {
        _ = system("mkdir -p \"$(dirname '\(self.path)/\(name)')\"")
        guard let file = fopen("\(self.path)/\(name)", "w") else { throw Failure() }
        defer { fclose(file) }
        guard fputs(text, file) >= 0 else { throw Failure() }
    }

    func readBytes(_ name: String) throws -> [UInt8]? {
        guard let file = fopen("\(self.path)/\(name)", "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        return bytes
    }

    func read(_ name: String) throws -> String? {
        try self.readBytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Names below a folder, sorted.
    func list(_ folder: String) throws -> [String] {
        _ = system(
            "cd '\(self.path)/\(folder)' && find . -type f | sort | cut -c3- >'\(self.path)/.list'"
        )
        return try (self.read(".list") ?? "").split(separator: "\n").map(String.init)
    }

    /// Inode and time of a file, which change when it is written.
    func stamp(_ name: String) -> [Int] {
        var status = stat()
        guard stat("\(self.path)/\(name)", &status) == 0 else { return [] }
        return [Int(status.st_ino), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }
}

@Suite("apus-codegen")
struct CommandTests {
    private static let shop = """
        syntax = "proto3";
        package shop;
        import "shop/item.proto";
        message Order { Item item = 1; }
        service Shop { rpc Buy(Order) returns (Item); }

        """
    private static let item = "syntax = \"proto3\";\npackage shop;\n// For sale.\nmessage Item {}\n"

    private static func workspace() throws -> Workspace {
        let workspace = try Workspace()
        try workspace.write(Self.shop, to: "proto/shop/shop.proto")
        try workspace.write(Self.item, to: "proto/shop/item.proto")
        return workspace
    }

    @Test("is built beside the tests")
    func isBuilt() {
        #expect(access(Workspace.command, X_OK) == 0, "\(Workspace.command)")
    }

    @Test("writes one file a schema, one for services, and namespaces")
    func files() throws {
        let workspace = try Self.workspace()
        let outcome = try workspace.run(
            "--proto_path=proto --swift_out=out/deep shop/shop.proto shop/item.proto"
        )
        #expect(outcome.code == 0 && outcome.output == "" && outcome.errors == "")
        #expect(
            try workspace.list("out/deep") == [
                "Namespaces.swift", "shop.item.swift", "shop.shop.rpc.swift", "shop.shop.swift",
            ]
        )
        #expect(try workspace.read("out/deep/shop.item.swift")?.contains("/// For sale.") == true)
    }

    @Test(
        "takes files as imports or as paths spell them",
        arguments: [
            "--proto_path=proto shop/item.proto", "--proto_path proto proto/shop/item.proto",
            "-Iproto ./proto/shop/item.proto", "-I proto/ proto//shop/item.proto",
            "-I ./proto proto/shop/item.proto", "-I. -Iproto shop/item.proto",
            "-I \"$PWD/proto\" \"$PWD/proto/shop/item.proto\"",
        ]
    )
    func paths(_ arguments: String) throws {
        let workspace = try Self.workspace()
        let outcome = try workspace.run("--swift_out=out \(arguments)")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try workspace.list("out") == ["Namespaces.swift", "shop.item.swift"])
    }

    @Test("looks in the working directory when no path is given")
    func workingDirectory() throws {
        let workspace = try Self.workspace()
        #expect(try workspace.run("--swift_out=out proto/shop/item.proto").code == 0)
        #expect(try workspace.list("out") == ["Namespaces.swift", "proto.shop.item.swift"])
    }

    @Test("generates files that it brings itself")
    func builtins() throws {
        let workspace = try Workspace()
        let outcome = try workspace.run("--swift_out=out google/protobuf/timestamp.proto")
        #expect(outcome.code == 0)
        #expect(
            try workspace.list("out") == ["Namespaces.swift", "google.protobuf.timestamp.swift"]
        )
    }

    @Test("does not touch files that stay the same")
    func unchanged() throws {
        let workspace = try Self.workspace()
        let arguments = "-Iproto --swift_out=out shop/shop.proto shop/item.proto"
        #expect(try workspace.run(arguments).code == 0)
        let names = try workspace.list("out")
        let before = names.map { workspace.stamp("out/\($0)") }
        try workspace.write(Self.item + "message More {}\n", to: "proto/shop/item.proto")
        #expect(try workspace.run(arguments).code == 0)
        let after = names.map { workspace.stamp("out/\($0)") }
        let changed = zip(names, zip(before, after)).filter { $0.1.0 != $0.1.1 }.map(\.0)
        #expect(changed == ["shop.item.swift"])
        #expect(try workspace.list("out") == names)
    }

    @Test("passes its options on")
    func options() throws {
        let workspace = try Self.workspace()
        let outcome = try workspace.run(
            """
            -Iproto --swift_out=out --visibility=public --services=none --schema_list=ShopSchemas \
            --import_module=shop/item=Items shop/shop.proto
            """
        )
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(
            try workspace.list("out") == ["Namespaces.swift", "Schemas.swift", "shop.shop.swift"]
        )
        let text = try workspace.read("out/shop.shop.swift") ?? ""
        #expect(text.contains("public import Items\n"))
        #expect(text.contains("public struct Order: Message {"))
        #expect(
            try workspace.read("out/Schemas.swift")?.contains("public enum ShopSchemas {") == true
        )
    }

    @Test("writes descriptor sets with and without imports and comments")
    func descriptorSets() throws {
        let workspace = try Self.workspace()
        func set(_ flags: String) throws -> FileDescriptorSet {
            let outcome = try workspace.run(
                "-Iproto --descriptor_set_out=set \(flags) shop/shop.proto"
            )
            #expect(outcome.code == 0, "\(outcome.errors)")
            return try FileDescriptorSet(parsing: try #require(try workspace.readBytes("set")))
        }
        #expect(try set("").files.map(\.name) == ["shop/shop.proto"])
        let all = try set("--include_imports")
        #expect(all.files.map(\.name) == ["shop/item.proto", "shop/shop.proto"])
        #expect(all.files.allSatisfy { $0.sourceCodeInfo == nil })
        let commented = try set("--include_imports --include_source_info")
        let locations = commented.files[0].sourceCodeInfo?.locations ?? []
        #expect(locations.contains { $0.leadingComments == " For sale.\n" })
    }

    // MARK: - What goes wrong

    @Test("ends with 1 and all errors when schemas are bad, and writes nothing")
    func schemaErrors() throws {
        let workspace = try Self.workspace()
        try workspace.write(
            "syntax = \"proto3\";\nmessage A { int32 a 1; }\nmassage B {}\n",
            to: "proto/bad.proto"
        )
        let outcome = try workspace.run(
            "-Iproto --swift_out=out --descriptor_set_out=set bad.proto missing.proto"
        )
        #expect(outcome.code == 1)
        #expect(
            outcome.errors == """
                bad.proto:2:21: error: expected "=" and a number behind the field's name, found "1"
                bad.proto:3:1: error: expected message, enum, service, extend, import, package or \
                option, found "massage"
                missing.proto: error: expected the file "missing.proto" on the search path (proto), \
                found none

                """
        )
        #expect(try workspace.readBytes("set") == nil)
        #expect(access("\(workspace.path)/out", F_OK) != 0)
    }

    @Test("ends with 1 when a schema has no Swift form")
    func emitterProblems() throws {
        let workspace = try Workspace()
        try workspace.write(
            "syntax = \"proto2\";\nmessage A { optional group G = 1 {} }\n",
            to: "a.proto"
        )
        let outcome = try workspace.run("--swift_out=out a.proto")
        #expect(outcome.code == 1)
        #expect(
            outcome.errors == "a.proto: error: field A.g is a group; use a message field instead\n"
        )
        #expect(access("\(workspace.path)/out", F_OK) != 0)
    }

    @Test("warns, and ends with 1 only when asked to")
    func warnings() throws {
        let workspace = try Workspace()
        try workspace.write("message A {}\n", to: "a.proto")
        let lenient = try workspace.run("--swift_out=out a.proto")
        #expect(lenient.code == 0 && lenient.errors.contains("a.proto:1:1: warning: "))
        #expect(try workspace.run("--fatal_warnings --swift_out=out2 a.proto").code == 1)
    }

    @Test(
        "ends with 2 when it cannot write",
        arguments: ["--swift_out=/proc/none", "--swift_out=file", "--descriptor_set_out=none/set"]
    )
    func unwritable(_ arguments: String) throws {
        let workspace = try Self.workspace()
        try workspace.write("", to: "file")
        let outcome = try workspace.run("-Iproto \(arguments) shop/item.proto")
        #expect(outcome.code == 2)
        #expect(outcome.errors.hasPrefix("apus-codegen: cannot write "))
    }

    @Test(
        "ends with 64 when the command line is wrong",
        arguments: [
            "", "--swift_out=out", "a.proto", "--swift_out=out --visibility=private a.proto",
            "--swift_out=out --services=both a.proto", "--swift_out=out --services=client, a.proto",
            "--swift_out=out --import_module=x a.proto",
            "--swift_out=out --import_module=x= a.proto",
            "--swift_out=out --schema_list=9 a.proto", "--swift_out=out --nonsense a.proto",
        ]
    )
    func usage(_ arguments: String) throws {
        let outcome = try Workspace().run(arguments)
        #expect(outcome.code == 64)
        #expect(outcome.errors.lowercased().contains("usage: apus-codegen "))
    }

    @Test("explains itself")
    func help() throws {
        let outcome = try Workspace().run("--help")
        #expect(outcome.code == 0)
        for option in [
            "--proto_path", "--swift_out", "--visibility", "--services", "--import_module",
            "--schema_list", "--descriptor_set_out", "--include_imports", "--include_source_info",
            "--fatal_warnings", "Exit codes",
        ] {
            #expect(outcome.output.contains(option), "\(option)")
        }
        #expect(try Workspace().run("--version").output == "\(SwiftEmitter.version)\n")
    }
}
