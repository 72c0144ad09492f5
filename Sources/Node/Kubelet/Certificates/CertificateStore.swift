// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
package import NodeHost
package import PKI

/// The certificates of one purpose, each in a file with its key: `PREFIX-TIME.pem`, and
/// `PREFIX-current.pem`, a link to the one in use. Files are readable by their owner alone. Every
/// function blocks.
///
/// Source: upstream client-go `util/certificate/certificate_store.go`.
package struct CertificateStore: Sendable {
    package let folder: String
    package let prefix: String

    package init(folder: String, prefix: String) {
        self.folder = folder
        self.prefix = prefix
    }

    /// Where programs find the certificate in use, and its key.
    package var currentPath: String { "\(self.folder)/\(self.prefix)-current.pem" }
    /// The key of a request that is not answered yet: who starts again goes on with it.
    private var pendingPath: String { "\(self.folder)/\(self.prefix).key.tmp" }

    /// The certificate in use; nil when there is none, or it cannot be understood.
    package func current() -> KeyPair? {
        guard let pem = try? HostFiles.read(self.currentPath) else { return nil }
        return try? KeyPair(certificatePEM: pem, keyPEM: pem)
    }

    /// Puts a certificate in the current one's place; older ones go.
    ///
    /// A reader sees the old file or the new one, never a part.
    package func save(_ pair: KeyPair, at now: CertificateTime) throws(HostError) {
        try HostFiles.makeDirectory(self.folder)
        let time = String(now.description.map { "T:".contains($0) ? "-" : $0 }.dropLast())
        let name = "\(self.prefix)-\(time).pem"
        try HostFiles.replace(
            "\(self.folder)/\(name)",
            with: Array((pair.chainPEM + pair.key.pem).utf8),
            mode: 0o600
        )
        let link = self.currentPath + ".new"
        HostFiles.remove(link)
        guard symlink(name, link) == 0 else { throw HostError("symlink", link) }
        guard rename(link, self.currentPath) == 0 else { throw HostError("rename", link) }
        for old in HostFiles.list(self.folder)
        where old.hasPrefix("\(self.prefix)-2") && old.hasSuffix(".pem") && old != name {
            HostFiles.remove("\(self.folder)/\(old)")
        }
        HostFiles.remove(self.pendingPath)
    }

    /// The key of the request that waits for its answer; makes one.
    package func pendingKey() throws(CertificateFailure) -> PrivateKey {
        if let pem = try? HostFiles.read(self.pendingPath), let key = try? PrivateKey(pem: pem) {
            return key
        }
        let key: PrivateKey
        do throws(PKIError) {
            key = try PrivateKey(generating: .p256)
        } catch {
            throw .certificate(error)
        }
        do throws(HostError) {
            try HostFiles.makeDirectory(self.folder)
            try HostFiles.replace(self.pendingPath, with: Array(key.pem.utf8), mode: 0o600)
        } catch {
            throw .file(error)
        }
        return key
    }

    /// Forgets the key of a request that was refused.
    package func forgetPendingKey() { HostFiles.remove(self.pendingPath) }
}
