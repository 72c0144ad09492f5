// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
public import KubernetesAPI
import Protobuf
public import Scalars

/// A token as the cluster keeps it: a Secret in kube-system, in the form that kubeadm makes. Pure.
///
/// Source: upstream `cmd/kubeadm/app/apis/bootstraptoken/v1/utils.go`.
public struct JoinTokenRecord: Sendable, Hashable {
    public static let namespace = "kube-system"
    public static let secretType = "bootstrap.kubernetes.io/token"
    /// The group that the roles for joining nodes are bound to.
    public static let defaultGroup = "system:bootstrappers:kubeadm:default-node-token"
    public static let allUsages = ["signing", "authentication"]
    private static let groupPrefix = "system:bootstrappers:"
    private static let longestGroup = 255

    public var token: JoinToken
    public var about: String
    /// Nil for a token without an end.
    public var expiration: Timestamp?
    public var usages: [String]
    public var groups: [String]

    public init(
        _ token: JoinToken,
        about: String = "",
        expiration: Timestamp?,
        usages: [String] = Self.allUsages,
        groups: [String] = [Self.defaultGroup]
    ) {
        self.token = token
        self.about = about
        self.expiration = expiration
        self.usages = usages
        self.groups = groups
    }

    public static func secretName(_ id: String) -> String { "bootstrap-token-\(id)" }

    /// What is wrong with it; nil when nothing is.
    public var problem: String? {
        for usage in self.usages where !Self.allUsages.contains(usage) {
            return "invalid bootstrap token usage string: \(usage), valid usage options: "
                + Self.allUsages.joined(separator: ", ")
        }
        if !self.groups.isEmpty, !self.usages.contains("authentication") {
            return "token groups cannot be specified unless --usages includes \"authentication\""
        }
        for group in self.groups where !Self.isGroup(group) {
            return "bootstrap group \"\(group)\" is invalid "
                + "(must match \\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\\z)"
        }
        return nil
    }

    private static func isGroup(_ group: String) -> Bool {
        guard group.hasPrefix(self.groupPrefix) else { return false }
        let rest = group.dropFirst(self.groupPrefix.count)
        let plain = "abcdefghijklmnopqrstuvwxyz0123456789"
        guard let last = rest.last, rest.count <= self.longestGroup + 1 else { return false }
        return plain.contains(last) && rest.allSatisfy { (plain + ":-").contains($0) }
    }
}

// MARK: - The Secret

extension JoinTokenRecord {
    public var secret: CoreV1.Secret {
        CoreV1.Secret.with {
            $0.metadata.name = Self.secretName(self.token.id)
            $0.metadata.namespace = Self.namespace
            $0.type = Self.secretType
            var fields = ["token-id": self.token.id, "token-secret": self.token.secret]
            if !self.about.isEmpty { fields["description"] = self.about }
            if let expiration = self.expiration {
                fields["expiration"] = expiration.text(as: .time)
            }
            for usage in self.usages { fields["usage-bootstrap-\(usage)"] = "true" }
            if !self.groups.isEmpty {
                fields["auth-extra-groups"] = self.groups.joined(separator: ",")
            }
            for (key, value) in fields { $0.data[key] = Bytes(utf8: value) }
        }
    }

    /// Nil for a Secret that is no token, or whose end cannot be read.
    public init?(_ secret: CoreV1.Secret) {
        func text(_ key: String) -> String {
            secret.data[key].map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        guard secret.type == Self.secretType,
            let token = JoinToken("\(text("token-id")).\(text("token-secret"))"),
            secret.metadata.name == Self.secretName(token.id)
        else { return nil }
        let end = text("expiration")
        let expiration = try? Timestamp(parsing: end, as: .time)
        guard end.isEmpty || expiration != nil else { return nil }
        self.init(
            token,
            about: text("description"),
            expiration: expiration,
            usages: ["authentication", "signing"].filter {
                text("usage-bootstrap-\($0)") == "true"
            },
            groups: text("auth-extra-groups").split(separator: ",").map(String.init)
        )
    }
}

// MARK: - For people

extension JoinTokenRecord {
    /// A table, a line a token.
    public static func table(_ records: [JoinTokenRecord], at now: Timestamp) -> String {
        var lines = [["TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION", "EXTRA GROUPS"]]
        for record in records {
            func or(_ list: [String], _ none: String) -> String {
                let text = list.joined(separator: ",")
                return text.isEmpty ? none : text
            }
            lines.append([
                record.token.description,
                record.expiration.map { Self.age($0.seconds - now.seconds) } ?? "<forever>",
                record.expiration?.text(as: .time) ?? "<never>",
                or(record.usages, "<none>"),
                or([record.about], "<none>"),
                or(record.groups, "<none>"),
            ])
        }
        return TextTable.text(lines)
    }

    /// As Kubernetes shows short times: `59s`, `23h`, `6d`.
    static func age(_ seconds: Int64) -> String {
        switch seconds {
        case ..<(-1): "<invalid>"
        case ..<0: "0s"
        case ..<60: "\(seconds)s"
        case ..<3600: "\(seconds / 60)m"
        case ..<86_400: "\(seconds / 3600)h"
        case ..<(86_400 * 365): "\(seconds / 86_400)d"
        default: "\(seconds / (86_400 * 365))y"
        }
    }
}

/// Columns of text.
enum TextTable {
    private static let gap = 3

    /// Lines of the same number of cells, each column as wide as its widest cell.
    static func text(_ lines: [[String]]) -> String {
        let columns = lines.first?.count ?? 0
        let widths = (0..<columns).map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { cells in
            var line = ""
            for (cell, width) in zip(cells, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + Self.gap)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
