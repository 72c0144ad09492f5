// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension ClusterPKI {
    /// What happened to the files of an entry.
    public struct Change: Sendable, Hashable {
        /// The entry's path.
        public var path: String
        /// What was done.
        public var action: Action
        /// When its certificate ends; nil for a bare key.
        public var notAfter: CertificateTime?

        /// What was done and why.
        public enum Action: Sendable, Hashable {
            /// The files are as they were.
            case kept
            /// There were none.
            case created
            /// A certificate and a key took the old ones' place.
            case renewed(Reason)
        }

        /// Why a certificate is issued anew.
        public enum Reason: String, Sendable, Hashable {
            /// Somebody asked for it.
            case requested
            /// Its end is near or over.
            case expiring
            /// Another CA issued it, or one that has been replaced.
            case otherAuthority
            /// A name or use is missing, or the subject is another.
            case otherContent
            /// The key's file is missing, or does not belong to it.
            case keyMismatch
            /// The file cannot be understood.
            case unreadable
        }
    }

    /// Brings the files below `folder` to what the entries say: makes what is missing, issues anew
    /// what is over, near its end or other than it should be, and leaves the rest alone.
    ///
    /// Safe to call at every start, and again after a crash at any point. A CA is made only when
    /// neither its certificate nor its key is there: replacing one breaks every client. A CA whose
    /// key is kept elsewhere is used to check, not to issue.
    ///
    /// - Throws: `authorityKeyMissing` when something has to be issued and the key is not there;
    ///   `file` and the reading errors for CAs and `sa.key`, which are never replaced.
    public func ensure(
        in folder: String,
        at now: CertificateTime
    ) throws(PKIError) -> [Change] {
        var authorities: [String: Authority] = [:]
        var changes: [Change] = []
        for entry in self.entries {
            let files = Files(folder: folder, path: entry.path)
            try File.makeFolders(File.folder(of: files.certificate))
            switch entry.content {
            case .key:
                let created = try files.ensureKey(entry.keyKind)
                changes.append(
                    Change(path: entry.path, action: created ? .created : .kept, notAfter: nil)
                )
            case .authority(let template):
                let (authority, created) = try files.ensureAuthority(
                    template,
                    kind: entry.keyKind,
                    at: now
                )
                authorities[entry.path] = authority
                changes.append(
                    Change(
                        path: entry.path,
                        action: created ? .created : .kept,
                        notAfter: authority.certificate.notAfter
                    )
                )
            case .issued(let template, let issuer):
                guard let authority = authorities[issuer] else {
                    throw .invalidTemplate("\(entry.path): no issuer '\(issuer)' before it")
                }
                changes.append(
                    try files.ensureIssued(
                        template,
                        kind: entry.keyKind,
                        by: authority,
                        renewBefore: self.renewBefore,
                        at: now
                    )
                )
            }
        }
        return changes
    }

    /// Issues the certificates at `paths` anew, with new keys; all but the CAs' when it is nil.
    ///
    /// Subject, names, uses and length of validity are those of the certificate in the file, so
    /// that nothing that was added to it gets lost. The other files are not touched.
    ///
    /// - Throws: what reading a file or CA throws, among them `file` when there is no certificate;
    ///   those that come before it in the entries are renewed then.
    public func renew(
        _ paths: Set<String>? = nil,
        in folder: String,
        at now: CertificateTime
    ) throws(PKIError) -> [Change] {
        var changes: [Change] = []
        for entry in self.entries where paths?.contains(entry.path) ?? true {
            guard case .issued(_, let issuer) = entry.content else { continue }
            let authority = try Files(folder: folder, path: issuer).readAuthority()
            changes.append(
                try Files(folder: folder, path: entry.path)
                    .renew(kind: entry.keyKind, by: authority, at: now)
            )
        }
        return changes
    }
}

// MARK: - One entry's files

/// A CA whose key may be kept elsewhere.
private struct Authority {
    var certificate: Certificate
    var key: PrivateKey?
    var keyPath: String

    func issuing() throws(PKIError) -> CertificateAuthority {
        guard let key = self.key else { throw .authorityKeyMissing(path: self.keyPath) }
        return try CertificateAuthority(certificate: self.certificate, key: key)
    }
}

/// The files of an entry and how they come to be.
private struct Files {
    let path: String
    let certificate: String
    let key: String
    let publicKey: String

    init(folder: String, path: String) {
        self.path = path
        self.certificate = "\(folder)/\(path).crt"
        self.key = "\(folder)/\(path).key"
        self.publicKey = "\(folder)/\(path).pub"
    }

    /// A bare key pair; the public half is made again when it is missing or another's.
    func ensureKey(_ kind: PrivateKey.Kind) throws(PKIError) -> Bool {
        let existing = try File.readIfPresent(self.key)
        let key: PrivateKey
        if let existing {
            key = try PrivateKey(pem: existing)
        } else {
            key = try PrivateKey(generating: kind)
            try File.write(key.pem.utf8, to: self.key, mode: File.secretMode)
        }
        let written = try File.readIfPresent(self.publicKey)
        if written.flatMap({ try? PublicKey(pem: $0) }) != key.publicKey {
            try File.write(key.publicKey.pem.utf8, to: self.publicKey, mode: File.publicMode)
        }
        return existing == nil
    }

    func ensureAuthority(
        _ template: CertificateTemplate,
        kind: PrivateKey.Kind,
        at now: CertificateTime
    ) throws(PKIError) -> (Authority, created: Bool) {
        if try File.readIfPresent(self.certificate) != nil {
            return (try self.readAuthority(), false)
        }
        let key = try File.readIfPresent(self.key)
        // A key without a certificate: a crash between the two writes.
        let authorityKey =
            if let key { try PrivateKey(pem: key) } else { try PrivateKey(generating: kind) }
        let made = try CertificateAuthority.root(template, key: authorityKey, at: now)
        try KeyPair(chain: [made.certificate], key: authorityKey)
            .write(certificateFile: self.certificate, keyFile: self.key)
        let authority = Authority(
            certificate: made.certificate,
            key: authorityKey,
            keyPath: self.key
        )
        return (authority, true)
    }

    /// The CA in the files; its key may be kept elsewhere.
    func readAuthority() throws(PKIError) -> Authority {
        let certificate = try Certificate(pem: File.read(self.certificate))
        let key = try File.readIfPresent(self.key)
        let authority = Authority(
            certificate: certificate,
            key: try key.map { pem throws(PKIError) in try PrivateKey(pem: pem) },
            keyPath: self.key
        )
        // The pair is checked now and not when something is issued in a year.
        if authority.key != nil { _ = try authority.issuing() }
        return authority
    }

    /// Issues the certificate in the file anew, with a new key.
    func renew(
        kind: PrivateKey.Kind,
        by authority: Authority,
        at now: CertificateTime
    ) throws(PKIError) -> ClusterPKI.Change {
        let certificate = try Certificate(pem: File.read(self.certificate))
        let pair = try authority.issuing()
            .issueKeyPair(CertificateTemplate(certificate), kind: kind, at: now)
        try pair.write(certificateFile: self.certificate, keyFile: self.key)
        return .init(
            path: self.path,
            action: .renewed(.requested),
            notAfter: pair.certificate.notAfter
        )
    }

    func ensureIssued(
        _ template: CertificateTemplate,
        kind: PrivateKey.Kind,
        by authority: Authority,
        renewBefore: Duration,
        at now: CertificateTime
    ) throws(PKIError) -> ClusterPKI.Change {
        var action = ClusterPKI.Change.Action.created
        if let pem = try File.readIfPresent(self.certificate) {
            let certificate = try? Certificate(pem: pem)
            let fault = try self.fault(
                of: certificate,
                template: template,
                authority: authority.certificate,
                renewBefore: renewBefore,
                at: now
            )
            guard let fault else {
                return .init(path: self.path, action: .kept, notAfter: certificate?.notAfter)
            }
            action = .renewed(fault)
        }
        let pair = try authority.issuing().issueKeyPair(template, kind: kind, at: now)
        try pair.write(certificateFile: self.certificate, keyFile: self.key)
        return .init(path: self.path, action: action, notAfter: pair.certificate.notAfter)
    }

    /// Why the certificate in the file will not do; nil when it will.
    private func fault(
        of certificate: Certificate?,
        template: CertificateTemplate,
        authority: Certificate,
        renewBefore: Duration,
        at now: CertificateTime
    ) throws(PKIError) -> ClusterPKI.Change.Reason? {
        guard let certificate else { return .unreadable }
        guard authority.hasIssued(certificate) else { return .otherAuthority }
        // Of a certificate that lives shorter than that, half its life.
        let life = certificate.notBefore.duration(to: certificate.notAfter)
        let margin = min(renewBefore, life / 2)
        let end = certificate.notAfter
        let isNear = now.duration(to: end) < margin && end < authority.notAfter
        guard certificate.isValid(at: now), !isNear else { return .expiring }
        guard
            certificate.subject == template.subject,
            certificate.alternativeNames.covers(template.alternativeNames),
            Set(certificate.extendedKeyUsages ?? []).isSuperset(of: template.extendedKeyUsages)
        else { return .otherContent }
        guard
            let key = try File.readIfPresent(self.key).flatMap({ try? PrivateKey(pem: $0) }),
            key.publicKey == certificate.publicKey
        else { return .keyMismatch }
        return nil
    }
}
