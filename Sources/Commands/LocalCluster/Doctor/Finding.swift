// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What one check of the host or the cluster found.
public struct Finding: Sendable, Hashable {
    public enum Severity: String, Sendable {
        case ok
        /// It works, but not well.
        case warning
        /// It does not work.
        case failure
    }

    public let severity: Severity
    /// What was looked at: `container runtime`.
    public let subject: String
    /// What is there.
    public let detail: String
    /// What to do about it; empty when nothing is to be done.
    public let fix: String

    public static func ok(_ subject: String, _ detail: String) -> Finding {
        Finding(severity: .ok, subject: subject, detail: detail, fix: "")
    }

    public static func warning(_ subject: String, _ detail: String, fix: String) -> Finding {
        Finding(severity: .warning, subject: subject, detail: detail, fix: fix)
    }

    public static func failure(_ subject: String, _ detail: String, fix: String) -> Finding {
        Finding(severity: .failure, subject: subject, detail: detail, fix: fix)
    }

    /// One line, or two with what to do.
    public var text: String {
        let word =
            switch self.severity {
            case .ok: "ok     "
            case .warning: "warning"
            case .failure: "FAILURE"
            }
        let line = "\(word)  \(self.subject): \(self.detail)\n"
        return self.fix.isEmpty ? line : line + "         fix: \(self.fix)\n"
    }
}
