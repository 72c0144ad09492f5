// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// Folders of schema files, in which the file that declares something is found by what is in it.
public struct SchemaFolders: Sendable {
    private let searchPaths: [String]
    private let fileSystem = LocalFileSystem()

    /// These folders, the first match wins.
    public init(_ searchPaths: [String]) {
        self.searchPaths = searchPaths.isEmpty ? ["."] : searchPaths
    }

    /// The names, as imports spell them, of the files that may declare a symbol: those whose text
    /// has every part of its name.
    ///
    /// - Parameter symbol: a full name, parts separated by `.` or `/`; empty for all files.
    public func names(mentioning symbol: String) throws(FileSystemError) -> [String] {
        let words = symbol.split { $0 == "." || $0 == "/" }.map { Array($0.utf8) }
        var found: [String] = []
        var seen: Set<String> = []
        for path in self.searchPaths {
            for name in try Self.files(below: path) where seen.insert(name).inserted {
                guard !words.isEmpty else {
                    found.append(name)
                    continue
                }
                let text = try self.fileSystem.read(
                    "\(path)/\(name)",
                    limit: SchemaLimits.fileBytes
                )
                if let text, words.allSatisfy({ Self.contains(text, $0) }) { found.append(name) }
            }
        }
        return found.sorted()
    }

    /// Compiles the files that may declare a symbol and all that they import.
    public func compile(mentioning symbol: String) throws(FileSystemError) -> SchemaCompiler.Result
    {
        let compiler = SchemaCompiler(fileSystem: self.fileSystem, searchPaths: self.searchPaths)
        return compiler.compile(try self.names(mentioning: symbol))
    }

    // MARK: -

    /// Folders in folders are followed this deep, which ends circles of links.
    private static let maximumDepth = 32

    private static func files(below root: String) throws(FileSystemError) -> [String] {
        var names: [String] = []
        var pending = [("", 0)]
        while let (folder, depth) = pending.popLast() {
            let path = folder.isEmpty ? root : "\(root)/\(folder)"
            guard let directory = opendir(path) else {
                throw .unreadable(reason: "\(path): \(String(cString: strerror(errno)))")
            }
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard !name.hasPrefix(".") else { continue }
                let relative = folder.isEmpty ? name : "\(folder)/\(name)"
                var status = stat()
                guard stat("\(root)/\(relative)", &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    if depth < Self.maximumDepth { pending.append((relative, depth + 1)) }
                } else if name.hasSuffix(".proto") {
                    guard names.count < SchemaLimits.fileCount else {
                        throw .unreadable(
                            reason: "\(root): more than \(SchemaLimits.fileCount) files"
                        )
                    }
                    names.append(relative)
                }
            }
        }
        return names
    }

    private static func contains(_ text: [UInt8], _ word: [UInt8]) -> Bool {
        text.withUnsafeBytes { text in
            word.withUnsafeBytes { word in
                guard let first = word.first, let needle = word.baseAddress else { return true }
                var rest = text[...]
                while rest.count >= word.count {
                    let slice = UnsafeRawBufferPointer(rebasing: rest)
                    guard let start = slice.baseAddress,
                        let found = memchr(start, Int32(first), slice.count - word.count + 1)
                    else { return false }
                    if memcmp(found, needle, word.count) == 0 { return true }
                    rest = rest.dropFirst(UnsafeRawPointer(found) - start + 1)
                }
                return false
            }
        }
    }
}
