// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Where schema files are read from.
public protocol FileSystem: Sendable {
    /// Reads a whole file.
    ///
    /// - Parameters:
    ///   - path: the path, search path included.
    ///   - limit: the largest size to read in bytes; a larger file throws `.tooLarge`.
    /// - Returns: the content, or nil when there is no such file.
    func read(_ path: String, limit: Int) throws(FileSystemError) -> [UInt8]?
}

/// Why a file that exists cannot be read.
public enum FileSystemError: Error, Hashable, Sendable {
    /// The system refused; the text is the system's own.
    case unreadable(reason: String)
    /// The file is larger than the limit.
    case tooLarge(limit: Int)
}

/// Files held in memory by path.
public struct MemoryFileSystem: FileSystem {
    private let files: [String: [UInt8]]

    /// Makes a file system of the given texts.
    public init(_ files: [String: String]) {
        self.files = files.mapValues { Array($0.utf8) }
    }

    /// Makes a file system of the given bytes.
    public init(bytes files: [String: [UInt8]]) {
        self.files = files
    }

    public func read(_ path: String, limit: Int) throws(FileSystemError) -> [UInt8]? {
        guard let bytes = self.files[path] else { return nil }
        guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
        return bytes
    }
}
