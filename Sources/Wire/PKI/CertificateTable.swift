// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Certificates as a table of text, one a line, for people and for `awk`.
public enum CertificateTable {
    /// What a folder holds: file, subject, issuer, end, and what is left of its validity.
    public static func text(of listing: CertificateListing, at now: CertificateTime) -> String {
        var rows = [["FILE", "SUBJECT", "ISSUER", "EXPIRES", "RESIDUAL", "CA"]]
        for entry in listing.entries {
            switch entry.result {
            case .success(let certificate):
                rows.append([
                    entry.path,
                    self.cell(certificate.subject.description),
                    self.cell(certificate.issuer.description),
                    certificate.notAfter.description,
                    self.residual(certificate, at: now),
                    certificate.authority == nil ? "no" : "yes",
                ])
            case .failure(let error):
                rows.append([entry.path, "error: \(error)"])
            }
        }
        return self.text(of: rows)
    }

    /// What was done: certificate, action, end.
    public static func text(of changes: [ClusterPKI.Change]) -> String {
        var rows = [["NAME", "ACTION", "EXPIRES"]]
        for change in changes {
            let action =
                switch change.action {
                case .kept: "kept"
                case .created: "created"
                case .renewed(let reason): "renewed (\(reason.rawValue))"
                }
            rows.append([change.path, action, change.notAfter?.description ?? "-"])
        }
        return self.text(of: rows)
    }

    /// What is left of a certificate's validity, in the largest unit of which there are two:
    /// `364d`, `23h`, `59m`; `expired` behind its end.
    static func residual(_ certificate: Certificate, at now: CertificateTime) -> String {
        if now > certificate.notAfter { return "expired" }
        if now < certificate.notBefore { return "not yet valid" }
        let seconds = now.duration(to: certificate.notAfter).components.seconds
        let units: [(Int64, String)] = [(86_400, "d"), (3_600, "h"), (60, "m")]
        for (length, unit) in units where seconds >= 2 * length {
            return "\(seconds / length)\(unit)"
        }
        return "\(seconds)s"
    }

    /// Subjects come from files that anybody may have written: no control characters, so that
    /// they cannot take over a terminal.
    private static func cell(_ text: String) -> String {
        let safe = text.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? "\u{FFFD}" : String(scalar)
        }
        return safe.isEmpty ? "-" : safe.joined()
    }

    /// Columns three blanks apart; the last one is not padded.
    private static func text(of rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            // A row that ends here may be as wide as it likes.
            rows.filter { $0.count > column + 1 }.map { $0[column].count }.max() ?? 0
        }
        return rows.map { row in
            zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: max(0, width - cell.count))
            }.joined(separator: "   ").trimmingTrailingSpaces() + "\n"
        }.joined()
    }
}

extension String {
    fileprivate func trimmingTrailingSpaces() -> String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

extension CertificateListing {
    /// Whether every file could be understood and every certificate is valid.
    public func isHealthy(at now: CertificateTime) -> Bool {
        self.entries.allSatisfy { (try? $0.result.get())?.isValid(at: now) == true }
    }
}

extension ClusterPKI {
    /// The paths that ``renew(_:in:at:)`` takes.
    public var renewablePaths: Set<String> {
        Set(
            self.entries.compactMap { entry in
                if case .issued = entry.content { entry.path } else { nil }
            }
        )
    }
}
