// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
import Glibc
import SchemaCompiler

/// Folders of the repository, found from this file.
enum Repository {
    /// The package's folder.
    static let root: String = {
        var parts = #filePath.split(separator: "/")
        parts.removeLast(4)
        return "/" + parts.joined(separator: "/")
    }()

    /// Schema files that must compile.
    static let valid = "\(root)/Tests/Codegen/SchemaCompilerTests/Fixtures/valid"

    /// Names of all schema files below a folder, sorted.
    static func schemas(in folder: String) -> [String] {
        var names: [String] = []
        func walk(_ prefix: String) {
            guard let directory = opendir("\(folder)/\(prefix)") else { return }
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name.hasPrefix(".") { continue }
                if name.hasSuffix(".proto") {
                    names.append(prefix + name)
                } else {
                    walk("\(prefix)\(name)/")
                }
            }
        }
        walk("")
        return names.sorted()
    }
}

/// A folder that lives as long as a test.
final class TemporaryFolder {
    struct CannotMake: Error {}

    let path: String

    init() throws {
        var template = Array("/tmp/apus-schema-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw CannotMake() }
        self.path = String(cString: made)
    }

    deinit { _ = system("rm -rf '\(self.path)'") }

    func write(_ bytes: [UInt8], to name: String) throws {
        guard let file = fopen("\(self.path)/\(name)", "w") else { throw CannotMake() }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw CannotMake() }
    }

    func read(_ name: String) throws -> [UInt8]? {
        try LocalFileSystem().read("\(self.path)/\(name)", limit: 256 << 20)
    }
}

/// The other compiler: protoc as PyPI's grpcio-tools ships it.
enum Protoc {
    static let isPresent = system("python3 -m grpc_tools.protoc --version >/dev/null 2>&1") == 0

    /// What to compile.
    struct Job {
        var names: [String]
        var folder: String
        var sourceInfo = false
        var imports = true
    }

    /// Compiles all jobs in one process, for its start takes longer than its work.
    ///
    /// - Returns: for each job the serialized descriptor set; nil when protoc rejects it.
    static func compile(_ jobs: [Job]) throws -> [[UInt8]?] {
        let output = try TemporaryFolder()
        var list = ""
        for (index, job) in jobs.enumerated() {
            var words = ["protoc", "-I.", "--descriptor_set_out=\(output.path)/\(index)"]
            if job.imports { words.append("--include_imports") }
            if job.sourceInfo { words.append("--include_source_info") }
            list += ([job.folder] + words + job.names).joined(separator: "\t") + "\n"
        }
        try output.write(Array(list.utf8), to: "jobs")
        try output.write(Array(Self.driver.utf8), to: "driver.py")
        let folder = output.path
        _ = system("python3 '\(folder)/driver.py' <'\(folder)/jobs' >'\(folder)/done' 2>/dev/null")
        let done = String(decoding: try output.read("done") ?? [], as: UTF8.self)
        guard done == "\(jobs.count)\n" else { throw TemporaryFolder.CannotMake() }
        return try jobs.indices.map { try output.read("\($0)") }
    }

    private static let driver = """
        import os, sys
        import grpc_tools
        from grpc_tools import protoc

        builtin = "-I" + os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
        count = 0
        for line in sys.stdin:
            folder, *words = line.rstrip("\\n").split("\\t")
            os.chdir(folder)
            protoc.main(words[:2] + [builtin] + words[2:])
            count += 1
        print(count)
        """
}

extension SchemaCompiler.Result {
    /// The files as protoc writes them without source info.
    var setWithoutSourceInfo: FileDescriptorSet {
        var set = FileDescriptorSet(files: self.files)
        for index in set.files.indices { set.files[index].sourceCodeInfo = nil }
        return set
    }
}

/// Compiles one file from memory.
func compile(_ text: String, with files: [String: String] = [:]) -> SchemaCompiler.Result {
    var files = files
    files["main.proto"] = text
    return SchemaCompiler(fileSystem: MemoryFileSystem(files), searchPaths: [])
        .compile(["main.proto"])
}
