// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Files of the repository that tests read.
enum Fixture {
    /// The folder `Tests`.
    static var tests: String {
        // …/Tests/API/KubernetesAPITests/Fixture.swift
        let parts = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/")
    }

    /// The content of a file below `Tests`.
    static func read(_ path: String) -> [UInt8] {
        guard let file = fopen("\(self.tests)/\(path)", "r") else { return [] }
        defer { fclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            content += chunk[..<count]
        }
        return content
    }

    /// The names of the files of a folder below `Tests` that end in `suffix`, sorted.
    static func names(in folder: String, suffix: String) -> [String] {
        guard let directory = opendir("\(self.tests)/\(folder)") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(suffix) { names.append(name) }
        }
        return names.sorted()
    }
}
