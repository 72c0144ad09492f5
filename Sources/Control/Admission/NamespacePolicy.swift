// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

/// The levels that a namespace asks for in its labels.
///
/// Source: k8s.io/pod-security-admission `api/constants.go`, `api/helpers.go`.
struct NamespacePolicy: Equatable {
    /// A level, and the release whose rules are meant.
    struct Level: Equatable {
        var level: SecurityStandard
        var version: String

        /// `"restricted:latest"`
        var text: String { GoText.quoted(self.plainText) }
        var plainText: String { "\(self.level.rawValue):\(self.version)" }
    }

    var enforce: Level?
    var audit: Level?
    var warn: Level?

    static let prefix = "pod-security.kubernetes.io/"
    static let modes = ["enforce", "audit", "warn"]

    init() {}

    /// - Parameter label: the value of a label. What is malformed counts as restricted, as upstream
    ///   has it.
    init(_ label: (String) -> String?) {
        self.enforce = Self.level("enforce", label)
        self.audit = Self.level("audit", label)
        // What will be refused is warned of, unless something else is asked for.
        self.warn =
            label(Self.prefix + "warn") == nil ? self.enforce : Self.level("warn", label)
    }

    private static func level(_ mode: String, _ label: (String) -> String?) -> Level? {
        guard let text = label(self.prefix + mode) else { return nil }
        let level = SecurityStandard(rawValue: text) ?? .restricted
        if level == .privileged { return nil }
        let version = label("\(self.prefix)\(mode)-version") ?? "latest"
        return Level(level: level, version: self.isVersion(version) ? version : "latest")
    }

    var isPrivileged: Bool { self.enforce == nil && self.audit == nil && self.warn == nil }

    private static func isVersion(_ text: String) -> Bool {
        if text == "latest" { return true }
        guard text.hasPrefix("v1."), let minor = Int(text.dropFirst(3)) else { return false }
        return minor >= 0 && text == "v1.\(minor)"
    }

    /// What is wrong with the labels of a namespace.
    static func errors(_ label: (String) -> String?) -> FieldErrors {
        var errors = FieldErrors(at: FieldPath("metadata", "labels"))
        for mode in self.modes {
            let key = self.prefix + mode
            for (name, part) in [(key, mode), ("\(key)-version", "\(mode)-version")] {
                guard let text = label(name), let why = self.fault(part, text) else { continue }
                errors.within(key: name) { $0.invalid(.string(text), why) }
            }
        }
        return errors
    }

    /// What is wrong with a level or version; nil for nothing.
    ///
    /// - Parameter key: `enforce`, `enforce-version` and the like.
    static func fault(_ key: String, _ text: String) -> String? {
        if key.hasSuffix("-version") {
            return self.isVersion(text) ? nil : "must be \"latest\" or \"v1.x\""
        }
        return SecurityStandard(rawValue: text) == nil
            ? "must be one of privileged, baseline, restricted" : nil
    }

    /// The annotations that are part of what is checked.
    static func securityAnnotations(_ metadata: MetaV1.ObjectMeta) -> [(String, String)] {
        metadata.annotations.filter {
            $0.key.hasPrefix("container.apparmor.security.beta.kubernetes.io/")
                || $0.key.hasPrefix("seccomp.security.alpha.kubernetes.io/")
                || $0.key.hasPrefix("container.seccomp.security.alpha.kubernetes.io/")
        }.map { ($0.key, $0.value) }
    }
}
