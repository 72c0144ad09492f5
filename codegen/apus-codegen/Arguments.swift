// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ArgumentParser
public import SwiftEmitter

extension SwiftEmitter.Visibility: ExpressibleByArgument {}

/// The value of `--services`.
struct ServiceParts: ExpressibleByArgument {
    var parts: Set<SwiftEmitter.ServicePart>

    init(parts: Set<SwiftEmitter.ServicePart>) {
        self.parts = parts
    }

    init?(argument: String) {
        self.parts = []
        if argument == "none" { return }
        for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let part = SwiftEmitter.ServicePart(rawValue: String(word)) else { return nil }
            self.parts.insert(part)
        }
    }

    var defaultValueDescription: String {
        self.parts.isEmpty ? "none" : self.parts.map(\.rawValue).sorted().joined(separator: ",")
    }
}

/// The value of `--import_module`.
struct ModuleOption: ExpressibleByArgument {
    var mapping: SwiftEmitter.ModuleMapping

    init?(argument: String) {
        let parts = argument.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else { return nil }
        self.mapping = .init(pathPrefix: String(parts[0]), module: String(parts[1]))
    }
}

/// Turns what a user calls a schema file into what imports call it.
enum SchemaPath {
    /// The name of a file relative to the search path it lies below; the path itself if below none.
    static func name(of path: String, searchPaths: [String]) -> String {
        let path = self.withoutDots(path)
        for directory in searchPaths {
            let prefix = self.withoutDots(directory)
            if prefix.isEmpty { continue }
            let start = prefix.hasSuffix("/") ? prefix : prefix + "/"
            if path.hasPrefix(start) { return String(path.dropFirst(start.count)) }
        }
        return path
    }

    /// A path without `./` in front and without doubled slashes.
    private static func withoutDots(_ path: String) -> String {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true)[...]
        while parts.first == "." { parts.removeFirst() }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}
