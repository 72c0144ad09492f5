// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

/// What holds for namespaces without labels, and for whom nothing holds.
///
/// Source: k8s.io/pod-security-admission `admission/api/types.go`, `validation`.
public struct PodSecuritySettings: Sendable, Equatable {
    /// Values for the labels of namespaces that lack them, by the label.
    var labels: [String: String] = [:]
    var exemptUsers: Set<String> = []
    var exemptRuntimeClasses: Set<String> = []
    var exemptNamespaces: Set<String> = []

    public init() {}

    private static let versions = [
        "pod-security.admission.config.k8s.io/v1",
        "pod-security.admission.config.k8s.io/v1beta1",
        "pod-security.admission.config.k8s.io/v1alpha1",
    ]

    init(_ settings: SettingsReader) throws(AdmissionSettingsError) {
        var settings = settings
        try settings.expect("PodSecurityConfiguration", Self.versions)
        if var defaults = try settings.object("defaults") {
            for mode in NamespacePolicy.modes {
                for key in [mode, "\(mode)-version"] {
                    let value = try defaults.string(key)
                    guard !value.isEmpty else { continue }
                    if let why = NamespacePolicy.fault(key, value) {
                        throw .invalid(defaults.name(key), "\(GoText.quoted(value)): \(why)")
                    }
                    self.labels[NamespacePolicy.prefix + key] = value
                }
            }
            try defaults.finish()
        }
        if var exemptions = try settings.object("exemptions") {
            self.exemptUsers = try Self.names("usernames", &exemptions) {
                $0.isEmpty ? ["username must not be empty"] : []
            }
            self.exemptRuntimeClasses = try Self.names(
                "runtimeClasses",
                &exemptions
            ) { Formats.dns1123Subdomain($0) }
            self.exemptNamespaces = try Self.names(
                "namespaces",
                &exemptions
            ) { Formats.dns1123Label($0) }
            try exemptions.finish()
        }
        try settings.finish()
    }

    private static func names(
        _ key: String,
        _ exemptions: inout SettingsReader,
        _ faults: (String) -> [String]
    ) throws(AdmissionSettingsError) -> Set<String> {
        var names: Set<String> = []
        for (index, name) in try exemptions.strings(key).enumerated() {
            let path = "\(exemptions.name(key))[\(index)]"
            if let why = faults(name).first {
                throw .invalid(path, "\(GoText.quoted(name)): \(why)")
            }
            guard names.insert(name).inserted else {
                throw .invalid(path, "\(GoText.quoted(name)): duplicate value")
            }
        }
        return names
    }
}
