// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
import Glibc

/// The certificates that lie in a folder and the folders in it, as `apus certs list` shows them.
public struct CertificateListing: Sendable {
    /// Most files that are looked at.
    public static let maximumFiles = 4_096
    /// How deep folders are followed.
    public static let maximumDepth = 8

    /// What was found, by path and by place in the file.
    public var entries: [Entry] = []

    /// One certificate, or one file that should have had some.
    public struct Entry: Sendable {
        /// The file's path below the folder that was listed.
        public var path: String
        /// The certificate, or why there is none.
        public var result: Result<Certificate, PKIError>
    }

    /// Reads all certificates below `folder`: in PEM files (`.crt`, `.pem`, `.cert`, `.cer`) and in
    /// kubeconfig files (`.conf`, `.kubeconfig`), which carry them in base 64.
    ///
    /// A file that cannot be read or is broken becomes an entry with its error. Links to folders
    /// are not followed.
    /// - Throws: `file` when the folder itself cannot be read, `tooLarge` at `maximumFiles`.
    public init(folder: String) throws(PKIError) {
        var files: [String] = []
        try CertificateListing.collect(folder, prefix: "", depth: 0, into: &files)
        for path in files.sorted() {
            self.entries += CertificateListing.read(path, in: folder)
        }
    }

    /// Whether some file could not be understood.
    public var hasFailures: Bool {
        self.entries.contains { if case .failure = $0.result { true } else { false } }
    }
}

// MARK: - Reading

extension CertificateListing {
    private static let pemEndings = [".crt", ".pem", ".cert", ".cer"]
    private static let kubeconfigEndings = [".conf", ".kubeconfig"]

    private static func collect(
        _ folder: String,
        prefix: String,
        depth: Int,
        into files: inout [String]
    ) throws(PKIError) {
        guard let stream = opendir(folder) else { throw .last("opendir", folder) }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            if Int32(entry.pointee.d_type) == Int32(DT_DIR) {
                guard depth < self.maximumDepth else { continue }
                try self.collect(
                    "\(folder)/\(name)",
                    prefix: "\(prefix)\(name)/",
                    depth: depth + 1,
                    into: &files
                )
            } else if (self.pemEndings + self.kubeconfigEndings).contains(where: name.hasSuffix) {
                files.append(prefix + name)
                guard files.count <= self.maximumFiles else {
                    throw .tooLarge(bytes: files.count, limit: self.maximumFiles)
                }
            }
        }
    }

    private static func read(_ path: String, in folder: String) -> [Entry] {
        do throws(PKIError) {
            let content = try File.read("\(folder)/\(path)")
            let certificates =
                self.kubeconfigEndings.contains(where: path.hasSuffix)
                ? try self.kubeconfigCertificates(content)
                : try Certificate.all(pem: content)
            return certificates.map { Entry(path: path, result: .success($0)) }
        } catch {
            return [Entry(path: path, result: .failure(error))]
        }
    }

    /// The certificates behind `client-certificate-data:` keys; a file without any has none, as it
    /// may hold some other configuration.
    private static func kubeconfigCertificates(
        _ content: [UInt8]
    ) throws(PKIError) -> [Certificate] {
        let key = "client-certificate-data:"
        var certificates: [Certificate] = []
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let text = line.drop { $0 == 0x20 || $0 == UInt8(ascii: "-") }
            guard text.starts(with: key.utf8) else { continue }
            let quotes: [UInt8] = [0x20, 0x09, 0x0D, UInt8(ascii: "\""), UInt8(ascii: "'")]
            let value = text.dropFirst(key.utf8.count).filter { !quotes.contains($0) }
            guard let pem = try? Base64.decode(value) else {
                throw .malformedCertificate("\(key) is not base 64")
            }
            certificates += try Certificate.all(pem: pem)
        }
        return certificates
    }
}
