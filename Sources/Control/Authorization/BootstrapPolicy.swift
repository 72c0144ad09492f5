// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The roles and bindings that every cluster has.
///
/// They are kept as text with a line for each rule, which people can read and the compiler need not
/// check word by word:
///
///     clusterrole NAME                    role NAMESPACE/NAME
///       label KEY=VALUE
///       aggregate KEY=VALUE
///       allow VERBS GROUPS RESOURCES [NAMES]
///       paths VERBS PATHS
///     clusterrolebinding NAME KIND:ROLE SUBJECT...
///     rolebinding NAMESPACE/NAME KIND:ROLE SUBJECT...
///
/// Lists have commas, `-` is the core group. Source: kubernetes
/// `plugin/pkg/auth/authorizer/rbac/bootstrappolicy`.
package struct BootstrapPolicy: Sendable {
    package struct Role: Sendable {
        /// nil for a cluster role.
        package var namespace: String?
        package var name: String
        package var labels: [String: String] = [:]
        /// The labels of the cluster roles whose rules this one gets.
        package var aggregated: [[String: String]] = []
        package var rules: [PolicyRule] = []
    }

    package struct Subject: Sendable, Hashable {
        /// `User`, `Group` or `ServiceAccount`.
        package var kind: String
        package var namespace: String
        package var name: String
    }

    package struct Binding: Sendable {
        /// nil for a cluster role binding.
        package var namespace: String?
        package var name: String
        package var roleKind: String
        package var roleName: String
        package var subjects: [Subject]
    }

    package private(set) var clusterRoles: [Role] = []
    package private(set) var roles: [Role] = []
    package private(set) var bindings: [Binding] = []

    /// A line that says nothing.
    package struct Malformed: Error, Sendable {
        package var line: String
    }

    /// What Kubernetes 1.36 has, and what our own parts need beside.
    package static let builtin: BootstrapPolicy = {
        do {
            var policy = try BootstrapPolicy(
                parsing: [
                    Self.clusterRoleText, Self.controllerRoleText, Self.roleText,
                    Self.bindingText, Self.ownText,
                ].joined(separator: "\n")
            )
            policy.bindControllers()
            return policy
        } catch {
            preconditionFailure("no policy: \(error)")
        }
    }()

    private static let controllerPrefix = "system:controller:"

    /// Binds the role of each controller to its service account.
    private mutating func bindControllers() {
        for role in self.clusterRoles where role.name.hasPrefix(Self.controllerPrefix) {
            let account = String(role.name.dropFirst(Self.controllerPrefix.count))
            self.bindings.append(
                Binding(
                    namespace: nil,
                    name: role.name,
                    roleKind: "ClusterRole",
                    roleName: role.name,
                    subjects: [
                        Subject(kind: "ServiceAccount", namespace: "kube-system", name: account)
                    ]
                )
            )
        }
    }
}

// MARK: - Parsing

extension BootstrapPolicy {
    package init(parsing text: String) throws(Malformed) {
        var role: Role?
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            switch (words[0], words.count) {
            case ("clusterrole", 2):
                self.finish(&role)
                role = Role(namespace: nil, name: words[1])
            case ("role", 2):
                self.finish(&role)
                let (namespace, name) = try Self.qualified(words[1], in: line)
                role = Role(namespace: namespace, name: name)
            case ("label", 2):
                let (key, value) = try Self.pair(words[1], in: line)
                role?.labels[key] = value
            case ("aggregate", 2):
                let (key, value) = try Self.pair(words[1], in: line)
                role?.aggregated.append([key: value])
            case ("allow", 4), ("allow", 5):
                role?.rules.append(
                    PolicyRule(
                        verbs: Self.list(words[1]),
                        apiGroups: Self.list(words[2]),
                        resources: Self.list(words[3]),
                        resourceNames: words.count == 5 ? Self.list(words[4]) : []
                    )
                )
            case ("paths", 3):
                role?.rules.append(
                    PolicyRule(verbs: Self.list(words[1]), paths: Self.list(words[2]))
                )
            case ("clusterrolebinding", 3...), ("rolebinding", 3...):
                self.finish(&role)
                self.bindings.append(try Self.binding(words, in: line))
            default: throw Malformed(line: String(line))
            }
        }
        self.finish(&role)
    }

    private mutating func finish(_ role: inout Role?) {
        guard let done = role.take() else { return }
        if done.namespace == nil { self.clusterRoles.append(done) } else { self.roles.append(done) }
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0 == "-" ? "" : String($0) }
    }

    private static func pair(
        _ text: String,
        separator: Character = "=",
        in line: Substring
    ) throws(Malformed) -> (String, String) {
        guard let place = text.firstIndex(of: separator) else {
            throw Malformed(line: String(line))
        }
        return (String(text[..<place]), String(text[text.index(after: place)...]))
    }

    private static func qualified(
        _ text: String,
        in line: Substring
    ) throws(Malformed) -> (String, String) {
        try self.pair(text, separator: "/", in: line)
    }

    private static func binding(_ words: [String], in line: Substring) throws(Malformed) -> Binding
    {
        var (namespace, name): (String?, String) = (nil, words[1])
        if words[0] == "rolebinding" { (namespace, name) = try self.qualified(words[1], in: line) }
        let (roleKind, roleName) = try self.pair(words[2], separator: ":", in: line)
        var subjects: [Subject] = []
        for word in words.dropFirst(3) {
            let (kind, subject) = try self.pair(word, separator: ":", in: line)
            switch kind {
            case "user": subjects.append(Subject(kind: "User", namespace: "", name: subject))
            case "group": subjects.append(Subject(kind: "Group", namespace: "", name: subject))
            case "account":
                let (place, account) = try self.qualified(subject, in: line)
                subjects.append(
                    Subject(kind: "ServiceAccount", namespace: place, name: account)
                )
            default: throw Malformed(line: String(line))
            }
        }
        return Binding(
            namespace: namespace,
            name: name,
            roleKind: roleKind,
            roleName: roleName,
            subjects: subjects
        )
    }
}
